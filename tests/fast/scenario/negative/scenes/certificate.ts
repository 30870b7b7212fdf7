/** Gate `certificate`. */
import { createPrivateKey } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { type Scenes, config, inProcess } from './scene.ts';

export const certificateScenes: Scenes = {
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
      arrange: (device) => {
        const form = { type: 'pkcs8', format: 'pem' } as const;
        const secret = { cipher: 'aes-256-cbc', passphrase: 'a' };
        const key = createPrivateKey(device.read('edge.key'));
        device.write('edge.key', key.export({ ...form, ...secret }));
      },
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
      name: 'validity begins tomorrow, and the clock is synchronised',
      arrange: async (device) => {
        device.write('os/run/systemd/timesync/synchronized', '');
        await device.issueCertificate(90, Date.now() + 2 * 86_400_000);
      },
      wrapHost: inProcess,
    },
  ],
  'certificate.expired': [
    {
      name: 'ended yesterday',
      arrange: (device) => device.issueCertificate(1, Date.now() - 2 * 86_400_000),
    },
    {
      name: 'ended before the records were written, with the clock put back to 1970',
      arrange: (device) => device.issueCertificate(1, Date.parse('2026-10-01')),
      wrapHost: (host) => ({ ...host, clock: { ...host.clock, wallMilliseconds: () => 0 } }),
    },
  ],
  'certificate.expires_soon': [
    { name: 'six days left', arrange: (device) => device.issueCertificate(6) },
    { name: 'seven days left', arrange: (device) => device.issueCertificate(7) },
    {
      name: 'three months left, where the config asks for more',
      arrange: async (device) => {
        await device.issueCertificate(90);
        device.editConfig((text) => `${text}certificate:\n  fail_within_days: 120\n`);
      },
    },
  ],
  'certificate.rotation_failed': [
    { name: '--rotate-certs without ca_key_file', args: ['--rotate-certs'] },
    {
      name: 'the key of another CA',
      args: ['--rotate-certs'],
      arrange: async (device) => {
        const [cert, key] = [device.read('edge.crt'), device.read('edge.key')];
        await device.issueCertificate(90);
        device.write('ca.key', device.read('edge.key'));
        device.write('ca.crt', cert);
        device.write('edge.crt', cert);
        device.write('edge.key', key);
        device.editConfig((text) =>
          text.replace(/ca_file: .*/, 'ca_file: ca.crt\n  ca_key_file: ca.key'),
        );
      },
    },
    {
      name: 'an identity that the CA never issued',
      args: ['--rotate-certs'],
      arrange: async (device) => {
        device.write('ca.crt', device.read('edge.crt'));
        device.write('ca.key', device.read('edge.key'));
        await device.issueCertificate(90);
        device.editConfig((text) =>
          text.replace(/ca_file: .*/, 'ca_file: ca.crt\n  ca_key_file: ca.key'),
        );
      },
    },
  ],
};
