/** Keyrings, thresholds, rotation of keys, and manifests that limit themselves, as they should work. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { DiskError } from '@edged/host/host';
import { type CommandResult, runCommand } from '@edged/testkit/device/built-command';
import { type TestDevice, withDevice } from '@edged/testkit/device/device';
import { withDisk } from '@edged/testkit/device/faults';
import { keyringJson, testKey } from '@edged/testkit/device/signing';

const agent = { op: 'copy_binary', src: 'runtime/binaries/edge-agent', dst: 'runtime/bin/agent' };
const [one, two, three] = [testKey(1), testKey(2), testKey(3)];
const both = ['manifest', 'keyring'];

/** The device comes up with another OS. */
async function replaced(device: TestDevice): Promise<{ exitCode: number; log: string }> {
  if (device.bootEpoch() === undefined) await device.boot();
  device.editFingerprint({ composite_hash: 'ffff0000' });
  const { exitCode, logLines } = await device.boot();
  return { exitCode, log: logLines.join('\n') };
}

function remembered(device: TestDevice): Record<string, unknown> {
  return device.evidence('current')['acceptance'] as Record<string, unknown>;
}

describe('a keyring in the OS image', () => {
  test('is the only one whose keys count; the key in the state root may be gone', () =>
    withDevice(async (device) => {
      device.writeKeyring(keyringJson([{ key: one }]));
      expect((await replaced(device)).exitCode).toBe(5); // signed by the key in the state root
      device.signBy(one);
      fs.rmSync(device.inside('identity/manifest-verify.pub'));
      expect((await replaced(device)).exitCode).toBe(0);
      expect(remembered(device)['keyring_version']).toBe(1);
    }));

  test('two of three', () =>
    withDevice(async (device) => {
      const keys = [one, two, three].map((key) => ({ key }));
      device.writeKeyring(keyringJson(keys, { thresholds: { manifest: 2 } }));
      device.signBy(three, one);
      expect((await replaced(device)).exitCode).toBe(0);
    }));

  test('a file in /etc hides one of the same name in /usr/lib, an empty one removes it', () =>
    withDevice(async (device) => {
      device.writeKeyring(keyringJson([{ key: one }]), 'usr/lib');
      device.signBy(two);
      expect((await replaced(device)).exitCode).toBe(5);
      device.writeKeyring(keyringJson([{ key: two }]));
      expect((await replaced(device)).exitCode).toBe(0);
      device.writeKeyring('', 'etc');
      device.writeKeyring(keyringJson([{ key: one }]), 'usr/lib', 'other.json');
      expect((await replaced(device)).exitCode).toBe(5);
      device.signBy(one);
      expect((await replaced(device)).exitCode).toBe(0);
    }));

  test('a revoked key signs nothing, and the log names it', () =>
    withDevice(async (device) => {
      device.writeKeyring(keyringJson([{ key: one }, { key: two }], { revoked: [one.id] }));
      device.signBy(one);
      const { exitCode, log } = await replaced(device);
      expect([exitCode, log]).toEqual([5, expect.stringContaining(`revoked key ${one.id}`)]);
      device.signBy(two);
      expect((await replaced(device)).exitCode).toBe(0);
    }));
});

