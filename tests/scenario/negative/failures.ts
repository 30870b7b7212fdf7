/**
 * Every failure code, each provoked on a device. The default scene is a device in epoch 0 whose OS
 * was just replaced; the default expectation is that nothing in the state root has changed.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { DiskError, type Host, LockUnavailable } from '@edged/host/host';
import type { FailureCode } from '@edged/model/failure';
import type { CommandOptions } from '@edged/testkit/built-command';
import type { TestDevice } from '@edged/testkit/device';
import { failing, withDisk } from '@edged/testkit/faults';

export interface Scene {
  readonly name: string;
  readonly arrange?: (device: TestDevice) => void | Promise<void>;
  /** Run in this process, with this fault between precheck and the machine. */
  readonly wrapHost?: (host: Host) => Host;
  /** With `wrapHost`: the mount check is on. */
  readonly mountCheck?: boolean;
  readonly options?: CommandOptions;
  readonly args?: readonly string[];
  /** The failure of another command than precheck. */
  readonly command?: (device: TestDevice) => readonly string[];
  /** Needs root: ownership, other users. */
  readonly asRoot?: boolean;
}

const agent = { op: 'copy_binary', src: 'runtime/binaries/edge-agent', dst: 'runtime/bin/agent' };
const withMountCheck: CommandOptions = { environment: {} };
const nobody = 65_534;

function config(edit: (text: string) => string): Pick<Scene, 'arrange'> {
  return { arrange: (device) => device.editConfig(edit) };
}

function manifest(...operations: unknown[]): Pick<Scene, 'arrange'> {
  return { arrange: (device) => device.writeManifest(operations) };
}

function openssl(device: TestDevice, ...args: readonly string[]): void {
  execFileSync('openssl', args, { cwd: device.directory, stdio: 'ignore' });
}

function flipBit(device: TestDevice, relative: string, bit: number): void {
  const bytes = fs.readFileSync(device.inside(relative));
  bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
  fs.writeFileSync(device.inside(relative), bytes);
}

