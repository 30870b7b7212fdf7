/** Gate `reconstruction`: keyrings, and manifests that were good once. */
import fs from 'node:fs';
import path from 'node:path';
import type { TestDevice } from '@edged/testkit/device/device';
import { keyringJson, testKey } from '@edged/testkit/device/signing';
import { type Scene, type Scenes, agent, bootWell, config, inProcess } from './scene.ts';

const [one, two, three] = [testKey(1), testKey(2), testKey(3)];
const both = ['manifest', 'keyring'];

/** A manifest that is signed in order, with these fields, on a device that once accepted `before`. */
function signedWith(
  more: Record<string, unknown>,
  before?: Record<string, unknown>,
): Pick<Scene, 'arrange' | 'wrapHost'> {
  return {
    wrapHost: inProcess,
    arrange: async (device) => {
      if (before) {
        device.writeManifest([], before);
        device.editFingerprint({ composite_hash: '0000' });
        await bootWell(device);
        device.editFingerprint({ composite_hash: 'ffff0000' });
      }
      device.writeManifest([agent], more);
    },
  };
}

/** A device with this keyring in its OS image and a manifest that key one has signed. */
function anchored(
  keyring: string,
  arrange: (device: TestDevice) => void | Promise<void> = () => undefined,
): Pick<Scene, 'arrange' | 'wrapHost'> {
  return {
    wrapHost: inProcess,
    arrange: async (device) => {
      device.writeKeyring(keyring);
      device.signBy(one);
      await arrange(device);
    },
  };
}

const ring = keyringJson([
  { key: one, roles: both },
  { key: two, roles: both },
]);
const twoOfTwo = keyringJson([{ key: one }, { key: two }], { thresholds: { manifest: 2 } });
const nextRing = keyringJson([{ key: three, roles: both }], { version: 2 });

