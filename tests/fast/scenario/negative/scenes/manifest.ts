/** Gate `reconstruction`: the manifest and its signature. */
import fs from 'node:fs';
import type { TestDevice } from '@edged/testkit/device/device';
import { type Scenes, agent, flipBit, manifest } from './scene.ts';

export const manifestScenes: Scenes = {
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

function signed(device: TestDevice, text: string): void {
  device.write('state-root/runtime/manifest.json', text);
  device.signRaw();
}