const certificateScenes: Partial<Record<FailureCode, readonly Scene[]>> = {
  'certificate.unreadable': [
    {
      name: 'cert_file absent',
      arrange: (device) => fs.rmSync(path.join(device.directory, 'edge.crt')),
    },
    {
      name: 'key_file absent',
      arrange: (device) => fs.rmSync(path.join(device.directory, 'edge.key')),
    },
    {
      name: 'ca_file absent',
      ...config((text) => text.replace(/ca_file: .*/, 'ca_file: /nowhere')),
    },
  ],
  'certificate.malformed': [
    { name: 'text in cert_file', arrange: (device) => device.write('edge.crt', 'no certificate') },
    {
      name: 'damaged base64',
      arrange: (device) =>
        device.write('edge.crt', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'),
    },
    { name: 'empty file after a power cut', arrange: (device) => device.write('edge.crt', '') },
  ],
  'certificate.key_malformed': [
    { name: 'text in key_file', arrange: (device) => device.write('edge.key', 'no key') },
  ],
  'certificate.key_encrypted': [
    {
      name: 'PKCS#8 with passphrase',
      arrange: (device) =>
        openssl(device, 'pkcs8', '-topk8', '-in', 'edge.key', '-out', 'x', '-passout', 'pass:a') ??
        fs.renameSync(path.join(device.directory, 'x'), path.join(device.directory, 'edge.key')),
    },
  ],
  'certificate.key_mismatch': [
    {
      name: 'key of another pair',
      arrange: async (device) => {
        const certificate = device.read('edge.crt');
        await device.issueCertificate(90);
        device.write('edge.crt', certificate);
      },
    },
  ],
  'certificate.ca_mismatch': [
    {
      name: 'a CA that did not issue it',
      arrange: async (device) => {
        device.write('ca.crt', device.read('edge.crt'));
        await device.issueCertificate(90);
        device.editConfig((text) => text.replace(/ca_file: .*/, `ca_file: ca.crt`));
      },
    },
  ],
  'certificate.not_yet_valid': [
    {
      name: 'validity begins tomorrow',
      arrange: (device) => device.issueCertificate(90, Date.now() + 2 * 86_400_000),
    },
  ],
  'certificate.expired': [
    { name: 'ended yesterday', arrange: (device) => device.issueCertificate(-1) },
    {
      name: 'ended yesterday, with the clock put back to 1970',
      arrange: (device) => device.issueCertificate(1, Date.parse('2026-11-01')),
      wrapHost: (host) => ({ ...host, clock: { ...host.clock, wallMilliseconds: () => 0 } }),
    },
  ],
  'certificate.expires_soon': [
    { name: 'six days left', arrange: (device) => device.issueCertificate(6) },
    { name: 'seven days left', arrange: (device) => device.issueCertificate(7) },
  ],
  'certificate.rotation_unavailable': [{ name: '--rotate-certs', args: ['--rotate-certs'] }],
};

const configScenes: Partial<Record<FailureCode, readonly Scene[]>> = {
  'config.usage': [
    { name: 'no --config', command: () => ['precheck'] },
    { name: '--config without value', command: () => ['precheck', '--config'] },
    { name: 'unknown flag', args: ['--bogus'] },
    { name: 'unknown level', args: ['--log-level', 'loud'] },
    { name: 'unknown command', command: () => ['prechek'] },
    { name: 'no command', command: () => [] },
  ],
  'config.unreadable': [
    { name: 'absent', command: () => ['precheck', '--config', '/nowhere/edge.toml'] },
    { name: 'a directory', command: (device) => ['precheck', '--config', device.directory] },
  ],
  'config.too_large': [{ name: 'over 1 MiB', ...config((text) => text + '#'.repeat(1_048_576)) }],
  'config.not_utf8': [
    {
      name: 'latin-1',
      arrange: (device) => fs.appendFileSync(device.config, Buffer.from('# gr\u00fcn\n', 'latin1')),
    },
  ],
  'config.syntax': [
    { name: 'duplicate key', ...config((text) => `${text}schema: v1\n`) },
    { name: 'broken YAML', ...config((text) => text.replace('identity:', 'identity: [')) },
    { name: 'unknown tag', ...config((text) => text.replace('schema: v1', 'schema: !x v1')) },
    { name: 'broken TOML', ...config(() => '[identity\nedge_domain_id = "x"\n') },
    {
      name: 'anchors bomb',
      ...config(() =>
        ['a0: &a0 [x, x]']
          .concat(Array.from({ length: 30 }, (_, n) => `a${n + 1}: &a${n + 1} [*a${n}, *a${n}]`))
          .join('\n'),
      ),
    },
  ],
  'config.invalid': [
    { name: 'missing section', ...config((text) => text.replace(/quota:\n(?: {2}.*\n)*/, '')) },
    { name: 'missing key', ...config((text) => text.replace(/ {2}listen_addr:.*\n/, '')) },
    { name: 'unknown key', ...config((text) => text.replace('mode:', 'moode:')) },
    {
      name: 'wrong type',
      ...config((text) => text.replace(/window_seconds: 60/, 'window_seconds: "60"')),
    },
    { name: 'out of range', ...config((text) => text.replace('fraction: 0.8', 'fraction: 1.5')) },
    { name: 'short salt', ...config((text) => text.replace(/fleet_salt: .*/, 'fleet_salt: abcd')) },
    { name: 'empty file', ...config(() => '') },
    { name: 'a list', ...config(() => '- 1\n') },
  ],
  'config.input_unusable': [
    {
      name: 'sign with a key of the wrong size',
      arrange: (device) => device.write('bad.key', 'short'),
      command: (device) => [
        'sign',
        device.inside('runtime/manifest.json'),
        '--key',
        `${device.directory}/bad.key`,
      ],
    },
    { name: 'sign without a manifest', command: () => ['sign', '/nowhere', '--key', '/nowhere'] },
  ],
  'config.output_exists': [
    { name: 'keygen over a key', command: (device) => ['keygen', `${device.directory}/keys`] },
  ],
};

const stateRootScenes: Partial<Record<FailureCode, readonly Scene[]>> = {
  'state_root.not_absolute': [
    { name: 'relative', ...config((text) => text.replace(/^ {2}root: .*/m, '  root: state-root')) },
  ],
  'state_root.missing': [
    {
      name: 'absent',
      ...config((text) => text.replace(/^ {2}root: .*/m, '  root: /nowhere/at/all')),
    },
  ],
  'state_root.not_a_directory': [
    { name: 'a file', ...config((text) => text.replace(/^ {2}root: .*/m, '  root: /etc/passwd')) },
  ],
  'state_root.is_filesystem_root': [
    { name: '/', ...config((text) => text.replace(/^ {2}root: .*/m, '  root: /')) },
    { name: '/..', ...config((text) => text.replace(/^ {2}root: .*/m, '  root: /usr/..')) },
  ],
  'state_root.world_writable': [
    { name: 'mode 0777', arrange: (device) => fs.chmodSync(device.stateRoot, 0o777) },
  ],
  'state_root.wrong_owner': [
    {
      name: 'of user 12345',
      asRoot: true,
      arrange: (device) => fs.chownSync(device.stateRoot, 12_345, 0),
    },
  ],
  'state_root.not_writable': [
    {
      name: 'run by nobody',
      asRoot: true,
      arrange: (device) => fs.chmodSync(device.directory, 0o755),
      options: { userId: nobody, environment: { EDGE_STATE_ROOT_SKIP_MOUNT_CHECK: '1' } },
    },
  ],
  'state_root.read_only': [
    {
      name: 'read-only mount, and the OS was replaced',
      wrapHost: (host) => ({
        ...host,
        inspectDirectory: (name) => {
          const found = host.inspectDirectory(name);
          return found && { ...found, access: 'read_only_mount' };
        },
      }),
    },
  ],
  'state_root.ephemeral_filesystem': [
    {
      name: 'tmpfs',
      options: withMountCheck,
      arrange: (device) => {
        fs.mkdirSync(`/dev/shm/${path.basename(device.directory)}`);
        device.removeLater(`/dev/shm/${path.basename(device.directory)}`);
        device.editConfig((text) =>
          text.replace(/^ {2}root: .*/m, `  root: /dev/shm/${path.basename(device.directory)}`),
        );
      },
    },
    {
      name: 'proc',
      options: withMountCheck,
      ...config((text) => text.replace(/^ {2}root: .*/m, '  root: /proc/sys')),
    },
    {
      name: 'EDGE_STATE_ROOT_SKIP_MOUNT_CHECK=true is not 1',
      options: { environment: { EDGE_STATE_ROOT_SKIP_MOUNT_CHECK: 'true' } },
      ...config((text) => text.replace(/^ {2}root: .*/m, '  root: /proc/sys')),
    },
  ],
  'state_root.on_root_filesystem': [
    {
      name: 'same mount as /',
      mountCheck: true,
      wrapHost: mounted('ext4', '1 0 8:1 / / rw - ext4 /dev/sda1 rw'),
    },
    {
      name: 'bind mount of a directory of the root filesystem',
      mountCheck: true,
      wrapHost: mounted(
        'ext4',
        '1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 8:1 /x /tmp rw - ext4 /dev/sda1 rw',
      ),
    },
  ],
  'state_root.mounts_unreadable': [
    {
      name: 'no /proc',
      mountCheck: true,
      wrapHost: (host) => ({
        ...host,
        system: {
          ...host.system,
          mounts: () => {
            throw new DiskError('read', '/proc/self/mountinfo', 'ENOENT');
          },
        },
      }),
    },
  ],
  'state_root.wrong_disk': [
    {
      name: 'expected_uuid of a disk that is not there',
      arrange: (device) => device.editConfig((text) => `${text}  expected_uuid: 0000-0000\n`),
      mountCheck: true,
      wrapHost: mounted(
        'ext4',
        '1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 8:2 / /tmp rw - ext4 /dev/sda2 rw',
      ),
    },
  ],
  'state_root.locked': [
    { name: 'held by a live process', wrapHost: (host) => ({ ...host, tryLock: () => undefined }) },
  ],
  'state_root.lock_unavailable': [
    {
      name: 'no flock(1)',
      wrapHost: (host) => ({
        ...host,
        tryLock: () => {
          throw new LockUnavailable('flock(1) did not start');
        },
      }),
    },
  ],
  'state_root.io_error': [
    {
      name: 'the fingerprint cannot be read',
      wrapHost: withDisk(() => ({
        readFile: (name) => {
          throw new DiskError('read', name, 'EIO');
        },
      })),
    },
  ],
};

const manifestScenes: Partial<Record<FailureCode, readonly Scene[]>> = {
  'os.identity_missing': [
    {
      name: 'neither os-release',
      wrapHost: (host) => ({ ...host, system: { ...host.system, readImageFile: () => undefined } }),
    },
  ],
  'os.epoch_exhausted': [
    {
      name: 'a fingerprint edited to the end of counting',
      arrange: (device) => device.editFingerprint({ boot_epoch: Number.MAX_SAFE_INTEGER - 1 }),
    },
  ],
  'manifest.verify_key_missing': [
    {
      name: 'Precheck_ExitCode5_MissingManifestVerifyKey',
      arrange: (device) => fs.rmSync(device.inside('identity/manifest-verify.pub')),
    },
  ],
  'manifest.verify_key_invalid': [
    {
      name: 'all zero, with an all-zero signature',
      arrange: (device) => {
        fs.writeFileSync(device.inside('identity/manifest-verify.pub'), Buffer.alloc(32));
        fs.writeFileSync(device.inside('runtime/manifest.json.sig'), Buffer.alloc(64));
      },
    },
    {
      name: '33 bytes',
      arrange: (device) => fs.appendFileSync(device.inside('identity/manifest-verify.pub'), 'x'),
    },
    {
      name: 'empty',
      arrange: (device) => fs.truncateSync(device.inside('identity/manifest-verify.pub')),
    },
  ],
  'manifest.missing': [
    { name: 'absent', arrange: (device) => fs.rmSync(device.inside('runtime/manifest.json')) },
  ],
  'manifest.unreadable': [
    {
      name: 'a symlink',
      arrange: (device) => {
        fs.renameSync(device.inside('runtime/manifest.json'), device.inside('runtime/m'));
        fs.symlinkSync('m', device.inside('runtime/manifest.json'));
      },
    },
  ],
  'manifest.signature_missing': [
    { name: 'absent', arrange: (device) => fs.rmSync(device.inside('runtime/manifest.json.sig')) },
  ],
  'manifest.signature_invalid': [
    {
      name: 'Precheck_InvalidSig_Exit5: zeros',
      arrange: (device) =>
        fs.writeFileSync(device.inside('runtime/manifest.json.sig'), Buffer.alloc(64)),
    },
    {
      name: 'first bit of the signature',
      arrange: (device) => flipBit(device, 'runtime/manifest.json.sig', 0),
    },
    {
      name: 'last bit of the signature',
      arrange: (device) => flipBit(device, 'runtime/manifest.json.sig', 511),
    },
    {
      name: 'a bit of the manifest',
      arrange: (device) => flipBit(device, 'runtime/manifest.json', 100),
    },
    {
      name: 'truncated signature',
      arrange: (device) => fs.truncateSync(device.inside('runtime/manifest.json.sig'), 63),
    },
    {
      name: 'a signature in base64',
      arrange: (device) => device.write('state-root/runtime/manifest.json.sig', 'A'.repeat(88)),
    },
  ],
  'manifest.invalid': [
    { name: 'unknown op', ...manifest({ op: 'run', src: 'x' }) },
    { name: 'unknown field', ...manifest({ ...agent, owner: 'root' }) },
    { name: 'setuid mode', ...manifest({ ...agent, mode: '4755' }) },
    { name: 'no operations', arrange: (device) => signed(device, '{"version":"1"}') },
    { name: 'version 2', arrange: (device) => signed(device, '{"version":"2","operations":[]}') },
    {
      name: 'duplicate key',
      arrange: (device) => signed(device, '{"version":"1","operations":[],"operations":[]}'),
    },
    { name: 'not JSON', arrange: (device) => signed(device, 'version: 1') },
    { name: 'too large', arrange: (device) => signed(device, ' '.repeat(1_048_577)) },
  ],
};

const operationScenes: Partial<Record<FailureCode, readonly Scene[]>> = {
  'operation.path_forbidden': [
    { name: 'semicolon', ...manifest({ ...agent, dst: 'runtime/bin/a;b' }) },
    { name: 'newline', ...manifest({ ...agent, src: 'runtime/binaries/a\nb' }) },
  ],
  'operation.src_outside': [
    {
      name: 'RunReconstruction_SrcOutsideBinaries_Rejected',
      ...manifest({ ...agent, src: 'runtime/manifest.json' }),
    },
    { name: 'an absolute path', ...manifest({ ...agent, src: '/etc/passwd' }) },
    { name: 'dots', ...manifest({ ...agent, src: 'runtime/binaries/../../../../etc/passwd' }) },
    {
      name: 'a symlink out of binaries',
      arrange: (device) => {
        fs.symlinkSync('/etc/passwd', device.inside('runtime/binaries/link'));
        device.writeManifest([{ ...agent, src: 'runtime/binaries/link' }]);
      },
    },
    { name: 'verify_config outside', ...manifest({ op: 'verify_config', src: '/etc/passwd' }) },
  ],
  'operation.src_missing': [
    { name: 'absent', ...manifest({ ...agent, src: 'runtime/binaries/none' }) },
  ],
  'operation.src_unusable': [
    {
      name: 'a FIFO',
      arrange: (device) => {
        execFileSync('mkfifo', [device.inside('runtime/binaries/fifo')]);
        device.writeManifest([{ ...agent, src: 'runtime/binaries/fifo' }]);
      },
    },
    {
      name: 'a directory',
      arrange: (device) => {
        fs.mkdirSync(device.inside('runtime/binaries/d'));
        device.writeManifest([{ ...agent, src: 'runtime/binaries/d' }]);
      },
    },
  ],
  'operation.dst_outside': [
    {
      name: 'RunReconstruction_DstOutsideStateRoot_Rejected',
      ...manifest({ ...agent, dst: '/usr/bin/agent' }),
    },
    { name: 'dots', ...manifest({ ...agent, dst: 'runtime/../../agent' }) },
    {
      name: 'a symlink out of the state root',
      arrange: (device) => {
        fs.symlinkSync('/tmp', device.inside('runtime/out'));
        device.writeManifest([{ ...agent, dst: 'runtime/out/agent' }]);
      },
    },
  ],
  'operation.dst_protected': [
    'identity/x',
    'bootstrap/x',
    'epoch/x',
    'edge/x',
    'runtime',
    'runtime/manifest.json',
    'runtime/manifest.json.sig',
    'runtime/binaries/x',
    '.precheck.lock',
    '',
  ]
    .filter((dst) => dst !== '')
    .map((dst) => ({ name: dst, ...manifest({ ...agent, dst }) })),
  'operation.dst_duplicate': [
    { name: 'twice', ...manifest(agent, { ...agent, dst: './runtime/bin//agent' }) },
    { name: 'one inside the other', ...manifest(agent, { ...agent, dst: 'runtime/bin/agent/x' }) },
  ],
  'operation.dst_unusable': [
    {
      name: 'a directory stands there',
      arrange: (device) => {
        fs.mkdirSync(device.inside('runtime/bin/agent'), { recursive: true });
        device.writeManifest([agent]);
      },
    },
    {
      name: 'a grandparent is a file',
      arrange: (device) => {
        device.write('state-root/runtime/bin', 'a file');
        device.writeManifest([{ ...agent, dst: 'runtime/bin/a/b' }]);
      },
    },
    {
      name: 'a parent is a file',
      arrange: (device) => {
        device.write('state-root/runtime/bin', 'a file');
        device.writeManifest([agent]);
      },
    },
  ],
  'operation.hash_mismatch': [
    {
      name: 'RunReconstruction_HashMismatch_Rejected',
      ...manifest({ ...agent, hash: 'ab'.repeat(32) }),
    },
    {
      name: 'the third of five',
      ...manifest(
        ...[0, 1, 2, 3, 4].map((n) => ({
          ...agent,
          dst: `runtime/bin/agent-${n}`,
          ...(n === 2 ? { hash: `blake3:${'ab'.repeat(32)}` } : {}),
        })),
      ),
    },
    {
      name: 'verify_config',
      ...manifest(agent, {
        op: 'verify_config',
        src: 'bootstrap/config.yaml',
        hash: '00'.repeat(32),
      }),
    },
  ],
  'operation.wrong_machine': [
    {
      name: 'an ELF file for another machine',
      arrange: (device) => {
        const header = Buffer.alloc(64);
        header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
        header.writeUInt16LE(process.arch === 'x64' ? 183 : 62, 18);
        fs.writeFileSync(device.inside('runtime/binaries/edge-agent'), header);
      },
    },
  ],
};

const reconstructionScenes: Partial<Record<FailureCode, readonly Scene[]>> = {
  'reconstruction.no_space': [
    { name: 'disk full', wrapHost: withDisk(() => ({ freeBytes: () => 100 })) },
  ],
  'reconstruction.io_error': [
    { name: 'a copy fails', wrapHost: failing('copyFile', 'EIO', 0).wrapHost },
    {
      name: 'the journal cannot be written',
      wrapHost: failing('createFile', 'ENOSPC', 2).wrapHost,
    },
    {
      name: 'a rename into place is not permitted',
      wrapHost: failing('rename', 'EPERM', 0).wrapHost,
    },
  ],
  'internal.defect': [
    {
      name: 'a TypeError somewhere',
      wrapHost: withDisk(() => ({
        freeBytes: () => {
          throw new TypeError('a bug');
        },
      })),
    },
  ],
};

export const scenes: Partial<Record<FailureCode, readonly Scene[]>> = {
  ...configScenes,
  ...stateRootScenes,
  ...certificateScenes,
  ...manifestScenes,
  ...operationScenes,
  ...reconstructionScenes,
};

function signed(device: TestDevice, text: string): void {
  device.write('state-root/runtime/manifest.json', text);
  device.signRaw();
}

/** The mount table as given, the state root lying where it lies; the mount check is on. */
function mounted(fsType: string, table: string): (host: Host) => Host {
  return (host) => ({
    ...host,
    system: {
      ...host.system,
      mounts: () =>
        table.split('\n').map((line) => {
          const [mountId, , device, , mountPoint] = line.split(' ');
          const source = line.split(' ').at(-2) ?? '';
          return {
            mountId: Number(mountId),
            device: device ?? '',
            mountPoint: mountPoint ?? '',
            fsType,
            source,
            readOnly: false,
            line,
          };
        }),
    },
  });
}
