/** The cases that the original names, with the built command or, for the kernel, the real library. */
import { describe, expect, test } from '@jest/globals';
import type { Host } from '@edged/host/host';
import { type TestDevice, withDevice } from '@edged/testkit/device/device';

describe('OSUpdateSimulation', () => {
  test('the seven assertions, in order', () =>
    withDevice((device) => {
      // 1. the first boot stores the fingerprint at epoch 0
      expect(device.precheck().exitCode).toBe(0);
      expect(device.fingerprint()['boot_epoch']).toBe(0);
      const original = device.fingerprint()['composite_hash'];
      const agentData = device.read('state-root/edge/segments/0001.seg');
      // 2. an OS replacement is a stored hash that differs from the running OS
      device.editFingerprint({ composite_hash: '0'.repeat(64) });
      const boot = device.precheck();
      // 3. it is detected
      expect(boot.stderr).toContain('level=WARN msg="edge.os.update_detected"');
      expect(boot.stderr).toContain(
        `previous_hash="${'0'.repeat(64)}" current_hash="${String(original)}"`,
      );
      // 4. the reconstruction runs to its end
      expect(boot.exitCode).toBe(0);
      expect(boot.stderr).toContain('level=INFO msg="edge.os.reconstruction_started"');
      expect(boot.stderr).toMatch(
        /level=INFO msg="edge\.os\.reconstruction_completed" duration_seconds=[\d.]+ boot_epoch=1\n/,
      );
      // 5. the runtime is back
      expect(device.read('state-root/runtime/bin/edge-agent')).toBe(
        device.read('state-root/runtime/binaries/edge-agent'),
      );
      // 6. the epoch has grown by one and the fingerprint is the running OS's
      expect(device.fingerprint()).toMatchObject({ boot_epoch: 1, composite_hash: original });
      // 7. the evidence is rotated and the agent's data untouched
      expect([device.evidenceEpoch('current'), device.evidenceEpoch('previous')]).toEqual([1, 0]);
      expect(device.read('state-root/edge/segments/0001.seg')).toBe(agentData);
    }));
});

test('FingerprintChange_KernelOnly_TriggersReconstruction', () =>
  withDevice(async (device) => {
    await device.boot();
    device.flash({ name: '1.0', kernelRelease: '6.1.0-2' });
    const boot = await device.boot();
    expect(boot.exitCode).toBe(0);
    expect(boot.logLines.join('\n')).toContain('changed="uname_release"');
    expect(device.bootEpoch()).toBe(1);
  }));

test('the way back to an earlier OS is a rollback: said so, and an epoch of its own kind', () =>
  withDevice(async (device) => {
    await device.boot();
    device.flash({ name: '2.0', kernelRelease: '6.1.0-2' });
    const forth = await device.boot();
    expect(forth.logLines.join('\n')).not.toContain('rollback_detected');
    expect(device.evidence('current')['kind']).toBe('os_replaced');
    device.flash({ name: '1.0', kernelRelease: '6.1.0-1' });
    const back = await device.boot();
    expect(back.exitCode).toBe(0);
    const { composite_hash: hash } = device.fingerprint();
    expect(back.logLines).toContain(
      `level=WARN msg="edge.os.rollback_detected" current_hash="${String(hash)}" known_epoch=0`,
    );
    expect(device.bootEpoch()).toBe(2);
    expect(device.evidence('current')['kind']).toBe('os_rolled_back');
    const { epochs } = device.readJson('state-root/bootstrap/epoch_history.json');
    expect((epochs as { kind: string }[]).map(({ kind }) => kind)).toEqual([
      'first_run',
      'os_replaced',
      'os_rolled_back',
    ]);
  }));