describe('rotation of keys by signed updates in the state root', () => {
  test('old and new keys sign; from then on the old ones count no more', () =>
    withDevice(async (device) => {
      device.writeKeyring(keyringJson([{ key: one, roles: both }]));
      const second = keyringJson([{ key: two, roles: both }], { version: 2 });
      const third = keyringJson([{ key: three, roles: both }], { version: 3 });
      device.writeKeyringUpdate(2, second, one, two);
      device.writeKeyringUpdate(3, third, two, three);
      device.signBy(one);
      expect((await replaced(device)).exitCode).toBe(5);
      device.signBy(three);
      expect((await replaced(device)).exitCode).toBe(0);
      expect(remembered(device)['keyring_version']).toBe(3);
    }));

  test('an image that brings version 3 itself needs no updates', () =>
    withDevice(async (device) => {
      device.writeKeyring(keyringJson([{ key: one, roles: both }]));
      const second = keyringJson([{ key: two, roles: both }], { version: 2 });
      device.writeKeyringUpdate(2, second, one, two);
      device.signBy(two);
      expect((await replaced(device)).exitCode).toBe(0);
      device.writeKeyring(keyringJson([{ key: three }], { version: 3 }));
      fs.rmSync(device.inside('identity/keyring'), { recursive: true });
      device.signBy(three);
      expect((await replaced(device)).exitCode).toBe(0);
    }));

  test('what the image revokes, no update brings back', () =>
    withDevice(async (device) => {
      const revoked = { revoked: [three.id] };
      device.writeKeyring(keyringJson([{ key: one, roles: both }, { key: two }], revoked));
      const update = keyringJson([{ key: one, roles: both }, { key: three }], { version: 2 });
      device.writeKeyringUpdate(2, update, one);
      device.signBy(three);
      expect((await replaced(device)).exitCode).toBe(5);
    }));
});

describe('systemd credentials', () => {
  test('a credential named edged.keyring* is a keyring', () =>
    withDevice((device) => {
      device.write('credentials/edged.keyring.fleet', keyringJson([{ key: one }]));
      const environment = {
        EDGE_STATE_ROOT_SKIP_MOUNT_CHECK: '1',
        CREDENTIALS_DIRECTORY: path.join(device.directory, 'credentials'),
      };
      device.precheck();
      device.editFingerprint({ composite_hash: 'ffff0000' });
      expect(device.precheck([], { environment }).exitCode).toBe(5);
      device.signBy(one);
      expect(device.precheck([], { environment }).exitCode).toBe(0);
    }));
});

describe('a manifest that limits itself', () => {
  test('serials may grow or stay, and the memory of them is kept', () =>
    withDevice(async (device) => {
      for (const serial of [3, 3, 9]) {
        device.writeManifest([agent], { serial });
        expect((await replaced(device)).exitCode).toBe(0);
      }
      expect(remembered(device)['highest_serial']).toBe(9);
    }));

  test('boots are counted once each, durably, and only where it is asked for', () =>
    withDevice(async (device) => {
      const file = 'state-root/bootstrap/boots_since_accept.json';
      await replaced(device);
      await device.boot();
      expect(device.exists(file)).toBe(false);
      device.writeManifest([agent], { max_boots_since_accept: 3 });
      expect((await replaced(device)).exitCode).toBe(0);
      const boot = async (bootId: string): Promise<string> => {
        const { exitCode, logLines } = await device.boot({
          wrapHost: (host) => ({ ...host, system: { ...host.system, bootId: () => bootId } }),
        });
        expect(exitCode).toBe(0);
        return logLines.join('\n');
      };
      expect(device.readJson(file)['boots']).toBe(1);
      await boot('b');
      await boot('b'); // the same boot again
      expect(device.readJson(file)['boots']).toBe(2);
      expect(await boot('c')).not.toContain('edge.manifest.stale');
      expect(await boot('d')).toContain('msg="edge.manifest.stale" boots=4');
      expect(device.leftovers()).toEqual([]);
    }));

  test('a disk that takes no more keeps no matching boot from passing', () =>
    withDevice(async (device) => {
      device.writeManifest([agent], { max_boots_since_accept: 3 });
      expect((await replaced(device)).exitCode).toBe(0);
      const full = withDisk((_disk) => ({
        createFile: (name) => {
          throw new DiskError('create', name, 'ENOSPC');
        },
      }));
      const { exitCode, logLines } = await device.boot({
        wrapHost: (host) =>
          full({ ...host, system: { ...host.system, bootId: () => 'the next boot' } }),
      });
      expect(exitCode).toBe(0);
      expect(logLines.join('\n')).toContain('level=WARN msg="edge.manifest.boot_not_counted"');
      expect((await device.boot()).exitCode).toBe(0);
      expect(device.leftovers()).toEqual([]);
    }));

  test('a matching boot of a manifest without limits writes nothing', () =>
    withDevice(async (device) => {
      device.writeManifest([agent], { serial: 1, max_epochs: 9 });
      await replaced(device);
      const before = device.modificationTimes();
      expect((await device.boot()).exitCode).toBe(0);
      expect(device.modificationTimes()).toEqual(before);
    }));
});

