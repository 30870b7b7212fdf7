/** Rung 2, on a small real disk: full, read-only, immutable. Needs root, to mount. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect } from '@jest/globals';
import { type TestDevice, withDevice } from '@edged/testkit/device/device';
import { withDisk } from '@edged/testkit/device/faults';
import { type Need, testWith } from '@edged/testkit/needs';

const disk: readonly Need[] = ['mkfs.ext4', 'mount', 'the right to mount', 'loop devices'];
const each = testWith(...disk);
const mebibyte = 1024 * 1024;

/** The device's state root on an ext4 of 4 MiB of its own. */
async function onSmallDisk(act: (device: TestDevice) => Promise<void>): Promise<void> {
  await withDevice(async (device) => {
    const image = path.join(device.directory, 'disk.img');
    const aside = `${device.stateRoot}.aside`;
    fs.writeFileSync(image, '');
    fs.truncateSync(image, 4 * mebibyte);
    execFileSync('mkfs.ext4', ['-q', '-F', '-m', '0', image]);
    fs.renameSync(device.stateRoot, aside);
    fs.mkdirSync(device.stateRoot);
    execFileSync('mount', ['-o', 'loop', image, device.stateRoot]);
    try {
      fs.cpSync(aside, device.stateRoot, { recursive: true });
      await device.boot({ skipMountCheck: false });
      device.flash({ name: '2.0', kernelRelease: '6.1.0-2' });
      await act(device);
    } finally {
      execFileSync('umount', [device.stateRoot]);
    }
  });
}

/** Takes all the space but `leave` bytes. */
function fill(device: TestDevice, leave: number): void {
  const fd = fs.openSync(device.inside('ballast'), 'w');
  try {
    for (;;) {
      const { bavail, bsize } = fs.statfsSync(device.stateRoot);
      const size = Math.min(64 * 1024, bavail * bsize - leave);
      if (size <= 0) return;
      fs.writeSync(fd, Buffer.alloc(size));
      fs.fsyncSync(fd);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    fs.closeSync(fd);
  }
}

function objectionsTo(device: TestDevice, epoch: number): unknown {
  return {
    epoch: device.bootEpoch(),
    current: device.evidenceEpoch('current'),
    previous: device.exists('state-root/epoch/previous') ? device.evidenceEpoch('previous') : -1,
    leftovers: device.leftovers(),
    wanted: epoch,
  };
}

describe('on a small disk', () => {
  each('a full disk is refused before the first write, and freed space heals', () =>
    onSmallDisk(async (device) => {
      fill(device, 0);
      const before = device.treeDigest();
      const full = await device.boot({ skipMountCheck: false });
      expect(full.exitCode).toBe(5);
      expect(full.logLines.join('\n')).toContain('reason="reconstruction.no_space"');
      expect(device.treeDigest()).toBe(before);
      fs.rmSync(device.inside('ballast'));
      expect((await device.boot({ skipMountCheck: false })).exitCode).toBe(0);
      expect(objectionsTo(device, 1)).toMatchObject({
        epoch: 1,
        current: 1,
        previous: 0,
        leftovers: [],
      });
    }),
  );

  each(
    'a disk that fills up in the middle, wherever that is, loses nothing',
    () =>
      onSmallDisk(async (device) => {
        // the space check is told a lie, so that ENOSPC comes from the disk itself
        const wrapHost = withDisk(() => ({ freeBytes: () => Number.MAX_SAFE_INTEGER }));
        let refused = 0;
        for (let blocks = 0; blocks <= 24; blocks += 1) {
          const epoch = device.bootEpoch() ?? -1;
          fill(device, blocks * 1024);
          const { exitCode } = await device.boot({ wrapHost, skipMountCheck: false });
          expect([0, 2, 5]).toContain(exitCode);
          if (exitCode !== 0) refused += 1;
          fs.rmSync(device.inside('ballast'));
          expect((await device.boot({ skipMountCheck: false })).exitCode).toBe(0);
          expect(objectionsTo(device, epoch)).toMatchObject({
            epoch: epoch + 1,
            current: epoch + 1,
            previous: epoch,
            leftovers: [],
          });
          device.flash({ name: `fill ${blocks}`, kernelRelease: '6.1.0-2' });
        }
        expect(refused).toBeGreaterThan(5);
      }),
    120_000,
  );

  each('read-only and nothing changed: exit 0 with a warning', () =>
    onSmallDisk(async (device) => {
      device.flash({ name: '1.0', kernelRelease: '6.1.0-1' });
      execFileSync('mount', ['-o', 'remount,ro', device.stateRoot]);
      const { exitCode, logLines } = await device.boot({ skipMountCheck: false });
      expect(exitCode).toBe(0);
      expect(logLines).toHaveLength(1);
      expect(logLines[0]).toMatch(/level=WARN msg="edge\.state_root\.read_only" mount="\d+ .* ro/);
    }),
  );

  each('read-only and the OS was replaced: exit 2, quoting the mount', () =>
    onSmallDisk(async (device) => {
      execFileSync('mount', ['-o', 'remount,ro', device.stateRoot]);
      const { exitCode, logLines } = await device.boot({ skipMountCheck: false });
      expect(exitCode).toBe(2);
      expect(logLines.join('\n')).toMatch(
        /reason="state_root\.read_only" mount="\d+ [^"]*state-root ro[^"]* - ext4/,
      );
    }),
  );

  testWith(...disk, 'chattr')('an immutable file in the way: exit 5, everything as before', () =>
    onSmallDisk(async (device) => {
      for (const name of ['one', 'two']) {
        device.write(`state-root/runtime/binaries/${name}`, `new ${name}`);
        device.write(`state-root/runtime/bin/${name}`, `old ${name}`);
      }
      device.writeManifest(
        ['one', 'two'].map((name) => ({
          op: 'copy_binary',
          src: `runtime/binaries/${name}`,
          dst: `runtime/bin/${name}`,
        })),
      );
      execFileSync('chattr', ['+i', device.inside('runtime/bin/two')]);
      const before = device.treeDigest();
      const { exitCode, logLines } = await device.boot({ skipMountCheck: false });
      expect(exitCode).toBe(5);
      expect(logLines.join('\n')).toContain('errno="EPERM"');
      expect(device.treeDigest()).toBe(before);
      execFileSync('chattr', ['-i', device.inside('runtime/bin/two')]);
      expect((await device.boot({ skipMountCheck: false })).exitCode).toBe(0);
      expect(device.read('state-root/runtime/bin/two')).toBe('new two');
    }),
  );

  each('epoch/ that only takes new names: exit 5, the installed files as before', () =>
    onSmallDisk(async (device) => {
      device.write('state-root/runtime/bin/edge-agent', 'the old agent');
      execFileSync('chattr', ['+a', device.inside('epoch')]);
      const { exitCode, logLines } = await device.boot({ skipMountCheck: false });
      expect(exitCode).toBe(5);
      expect(logLines.join('\n')).toContain('msg="edge.os.not_taken_back"');
      expect(device.read('state-root/runtime/bin/edge-agent')).toBe('the old agent');
      expect([device.bootEpoch(), device.evidenceEpoch('current')]).toEqual([0, 0]);
      execFileSync('chattr', ['-a', device.inside('epoch')]);
      expect((await device.boot({ skipMountCheck: false })).exitCode).toBe(0);
      expect(objectionsTo(device, 1)).toMatchObject({ epoch: 1, current: 1, leftovers: [] });
      expect(device.read('state-root/runtime/bin/edge-agent')).toContain('echo agent');
    }),
  );
});