describe('fingerprint.profile: image', () => {
  const file = 'usr/lib/image-id';
  const turnOn = (device: TestDevice, ...files: string[]): void =>
    device.editConfig((text) => {
      const classic = text.replace(/fingerprint:[^]*$/, '');
      return `${classic}fingerprint:\n  profile: image\n  files: ${JSON.stringify(files)}\n`;
    });

  test('tells images apart that share os-release and kernel; turning it on replaces nothing', () =>
    withDevice(async (device) => {
      device.write(`os/${file}`, 'one');
      await device.boot();
      turnOn(device);
      const adopted = await device.boot();
      expect(adopted.exitCode).toBe(0);
      expect(adopted.logLines.join('\n')).toMatch(
        /^level=WARN.*skipped.*\nlevel=INFO msg="edge.os.image_identity_adopted" boot_epoch=0 names="[^"]*"$/,
      );
      turnOn(device, `/${file}`);
      expect((await device.boot()).logLines.join()).toContain(`file:/${file}`);
      expect((await device.boot()).logLines).toHaveLength(1); // the skipped mount check
      expect(device.bootEpoch()).toBe(0);

      device.write(`os/${file}`, 'two');
      const replaced = await device.boot();
      expect(replaced.logLines.join('\n')).toContain(`changed="file:/${file}"`);
      expect(replaced.logLines.join('\n')).not.toContain('rollback_detected');
      expect(device.bootEpoch()).toBe(1);

      device.write(`os/${file}`, 'one');
      const back = await device.boot();
      expect(back.logLines.join('\n')).toContain('known_epoch=0');
      expect(device.bootEpoch()).toBe(2);
      expect([device.evidenceEpoch('current'), device.evidenceEpoch('previous')]).toEqual([2, 1]);
    }));

  test('turned off again it decides nothing, and what was known is kept until the next OS', () =>
    withDevice(async (device) => {
      device.write(`os/${file}`, 'one');
      turnOn(device, `/${file}`);
      await device.boot();
      const stored = device.fingerprint();
      device.editConfig((text) => text.replace('profile: image', 'profile: classic'));
      device.write(`os/${file}`, 'two');
      expect((await device.boot()).exitCode).toBe(0);
      expect(device.fingerprint()).toEqual(stored);
    }));

  test('where it cannot be kept (no room), the boot matches all the same', () =>
    withDevice(async (device) => {
      await device.boot();
      turnOn(device);
      const wrapHost = (host: Host): Host => ({
        ...host,
        openDisk: (at) => Object.assign(host.openDisk(at), { freeBytes: () => 1024 }),
      });
      expect((await device.boot({ wrapHost })).exitCode).toBe(0);
      expect(device.fingerprint()).not.toHaveProperty('image_identity');
      expect((await device.boot()).logLines.join()).toContain('image_identity_adopted');
    }));

  test('a file that is not there is stated as such, and its coming is a change', () =>
    withDevice(async (device) => {
      turnOn(device, `/${file}`);
      await device.boot();
      device.write(`os/${file}`, 'one');
      await device.boot();
      expect(device.bootEpoch()).toBe(1);
    }));
});

test('Precheck_BootEpochIncrement: three replacements in a row are three epochs', () =>
  withDevice((device) => {
    device.precheck();
    for (const epoch of [1, 2, 3]) {
      device.editFingerprint({ composite_hash: 'ffff0000' });
      expect(device.precheck().exitCode).toBe(0);
      expect(device.fingerprint()['boot_epoch']).toBe(epoch);
    }
  }));

test('Precheck_EpochRotatedAfterReconstruction', () =>
  withDevice((device) => {
    device.precheck();
    const first = device.evidence('current');
    device.editFingerprint({ composite_hash: 'ffff0000' });
    device.precheck();
    expect(device.evidence('previous')).toEqual(first);
    expect(Object.keys(device.evidence('current')).slice(0, 4)).toEqual([
      'os_fingerprint',
      'binary_hash',
      'config_hash',
      'rotated_at',
    ]);
    expect(device.evidence('current')['os_fingerprint']).toEqual(device.fingerprint());
  }));

test('a second and third rotation replace a previous that is not empty', () =>
  withDevice((device) => {
    device.precheck();
    for (const epoch of [1, 2, 3]) {
      device.editFingerprint({ composite_hash: `edited ${epoch}` });
      device.precheck();
      expect([device.evidenceEpoch('current'), device.evidenceEpoch('previous')]).toEqual([
        epoch,
        epoch - 1,
      ]);
    }
    expect(device.leftovers()).toEqual([]);
  }));

test('every os-release and kernel release that differs is its own OS', () =>
  withDevice(async (device) => {
    const hashes = new Set<unknown>();
    for (const [name, kernelRelease] of [
      ['1.0', 'a'],
      ['1.1', 'a'],
      ['1.1', 'b'],
      ['1.0', 'b'],
    ] as const) {
      device.flash({ name, kernelRelease });
      expect((await device.boot()).exitCode).toBe(0);
      hashes.add(device.fingerprint()['composite_hash']);
    }
    expect(hashes.size).toBe(4);
    expect(device.bootEpoch()).toBe(3);
  }));
