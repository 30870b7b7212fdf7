/**
 * Every way in which a command can refuse, as one table: code → gate, log message, remedy.
 * Codes, messages and gates are public API (spec section 5). The gate decides the exit code;
 * the table of gates stands in `edged/src/exit-code.ts`.
 */

/** The check that refused. `defect` is a fault of the program itself. */
export type Gate = 'config' | 'state_root' | 'certificate' | 'reconstruction' | 'defect';

interface FailureKind {
  readonly gate: Gate;
  /** The log message, stable. */
  readonly message: string;
  /** One sentence that says what to do next. */
  readonly remedy: string;
}

export const failures = {
  'config.usage': {
    gate: 'config',
    message: 'precheck: command line not understood',
    remedy: 'Correct the command line; `edged --help` shows every command with examples.',
  },
  'config.unreadable': {
    gate: 'config',
    message: 'precheck: config file cannot be read',
    remedy: 'Pass the path of an existing, readable file to --config.',
  },
  'config.too_large': {
    gate: 'config',
    message: 'precheck: config file is too large',
    remedy: 'A config is at most 1 MiB; check that --config names the right file.',
  },
  'config.not_utf8': {
    gate: 'config',
    message: 'precheck: config file is not UTF-8',
    remedy: 'Save the config as UTF-8 text (YAML, TOML or JSON).',
  },
  'config.syntax': {
    gate: 'config',
    message: 'precheck: config file does not parse',
    remedy: 'Correct the syntax at the line and column shown.',
  },
  'config.invalid': {
    gate: 'config',
    message: 'precheck: config is invalid',
    remedy: 'Correct every problem listed; docs/reference/config.md shows a complete example.',
  },
  'config.input_unusable': {
    gate: 'config',
    message: 'edged: an input of this command cannot be used',
    remedy: 'Check the path and the content of the file named here.',
  },
  'config.output_exists': {
    gate: 'config',
    message: 'edged: the output exists already',
    remedy: 'Choose another path, or move the existing file away first.',
  },

  'state_root.not_absolute': {
    gate: 'state_root',
    message: 'precheck: state root is not an absolute path',
    remedy: 'Give state_root.root (or EDGE_STATE_ROOT) as an absolute path.',
  },
  'state_root.missing': {
    gate: 'state_root',
    message: 'precheck: state root does not exist',
    remedy: 'Mount the persistent partition, or create a state root with `edged init DIR`.',
  },
  'state_root.not_a_directory': {
    gate: 'state_root',
    message: 'precheck: state root is not a directory',
    remedy: 'Point state_root.root at a directory on the persistent partition.',
  },
  'state_root.is_filesystem_root': {
    gate: 'state_root',
    message: 'precheck: state root is the root directory',
    remedy: 'Point state_root.root at a directory on the persistent partition, never at /.',
  },
  'state_root.not_writable': {
    gate: 'state_root',
    message: 'precheck: state root is not writable',
    remedy: 'Give the user that runs edged write permission on the state root.',
  },
  'state_root.read_only': {
    gate: 'state_root',
    message: 'precheck: state root is on a read-only mount and work is to be done',
    remedy: 'Remount the persistent partition read-write; check the kernel log for disk errors.',
  },
  'state_root.wrong_owner': {
    gate: 'state_root',
    message: 'precheck: state root belongs to another user',
    remedy: 'Make root, or the user that runs edged, the owner of the state root.',
  },
  'state_root.world_writable': {
    gate: 'state_root',
    message: 'precheck: state root is world-writable',
    remedy: 'Run `chmod o-w` on the state root, then check what was written into it.',
  },
  'state_root.ephemeral_filesystem': {
    gate: 'state_root',
    message: 'precheck: state root is not on a persistent filesystem',
    remedy: 'Mount a persistent partition (ext4, xfs, btrfs, f2fs, …) at the state root.',
  },
  'state_root.on_root_filesystem': {
    gate: 'state_root',
    message: 'precheck: state root is on the root filesystem, which an OS replacement wipes',
    remedy:
      'Mount a partition of its own there, or set state_root.allow_root_filesystem: true ' +
      'if the root filesystem survives updates.',
  },
  'state_root.mounts_unreadable': {
    gate: 'state_root',
    message: 'precheck: the mount of the state root cannot be found out',
    remedy: 'Mount /proc, so that /proc/self/mountinfo can be read.',
  },
  'state_root.wrong_disk': {
    gate: 'state_root',
    message: 'precheck: another disk than the expected one is mounted at the state root',
    remedy: 'Attach the expected disk, or correct state_root.expected_uuid / expected_label.',
  },
  'state_root.locked': {
    gate: 'state_root',
    message: 'precheck: another precheck is at work on this state root',
    remedy: 'Wait for the other precheck to end (`fuser -v STATE_ROOT` names it), then run again.',
  },
  'state_root.lock_unavailable': {
    gate: 'state_root',
    message: 'precheck: the state root cannot be locked',
    remedy: 'Install flock(1) (util-linux or BusyBox) and keep it in PATH.',
  },
  'state_root.io_error': {
    gate: 'state_root',
    message: 'precheck: the state root cannot be read or written',
    remedy: 'Check the disk and its mount (`dmesg`, `df`), then run precheck again.',
  },

  'certificate.unreadable': {
    gate: 'certificate',
    message: 'precheck: certificate file cannot be read',
    remedy: 'Check transport.cert_file, key_file and ca_file: path and permissions.',
  },
  'certificate.malformed': {
    gate: 'certificate',
    message: 'precheck: certificate file holds no usable certificate',
    remedy: 'Replace the file by a PEM-encoded X.509 certificate.',
  },
  'certificate.key_malformed': {
    gate: 'certificate',
    message: 'precheck: private key file holds no usable key',
    remedy: 'Replace the file by a PEM-encoded private key (PKCS#8, PKCS#1 or SEC1).',
  },
  'certificate.key_encrypted': {
    gate: 'certificate',
    message: 'precheck: private key is encrypted',
    remedy: 'Store the key unencrypted (mode 0600); nobody can type a passphrase at boot.',
  },
  'certificate.key_mismatch': {
    gate: 'certificate',
    message: 'precheck: private key does not belong to the certificate',
    remedy: 'Install the key that the certificate was issued for, or a new pair of both.',
  },
  'certificate.ca_mismatch': {
    gate: 'certificate',
    message: 'precheck: certificate was not issued by the configured CA',
    remedy: 'Install the issuing CA as transport.ca_file, or a certificate of that CA.',
  },
  'certificate.not_yet_valid': {
    gate: 'certificate',
    message: 'precheck: certificate is not yet valid',
    remedy: 'Set the clock, or install a certificate whose validity has begun.',
  },
  'certificate.expired': {
    gate: 'certificate',
    message: 'precheck: certificate has expired',
    remedy: 'Install a new certificate; check the clock if it should still be valid.',
  },
  'certificate.expires_soon': {
    gate: 'certificate',
    message: 'precheck: certificate expires within 7 days',
    remedy: 'Renew the certificate now.',
  },
  'certificate.rotation_failed': {
    gate: 'certificate',
    message: 'precheck: certificate rotation failed',
    remedy: 'Check transport.ca_key_file and ca_file; the old pair is as it was.',
  },

  'os.identity_missing': {
    gate: 'reconstruction',
    message: 'precheck: operating system cannot be identified',
    remedy: 'The OS image must carry /etc/os-release or /usr/lib/os-release.',
  },
  'os.epoch_exhausted': {
    gate: 'reconstruction',
    message: 'precheck: the boot epoch cannot be counted further',
    remedy: 'A record was edited: correct boot_epoch in bootstrap/ and epoch/ to the true count.',
  },
  'manifest.verify_key_missing': {
    gate: 'reconstruction',
    message: 'precheck: manifest verify key missing on reconstruction path',
    remedy: 'Place the raw 32-byte Ed25519 public key at identity/manifest-verify.pub.',
  },
  'manifest.verify_key_invalid': {
    gate: 'reconstruction',
    message: 'precheck: manifest verify key is not a usable Ed25519 public key',
    remedy: 'Restore identity/manifest-verify.pub: raw, exactly 32 bytes, a key you generated.',
  },
  'manifest.missing': {
    gate: 'reconstruction',
    message: 'precheck: runtime manifest missing on reconstruction path',
    remedy: 'Ship runtime/manifest.json together with its signature.',
  },
  'manifest.unreadable': {
    gate: 'reconstruction',
    message: 'precheck: runtime manifest, signature or key cannot be read',
    remedy: 'Make it a regular file of the expected size that edged may read.',
  },
  'manifest.signature_missing': {
    gate: 'reconstruction',
    message: 'precheck: manifest signature missing on reconstruction path',
    remedy: 'Sign the manifest (`edged sign`) and ship runtime/manifest.json.sig beside it.',
  },
  'manifest.signature_invalid': {
    gate: 'reconstruction',
    message: 'precheck: manifest signature verification failed',
    remedy: 'Sign exactly these manifest bytes with the key whose public half is on the device.',
  },
  'manifest.invalid': {
    gate: 'reconstruction',
    message: 'precheck: runtime manifest is invalid',
    remedy: 'Correct the manifest as listed and sign it again (`edged verify` checks it).',
  },
  'manifest.signatures_too_few': {
    gate: 'reconstruction',
    message: 'precheck: fewer keys have signed the manifest than the keyring asks for',
    remedy: 'Let another key sign, and ship its signature as runtime/manifest.json.sig.NAME.',
  },
  'manifest.rolled_back': {
    gate: 'reconstruction',
    message: 'precheck: runtime manifest is older than one accepted before',
    remedy: 'Ship the newest manifest; to go back on purpose, sign the old one with a new serial.',
  },
  'manifest.expired': {
    gate: 'reconstruction',
    message: 'precheck: runtime manifest has expired',
    remedy: 'Sign the manifest again with a later not_after; check the clock.',
  },
  'manifest.wrong_audience': {
    gate: 'reconstruction',
    message: 'precheck: runtime manifest is for other devices',
    remedy: 'Ship a manifest whose audience names the edge_domain_id of this device.',
  },
  'manifest.stale': {
    gate: 'reconstruction',
    message: 'precheck: runtime manifest has served longer than its signer allows',
    remedy: 'Ship a newly signed manifest (any change of its bytes starts the count afresh).',
  },
  'trust.keyring_invalid': {
    gate: 'reconstruction',
    message: 'precheck: keyring cannot be used',
    remedy: 'Correct the keyring file; `edged keys list` shows what is read from where.',
  },
  'trust.keyring_required': {
    gate: 'reconstruction',
    message: 'precheck: the config requires a keyring and none is installed',
    remedy: 'Install a keyring in /usr/lib/edged/keyring.d or /etc/edged/keyring.d.',
  },
  'trust.verify_key_unexpected': {
    gate: 'reconstruction',
    message: 'precheck: manifest verify key is not the one that the config expects',
    remedy: 'Restore identity/manifest-verify.pub, or correct trust.verify_key_digest.',
  },
  'trust.update_refused': {
    gate: 'reconstruction',
    message: 'precheck: keyring update refused',
    remedy: 'Let enough keys of both keyrings sign it; try it first with `edged keys rehearse`.',
  },
  'trust.rolled_back': {
    gate: 'reconstruction',
    message: 'precheck: keyring is older than one relied on before',
    remedy: 'Put the keyring updates back into identity/keyring/, every version of them.',
  },
  'operation.path_forbidden': {
    gate: 'reconstruction',
    message: 'precheck: operation path holds a forbidden character',
    remedy: 'Use plain path names without shell metacharacters, quotes or control characters.',
  },
  'operation.src_outside': {
    gate: 'reconstruction',
    message: 'precheck: operation src is outside its allowed directory',
    remedy: 'Put the file under runtime/binaries/ (verify_config: under the state root).',
  },
  'operation.dst_outside': {
    gate: 'reconstruction',
    message: 'precheck: operation dst is outside the state root',
    remedy: 'Choose a dst inside the state root; no symlink may lead out of it.',
  },
  'operation.dst_protected': {
    gate: 'reconstruction',
    message: 'precheck: operation dst is reserved',
    remedy: 'Choose a dst outside identity/, bootstrap/, epoch/, edge/ and the runtime sources.',
  },
  'operation.dst_duplicate': {
    gate: 'reconstruction',
    message: 'precheck: two operations have the same dst',
    remedy: 'Give every operation a dst of its own, none inside another.',
  },
  'operation.dst_unusable': {
    gate: 'reconstruction',
    message: 'precheck: operation dst cannot be replaced',
    remedy: 'The dst must be a regular file or absent, and every parent a directory.',
  },
  'operation.src_missing': {
    gate: 'reconstruction',
    message: 'precheck: operation src does not exist',
    remedy: 'Ship the file into runtime/binaries/, or correct src in the manifest.',
  },
  'operation.src_unusable': {
    gate: 'reconstruction',
    message: 'precheck: operation src is not a readable regular file',
    remedy: 'Make src a regular file that edged may read.',
  },
  'operation.hash_mismatch': {
    gate: 'reconstruction',
    message: 'precheck: operation src does not have the expected hash',
    remedy: 'Ship the file that the manifest was made for, or sign a manifest for this file.',
  },
  'operation.wrong_machine': {
    gate: 'reconstruction',
    message: 'precheck: operation src is an executable for another machine',
    remedy: 'Ship a build for the architecture of this device.',
  },
  'operation.cannot_run': {
    gate: 'reconstruction',
    message: 'precheck: operation dst could not be run',
    remedy: 'Give it an executable mode, and the state root a mount without noexec.',
  },
  'operation.src_changed': {
    gate: 'reconstruction',
    message: 'precheck: operation src changed while it was read',
    remedy: 'Let whatever writes into runtime/binaries/ finish before the device reboots.',
  },
  'operation.xattr_refused': {
    gate: 'reconstruction',
    message: 'precheck: an extended attribute cannot be set',
    remedy: 'Install setfattr(1) (package attr), and use a filesystem with extended attributes.',
  },
  'reconstruction.no_space': {
    gate: 'reconstruction',
    message: 'precheck: not enough free space on the state root',
    remedy: 'Free space on the persistent partition, then run precheck again.',
  },
  'reconstruction.io_error': {
    gate: 'reconstruction',
    message: 'precheck: reconstruction stopped by an input/output error',
    remedy: 'Check the disk (`dmesg`, `df`); running precheck again continues where it stopped.',
  },

  'internal.defect': {
    gate: 'defect',
    message: 'edged: internal error',
    remedy: 'Report this as a bug, with the detail shown; the agent must not start.',
  },
} as const satisfies Record<string, FailureKind>;

export type FailureCode = keyof typeof failures;

/** What was found, where: shown in the log line, never a secret. */
export type FailureDetail = Readonly<Record<string, string | number | boolean>>;

/** The one error class of the house: a refusal with a stable code. */
export class PrecheckError extends Error {
  override readonly name = 'PrecheckError';
  readonly code: FailureCode;
  /** One entry for each problem found; at least one. */
  readonly details: readonly FailureDetail[];

  constructor(
    code: FailureCode,
    detail: FailureDetail | readonly FailureDetail[] = {},
    cause?: unknown,
  ) {
    super(failures[code].message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = Array.isArray(detail) ? detail : [detail as FailureDetail];
  }

  get gate(): Gate {
    return failures[this.code].gate;
  }

  get remedy(): string {
    return failures[this.code].remedy;
  }
}
