/**
 * Files are staged in bootstrap/ and renamed to their place, and no rename leads from one mount to
 * another: what is mounted inside the state root is refused before anything is written, and by the
 * dry run in the same words.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import type { Host } from '@edged/host/host';
import { layout } from '@edged/model/layout';
import { type TestDevice, withDevice } from '@edged/testkit/device/device';
import { failing, withDisk } from '@edged/testkit/device/faults';
import { testWith } from '@edged/testkit/needs';

const nobody = 65_534;
const installed = 'runtime/bin/edge-agent';

/** Binds a directory or a file to itself: a mount of the same filesystem. */
function bind(device: TestDevice, place: string): void {
  const target = device.inside(place);
  execFileSync('mount', ['--bind', target, target]);
  device.unmountLater(target);
}

async function inEpochOne(device: TestDevice): Promise<void> {
  for (const name of ['1.0', '2.0']) {
    device.flash({ name, kernelRelease: '6.1.0-1' });
    expect((await device.boot()).exitCode).toBe(0);
  }
  device.write('state-root/runtime/binaries/edge-agent', '#!/bin/sh\necho agent 2\n', 0o755);
  device.flash({ name: '3.0', kernelRelease: '6.1.0-3' });
}

/** Notes every journal that is written: from there on a change is promised. */
function noting(promised: string[]): (host: Host) => Host {
  return withDisk((disk) => ({
    createFile(name, bytes, mode) {
      if (name === layout.journal) promised.push(name);
      disk.createFile(name, bytes, mode);
    },
  }));
}

const asNobody = testWith('the right to give files away', 'paths that every user can reach');
const onMount = testWith('the right to mount');

describe('refused, by the dry run as well', () => {
  onMount.each<[string, string, string]>([
    ['the directory of dst', 'runtime/bin', 'reason="operation.dst_unusable"'],
    ['a directory above it', 'runtime', 'reason="operation.dst_unusable"'],
    ['dst itself', installed, 'reason="operation.dst_unusable"'],
    ['bootstrap/, where files are staged', 'bootstrap', 'reason="operation.dst_unusable"'],
    ['the fingerprint', layout.fingerprint, 'errno="EBUSY"'],
    ['the history', layout.history, 'errno="EBUSY"'],
    ['the evidence', layout.currentEpoch, 'errno="EBUSY"'],
  ])('a bind mount of %s', (_what, place, said) =>
    withDevice(async (device) => {
      await inEpochOne(device);
      bind(device, place);
      const before = device.treeDigest();
      const dry = await device.boot({ dryRun: true });
      const promised: string[] = [];
      const real = await device.boot({ wrapHost: noting(promised) });
      expect(promised).toEqual([]);
      expect([dry.exitCode, real.exitCode]).toEqual([5, 5]);
      for (const { logLines } of [dry, real]) expect(logLines.join('\n')).toContain(said);
      expect(real.logLines.join('\n')).not.toContain('EXDEV');
      expect(device.treeDigest()).toBe(before);
      expect(device.leftovers()).toEqual([]);
      execFileSync('umount', [device.mounted.pop() ?? '']);
      expect((await device.boot()).exitCode).toBe(0);
      expect(device.read(`state-root/${installed}`)).toContain('agent 2');
    }),
  );

  test('a subvolume, seen through the same mount', () =>
    withDevice(async (device) => {
      await inEpochOne(device);
      const wrapHost = withDisk((disk) => ({
        status: (name) => {
          const found = disk.status(name);
          const isInside = name === 'runtime/bin' || name.startsWith('runtime/bin/');
          return found && { ...found, device: found.device + Number(isInside) };
        },
      }));
      const { exitCode, logLines } = await device.boot({ wrapHost });
      expect(exitCode).toBe(5);
      expect(logLines.join('\n')).toMatch(
        /reason="operation.dst_unusable" operation=0 dst="runtime\/bin\/edge-agent" parent="runtime\/bin" found="another mount/,
      );
    }));
});

describe('in nobody’s way', () => {
  onMount.each(['', 'epoch', 'identity', 'runtime/binaries', 'edge'])(
    'a bind mount of %j',
    (place) =>
      withDevice(async (device) => {
        await inEpochOne(device);
        bind(device, place);
        expect((await device.boot({ dryRun: true })).exitCode).toBe(0);
        expect((await device.boot()).exitCode).toBe(0);
        expect(device.bootEpoch()).toBe(2);
      }),
  );
});

describe('an old file that may get no second name (fs.protected_hardlinks)', () => {
  asNobody('of root, replaced by a precheck that is not root', () =>
    withDevice((device) => {
      expect(device.precheck().exitCode).toBe(0);
      device.write(`state-root/${installed}`, 'the old agent\n', 0o755);
      device.editFingerprint({ composite_hash: 'ffff0000' });
      execFileSync('chown', ['-R', String(nobody), device.directory]);
      fs.chownSync(device.inside(installed), 0, 0);
      const options = { userId: nobody };
      expect(device.precheck(['--dry-run'], options).exitCode).toBe(0);
      expect(device.precheck([], options)).toMatchObject({ exitCode: 0 });
      expect(device.read(`state-root/${installed}`)).toContain('agent 1');
      expect(fs.statSync(device.inside(installed)).uid).toBe(nobody);
      expect(device.leftovers()).toEqual([]);
    }),
  );

  asNobody('and that it may not read: refused as by the dry run, all as before', () =>
    withDevice((device) => {
      expect(device.precheck().exitCode).toBe(0);
      device.write(`state-root/${installed}`, 'the old agent\n', 0o700);
      device.editFingerprint({ composite_hash: 'ffff0000' });
      execFileSync('chown', ['-R', String(nobody), device.directory]);
      fs.chownSync(device.inside(installed), 0, 0);
      const before = device.treeDigest();
      for (const args of [['--dry-run'], []]) {
        const { exitCode, stderr } = device.precheck(args, { userId: nobody });
        expect([exitCode, stderr]).toEqual([5, expect.stringContaining('errno="EACCES"')]);
      }
      expect(device.treeDigest()).toBe(before);
    }),
  );

  test('comes back, whole and with its mode, when a later step fails', () =>
    withDevice(async (device) => {
      await inEpochOne(device);
      fs.chmodSync(device.inside(installed), 0o751);
      const before = device.treeDigest();
      const links = failing('link', 'EPERM', 0, true);
      const fails = failing('syncDirectory', 'EIO', 12);
      const { exitCode } = await device.boot({
        wrapHost: (host) => fails.wrapHost(links.wrapHost(host)),
      });
      expect([exitCode, links.happened(), fails.happened()]).toEqual([5, true, true]);
      expect(device.treeDigest()).toBe(before);
      expect((await device.boot({ wrapHost: links.wrapHost })).exitCode).toBe(0);
      expect(device.read(`state-root/${installed}`)).toContain('agent 2');
    }));

  test('and there is room for the copy, or it is refused before the first write', () =>
    withDevice(async (device) => {
      await inEpochOne(device);
      const old = Buffer.alloc(3_000_000, 'x');
      fs.writeFileSync(device.inside(installed), old);
      const wrapHost = withDisk((disk) => ({
        status: (name) => {
          const found = disk.status(name);
          return found && { ...found, linkable: false };
        },
        freeBytes: () => 3_000_000,
      }));
      const { logLines } = await device.boot({ wrapHost });
      expect(logLines.join('\n')).toContain('reason="reconstruction.no_space"');
      expect(fs.readFileSync(device.inside(installed)).equals(old)).toBe(true);
    }));
});
