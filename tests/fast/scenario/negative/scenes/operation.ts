/** Gate `reconstruction`: operations. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { DiskError } from '@edged/host/host';
import { withDisk } from '@edged/testkit/device/faults';
import { type Scenes, agent, manifest } from './scene.ts';

export const operationScenes: Scenes = {
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
      needs: ['mkfifo'],
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
  'operation.cannot_run': [
    {
      name: 'no executable bit',
      ...manifest({ ...agent, mode: '0644', executable: true }),
    },
    {
      name: 'a source without executable bit, and no mode',
      arrange: (device) => {
        fs.chmodSync(device.inside('runtime/binaries/edge-agent'), 0o600);
        device.writeManifest([{ ...agent, executable: true }]);
      },
    },
    {
      name: 'a noexec mount',
      ...manifest({ ...agent, executable: true }),
      wrapHost: (host) => ({
        ...host,
        system: {
          ...host.system,
          mounts: () => host.system.mounts().map((mount) => ({ ...mount, noExec: true })),
        },
      }),
    },
  ],
  'operation.src_changed': [
    {
      name: 'written to while it is copied',
      wrapHost: withDisk((disk, root) => ({
        copyFile: (from, to, options) => {
          const file = path.join(root, from);
          const { size } = fs.statSync(file);
          const observe = (chunk: Uint8Array): void => {
            options.observe(chunk);
            fs.appendFileSync(file, 'more');
          };
          try {
            return disk.copyFile(from, to, { ...options, observe });
          } finally {
            fs.truncateSync(file, size);
          }
        },
      })),
    },
  ],
  'operation.xattr_refused': [
    {
      name: 'a filesystem without them',
      ...manifest({ ...agent, xattrs: { 'user.origin': '6564676564' } }),
      wrapHost: withDisk(() => ({
        copyFile: () => {
          throw new DiskError('setxattr', 'user.origin', 'ENOTSUP');
        },
      })),
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