export const trustScenes: Scenes = {
  'manifest.signatures_too_few': [
    { name: 'one of two', ...anchored(twoOfTwo) },
    { name: 'the same key twice', ...anchored(twoOfTwo, (device) => device.signBy(one, one)) },
    {
      name: 'one key under two names',
      ...anchored(
        keyringJson([{ key: one }, { key: one }, { key: two }], { thresholds: { manifest: 2 } }),
        (device) => device.signBy(one, one),
      ),
    },
    {
      name: 'thresholds of two files: the higher counts',
      ...anchored(ring, (device) => device.writeKeyring(twoOfTwo, 'usr/lib', 'other.json')),
    },
  ],
  'manifest.rolled_back': [
    { name: 'a lower serial', ...signedWith({ serial: 6 }, { serial: 7 }) },
    { name: 'no serial where there was one', ...signedWith({}, { serial: 7 }) },
    ...['bootstrap/epoch_history.json', 'epoch/current', 'epoch/previous'].map((file) => {
      const scene = signedWith({ serial: 6 }, { serial: 7 });
      return {
        ...scene,
        name: `a lower serial, ${file} deleted`,
        arrange: async (device: TestDevice) => {
          await scene.arrange?.(device);
          fs.rmSync(device.inside(file), { recursive: true });
        },
      };
    }),
    {
      name: 'below the serial that the keyring asks for',
      ...anchored(keyringJson([{ key: one }], { minimum_serial: 3 }), (device) => {
        device.writeManifest([agent], { serial: 2 });
        device.signBy(one);
      }),
    },
  ],
  'manifest.expired': [
    { name: 'not_after in the past', ...signedWith({ not_after: '2026-01-01T00:00:00Z' }) },
    {
      name: 'not_after before issued_at, whatever the clock shows',
      ...signedWith({ issued_at: '2027-06-01T00:00:00Z', not_after: '2027-01-01T00:00:00Z' }),
      wrapHost: (host) => ({
        ...host,
        clock: { ...host.clock, wallMilliseconds: () => Date.parse('2026-12-01') },
      }),
    },
  ],
  'manifest.wrong_audience': [
    { name: 'another device', ...signedWith({ audience: ['edge-999'] }) },
    { name: 'a glob that does not match', ...signedWith({ audience: ['press-*', 'edge-9??'] }) },
  ],
  'manifest.stale': [
    { name: 'a second epoch of one', ...sameManifestAgain({ max_epochs: 1 }) },
    { name: 'a second boot of one', ...sameManifestAgain({ max_boots_since_accept: 1 }) },
    {
      name: 'the count of boots deleted',
      ...sameManifestAgain({ max_boots_since_accept: 100 }, (device) =>
        fs.rmSync(device.inside('bootstrap/boots_since_accept.json')),
      ),
    },
  ],
  'trust.keyring_invalid': [
    { name: 'no JSON', ...anchored('keys: []') },
    { name: 'an unknown field', ...anchored(keyringJson([], { key: [] })) },
    {
      name: 'a key of small order',
      ...anchored(`{"schema":"edged.keyring.v1","keys":[{"public_key":"${'00'.repeat(32)}"}]}`),
    },
    {
      name: 'a directory where a file should be',
      ...anchored(ring, (device) => device.write('os/etc/edged/keyring.d/x.json/y', '')),
    },
    {
      name: 'credentials that lie in the state root',
      arrange: (device) => device.write('state-root/creds/edged.keyring', ring),
      command: (device) => ['precheck', '--config', device.config],
      credentials: 'state-root/creds',
    },
    {
      name: 'a credential that is a link into the state root',
      arrange: (device) => {
        device.write('state-root/creds/ring', ring);
        fs.mkdirSync(path.join(device.directory, 'creds'));
        const link = path.join(device.directory, 'creds/edged.keyring');
        fs.symlinkSync(device.inside('creds/ring'), link);
      },
      command: (device) => ['precheck', '--config', device.config],
      credentials: 'creds',
    },
  ],
  'trust.keyring_required': [
    {
      name: 'none installed',
      ...config((text) => `${text}trust:\n  require_keyring: true\n`),
      wrapHost: inProcess,
    },
  ],
  'trust.verify_key_unexpected': [
    {
      name: 'a key of the attacker',
      ...config((text) => `${text}trust:\n  verify_key_digest: ${'ab'.repeat(32)}\n`),
      wrapHost: inProcess,
    },
  ],
  'trust.update_refused': [
    {
      name: 'not signed by the keyring before it',
      ...anchored(ring, (device) => device.writeKeyringUpdate(2, nextRing, three)),
    },
    {
      name: 'not signed by its own key',
      ...anchored(ring, (device) => device.writeKeyringUpdate(2, nextRing, one)),
    },
    {
      name: 'signed by a key whose role is manifests',
      ...anchored(keyringJson([{ key: one }]), (device) =>
        device.writeKeyringUpdate(2, nextRing, one, three),
      ),
    },
    {
      name: 'a version that does not follow',
      ...anchored(ring, (device) =>
        device.writeKeyringUpdate(2, nextRing.replace('"version": 2', '"version": 3'), one, three),
      ),
    },
    {
      name: 'without signatures',
      ...anchored(ring, (device) => device.writeKeyringUpdate(2, nextRing)),
    },
  ],
  'trust.rolled_back': [
    {
      name: 'an update that was relied on, deleted',
      ...anchored(ring, async (device) => {
        device.writeKeyringUpdate(2, nextRing, one, three);
        device.signBy(three);
        await bootWell(device);
        device.editFingerprint({ composite_hash: 'ffff0000' });
        fs.rmSync(device.inside('identity/keyring'), { recursive: true });
        device.signBy(one);
      }),
    },
    {
      name: 'no keyring any more, the key in the state root is the attacker\u2019s',
      ...anchored(ring, async (device) => {
        await bootWell(device);
        device.editFingerprint({ composite_hash: 'ffff0000' });
        fs.rmSync(path.join(device.directory, 'os/etc/edged'), { recursive: true });
        device.signRaw();
      }),
    },
  ],
};

/** The manifest that was accepted in the epoch before, once more. */
function sameManifestAgain(
  more: Record<string, unknown>,
  arrange: (device: TestDevice) => void = () => undefined,
): Pick<Scene, 'arrange' | 'wrapHost'> {
  let boots = 0;
  return {
    wrapHost: (host) => ({
      ...host,
      system: { ...host.system, bootId: () => `boot ${(boots += 1)}` },
    }),
    arrange: async (device) => {
      device.writeManifest([agent], more);
      await bootWell(device);
      device.editFingerprint({ composite_hash: 'ffff0000' });
      arrange(device);
    },
  };
}
