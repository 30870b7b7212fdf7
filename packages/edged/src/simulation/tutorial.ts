/** Tutorial 04 as data: what happens to the device, and what its next boot must show. */
import fs from 'node:fs';
import type { SimulatedDevice } from './device.ts';

export interface Step {
  readonly title: string;
  /** What happens before the boot. */
  readonly happens: (device: SimulatedDevice) => void | Promise<void>;
  readonly exitCode: number;
  /** As the stored fingerprint says after the boot; undefined: there is none. */
  readonly bootEpoch: number | undefined;
  /** A text that a log line of the boot must hold. */
  readonly says?: string;
  /** True: apart from the log, the boot must not leave a trace in the state root. */
  readonly changesNothing?: boolean;
  /** One more thing that must hold after the boot. */
  readonly holds?: readonly [what: string, (device: SimulatedDevice) => boolean];
}

const kernelA = '6.1.0-18-amd64';
const kernelB = '6.1.0-21-amd64';
const verifyKey = 'identity/manifest-verify.pub';
const fingerprint = 'state-root/bootstrap/os_fingerprint.json';

export const tutorial: readonly Step[] = [
  {
    title: 'First boot of a new device, image 1.0',
    happens: (device) => device.flash({ name: '1.0', kernelRelease: kernelA }),
    exitCode: 0,
    bootEpoch: 0,
    says: 'edge.os.fingerprint_initialized',
  },
  {
    title: 'Reboot, nothing has changed',
    happens: () => undefined,
    exitCode: 0,
    bootEpoch: 0,
    changesNothing: true,
  },
  {
    title: 'The OS is replaced: image 2.0, new kernel',
    happens: (device) => device.flash({ name: '2.0', kernelRelease: kernelB }),
    exitCode: 0,
    bootEpoch: 1,
    says: 'edge.os.reconstruction_completed',
    holds: [
      'agent restored, its data untouched, evidence of both epochs',
      (device) =>
        device.read('state-root/runtime/bin/edge-agent') ===
          device.read('state-root/runtime/binaries/edge-agent') &&
        device.read('state-root/edge/segments/0001.seg') === 'the data of the agent\n' &&
        epochOf(device, 'current') === 1 &&
        epochOf(device, 'previous') === 0,
    ],
  },
  {
    title: 'Only the kernel is replaced',
    happens: (device) => device.flash({ name: '2.0', kernelRelease: '6.12.9-amd64' }),
    exitCode: 0,
    bootEpoch: 2,
    says: 'changed="uname_release"',
  },
  {
    title: 'The stored hash is edited to "ffff0000"',
    happens: (device) => editHash(device, 'ffff0000'),
    exitCode: 0,
    bootEpoch: 3,
    says: 'previous_hash="ffff0000"',
  },
  {
    title: 'The stored fingerprint is deleted: lost, not new',
    happens: (device) => fs.rmSync(device.inside('bootstrap/os_fingerprint.json')),
    exitCode: 0,
    bootEpoch: 4,
    says: 'edge.os.fingerprint_lost',
  },
  {
    title: 'Image 3.0, but the verify key is gone',
    happens: (device) => {
      device.flash({ name: '3.0', kernelRelease: kernelB });
      fs.renameSync(device.inside(verifyKey), `${device.directory}/saved.pub`);
    },
    exitCode: 5,
    bootEpoch: 4,
    says: 'precheck: manifest verify key missing on reconstruction path',
    changesNothing: true,
  },
  {
    title: 'The key is back, one bit of the signature is flipped',
    happens: (device) => {
      fs.renameSync(`${device.directory}/saved.pub`, device.inside(verifyKey));
      const signature = fs.readFileSync(device.inside('runtime/manifest.json.sig'));
      signature.writeUInt8(signature.readUInt8(0) ^ 1, 0);
      fs.writeFileSync(device.inside('runtime/manifest.json.sig'), signature);
    },
    exitCode: 5,
    bootEpoch: 4,
    says: 'precheck: manifest signature verification failed',
    changesNothing: true,
  },
  {
    title: 'The manifest is signed again',
    happens: (device) => device.sign(),
    exitCode: 0,
    bootEpoch: 5,
    says: 'edge.os.reconstruction_completed',
  },
  {
    title: 'A key of the config is misspelt',
    happens: (device) =>
      device.write('edge.toml', device.read('edge.toml').replace('quota:', 'qouta:')),
    exitCode: 1,
    bootEpoch: 5,
    says: 'did_you_mean="quota"',
    changesNothing: true,
  },
  {
    title: 'The persistent partition is not mounted',
    happens: (device) => {
      device.write('edge.toml', device.read('edge.toml').replace('qouta:', 'quota:'));
      fs.renameSync(device.stateRoot, `${device.stateRoot}.unmounted`);
    },
    exitCode: 2,
    bootEpoch: undefined,
    says: 'state_root.missing',
  },
  {
    title: 'It is mounted again, the certificate ends in three days',
    happens: async (device) => {
      fs.renameSync(`${device.stateRoot}.unmounted`, device.stateRoot);
      await device.issueCertificate(3);
    },
    exitCode: 3,
    bootEpoch: 5,
    says: 'certificate.expires_soon',
    changesNothing: true,
  },
  {
    title: 'The certificate is renewed',
    happens: (device) => device.issueCertificate(365),
    exitCode: 0,
    bootEpoch: 5,
    changesNothing: true,
  },
];

function editHash(device: SimulatedDevice, hash: string): void {
  const stored = device.read(fingerprint);
  device.write(
    fingerprint,
    stored.replace(/"composite_hash": "[^"]*"/, `"composite_hash": "${hash}"`),
  );
}

function epochOf(device: SimulatedDevice, directory: 'current' | 'previous'): number {
  const evidence = device.read(`state-root/epoch/${directory}/evidence.json`);
  return (JSON.parse(evidence) as { os_fingerprint: { boot_epoch: number } }).os_fingerprint
    .boot_epoch;
}
