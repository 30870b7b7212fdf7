/**
 * What every field of a runtime manifest, and of a keyring, is for. Which fields there are, and
 * which must be there, the parser says: a test holds these tables against its schema and feeds it
 * every `example`.
 */

export interface ManifestField {
  readonly describe: string;
  /** A value that the parser takes. */
  readonly example: unknown;
}

type Fields = Readonly<Record<string, ManifestField>>;

export const manifestFields: Fields = {
  version: { describe: 'The string `"1"`.', example: '1' },
  binary_path: {
    describe:
      'The file in `runtime/binaries/` whose hash goes into the evidence; without it `edged`.',
    example: 'edge-agent',
  },
  operations: { describe: 'What is installed and checked; may be empty.', example: [] },
  serial: {
    describe:
      'A whole number from 0, never lower than the highest that the device has accepted. Once ' +
      'one was accepted, a manifest without `serial` is refused.',
    example: 7,
  },
  issued_at: {
    describe:
      'RFC 3339, UTC. It has passed for certain: the clock of the device is never taken to be ' +
      'earlier.',
    example: '2027-01-01T00:00:00Z',
  },
  not_after: {
    describe: 'RFC 3339, UTC. Nothing is installed any more after that.',
    example: '2028-01-01T00:00:00Z',
  },
  audience: {
    describe:
      'Names of devices (`identity.edge_domain_id`), or globs of them (`*`, `?`). If none of ' +
      'them matches, the manifest is refused.',
    example: ['edge-*'],
  },
  max_boots_since_accept: {
    describe:
      'In how many boots these bytes may begin an epoch, from the boot of their acceptance on. ' +
      'While it is set, every boot writes its count, once.',
    example: 100,
  },
  max_epochs: {
    describe: 'How many epochs these bytes may begin, the first included.',
    example: 3,
  },
};

const hash: ManifestField = {
  describe: 'BLAKE3-256 of the file: 64 hexadecimal digits, `blake3:` before them or not.',
  example: `blake3:${'af1349b9'.repeat(8)}`,
};

export const operationFields = {
  copy_binary: {
    op: { describe: 'Installs one file.', example: 'copy_binary' },
    src: { describe: 'A regular file below `runtime/binaries/`.', example: 'runtime/binaries/a' },
    dst: {
      describe: 'Where it is installed: below the state root, in none of the reserved places.',
      example: 'runtime/bin/a',
    },
    hash,
    mode: {
      describe:
        'A string of three octal digits, a leading 0 or not; without it the mode of src. Never ' +
        'setuid, setgid or sticky.',
      example: '0755',
    },
    executable: {
      describe:
        'If true, it must be possible to run dst: no executable bit or a `noexec` mount is then ' +
        'a refusal. Without it that is a warning for ELF files and scripts. An ELF file for ' +
        'another machine is always refused.',
      example: true,
    },
    xattrs: {
      describe:
        'Extended attributes, their values in hexadecimal; `user.*` and `security.selinux` only. ' +
        'Needs setfattr(1). Those of src are not copied.',
      example: { 'user.origin': '6564' },
    },
  },
  verify_config: {
    op: { describe: 'Checks that one file can be read.', example: 'verify_config' },
    src: { describe: 'A regular file in the state root.', example: 'bootstrap/config.yaml' },
    hash,
  },
} as const satisfies Record<string, Fields>;

/** What every field of a keyring is for; a test holds the names against the schema. */
export const keyringFields: Readonly<Record<string, string>> = {
  schema: 'The string `"edged.keyring.v1"`.',
  version: 'A whole number from 1, which is the default; of several files the highest counts.',
  'keys[].public_key': 'The raw key, 64 lower-case hex digits.',
  'keys[].roles':
    'Optional: `manifest`, the default, signs manifests, `keyring` signs the next keyring.',
  'keys[].name': 'Optional, for people.',
  thresholds:
    'Optional: how many different keys must have signed a `manifest` and a `keyring`, 1 each; ' +
    'of several files the highest counts.',
  revoked: 'Optional: ids of keys, as `edged keys id` prints them; those of all files count.',
  minimum_serial: 'Optional: no manifest below it is accepted, whatever the device remembers.',
};