describe('edged keys', () => {
  const keys = (device: TestDevice, ...args: string[]): CommandResult =>
    runCommand(['keys', ...args], { environment: { EDGE_STATE_ROOT: device.stateRoot } });

  test('id and list', () =>
    withDevice((device) => {
      const { stdout } = keys(device, 'id', device.inside('identity/manifest-verify.pub'));
      const [id = ''] = stdout.split(' ');
      expect(id).toMatch(/^[0-9a-f]{32}$/);
      const listed = keys(device, 'list');
      expect(listed.stdout).toContain(`trusted: identity/manifest-verify.pub`);
      expect(listed.stdout).toContain(id);
      expect(listed.exitCode).toBe(0);
    }));

  test('rehearse: the next manifest, before it is published', () =>
    withDevice(async (device) => {
      device.writeManifest([agent], { serial: 5 });
      await replaced(device);
      const rehearse = (serial: number): CommandResult => {
        const file = path.join(device.directory, 'next.json');
        const text = JSON.stringify({ version: '1', operations: [agent], serial });
        device.write('next.json', text);
        const key = `${device.directory}/keys/manifest-sign.key`;
        expect(runCommand(['sign', file, '--key', key]).exitCode).toBe(0);
        return keys(device, 'rehearse', '--manifest', file);
      };
      const before = device.treeDigest();
      const good = rehearse(6);
      expect([good.exitCode, good.stdout]).toEqual([
        0,
        expect.stringContaining('would be accepted in epoch 2'),
      ]);
      const bad = rehearse(4);
      expect([bad.exitCode, bad.stderr]).toEqual([
        5,
        expect.stringContaining('reason="manifest.rolled_back"'),
      ]);
      expect(device.treeDigest()).toBe(before);
    }));

  test('rehearse: the keyring of the next image, and an update of it', () =>
    withDevice((device) => {
      device.precheck();
      const sign = (file: string, n: number, signature = `${file}.sig`): void => {
        device.write(`${n}.key`, testKey(n).seed);
        const key = path.join(device.directory, `${n}.key`);
        const args = ['sign', file, '--key', key, '--signature', signature];
        expect(runCommand(args)).toMatchObject({ exitCode: 0, stderr: '' });
      };
      const [ring, update] = ['ring.json', 'update.json'].map((name) =>
        path.join(device.directory, name),
      ) as [string, string];
      const manifest = device.inside('runtime/manifest.json');
      device.write('ring.json', keyringJson([{ key: one, roles: both }]));
      const options = ['rehearse', '--keyring', ring];
      expect(keys(device, ...options).exitCode).toBe(5);
      sign(manifest, 1);
      expect(keys(device, ...options).exitCode).toBe(0);
      device.write('update.json', keyringJson([{ key: two, roles: both }], { version: 2 }));
      sign(update, 1);
      const withUpdate = [...options, '--keyring-update', update];
      expect(keys(device, ...withUpdate).stderr).toContain('trust.update_refused');
      sign(update, 2, `${update}.sig.2`);
      sign(manifest, 2);
      const seen = keys(device, ...withUpdate);
      expect(seen.stderr).toBe('');
      expect(seen.stdout).toContain('keyring version 2');
      expect(seen.stdout).toContain(`signed by: ${two.id}`);
    }));
});
