/** Gate `reconstruction`: the manifest and its signature. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { TestDevice } from '@edged/testkit/device/device';
import { type Scenes, agent, flipBit, inProcess, manifest } from './scene.ts';

/** What reads like an empty file, or not at all. */
const noFiles: Readonly<Record<string, (file: string) => void>> = {
  'a named pipe': (file) => execFileSync('mkfifo', [file]),
  'a directory': (file) => fs.mkdirSync(file),
  'a socket': (file) => {
    const listen = "require('net').createServer().listen(process.argv[1], () => process.exit())";
    execFileSync(process.execPath, ['-e', listen, file]);
  },
};

export const manifestScenes: Scenes = {
  'os.identity_missing': [
    {
      name: 'neither os-release',
      wrapHost: (host) => ({ ...host, system: { ...host.system, readImageFile: () => undefined } }),
    },
  ],
  'os.identity_unusable': [
    ...['etc/os-release', 'usr/lib/os-release'].flatMap((file) =>
      Object.entries(noFiles).map(([name, make]) => ({
        name: `${name} as /${file}`,
        needs: ['mkfifo'] as const,
        wrapHost: inProcess,
        arrange: (device: TestDevice) => {
          fs.rmSync(path.join(device.directory, 'os', file));
          make(path.join(device.directory, 'os', file));
        },
      })),
    ),
    {
      name: 'a named pipe that fingerprint.files names',
      needs: ['mkfifo'],
      wrapHost: inProcess,
      arrange: (device) => {
        execFileSync('mkfifo', [path.join(device.directory, 'os/image-id')]);
        device.editConfig((text) => `${text}fingerprint: {profile: image, files: [/image-id]}\n`);
      },
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

function signed(device: TestDevice, text: string): void {
  device.write('state-root/runtime/manifest.json', text);
  device.signRaw();
}
