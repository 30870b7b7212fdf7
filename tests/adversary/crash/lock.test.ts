/** Spec I6: what a dead process leaves never delays nor blocks, and two live ones never both work. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import type { Host } from '@edged/host/host';
import { tryLinuxLock } from '@edged/host/linux-lock';
import { command, startCommand } from '@edged/testkit/device/built-command';
import { withDevice } from '@edged/testkit/device/device';
import { holdLock } from '@edged/testkit/device/lock-holder';
import { testWith } from '@edged/testkit/needs';

const visible = '.precheck.lock';
const mostMilliseconds = 50;

/** Least of up to twenty tries: the machine may be busy, the lock may not. */
function quickest(act: () => void): number {
  let least = Infinity;
  for (let tries = 0; tries < 20 && least >= mostMilliseconds; tries += 1) {
    const started = performance.now();
    act();
    least = Math.min(least, performance.now() - started);
  }
  return least;
}

describe('a lock left behind costs nothing', () => {
  test.each([
    ['a second ago', () => Date.now() / 1000 - 1],
    ['now', () => Date.now() / 1000],
    ['in 1970, as a clock that lost its battery says', () => 1],
    ['in 2099', () => 4_070_908_800],
  ])('made %s', (_when, seconds) =>
    withDevice(({ stateRoot }) => {
      const took = quickest(() => {
        fs.mkdirSync(`${stateRoot}/${visible}`, { recursive: true });
        fs.utimesSync(`${stateRoot}/${visible}`, seconds(), seconds());
        tryLinuxLock(stateRoot, visible)?.release();
      });
      expect(took).toBeLessThan(mostMilliseconds);
      expect(fs.existsSync(`${stateRoot}/${visible}`)).toBe(false);
    }),
  );

  test.each([1, 4_070_908_800])('with the clock of the machine at %d', (seconds) =>
    withDevice(async (device) => {
      await device.boot();
      let took = Number.POSITIVE_INFINITY;
      const wrapHost = (host: Host): Host => ({
        ...host,
        clock: { ...host.clock, wallMilliseconds: () => seconds * 1000 },
        tryLock: (...args) => {
          const started = performance.now();
          const held = host.tryLock(...args);
          took = Math.min(took, performance.now() - started);
          expect(held).toBeDefined();
          return held;
        },
      });
      const wasQuick = (): boolean => took < mostMilliseconds;
      for (let boot = 2; boot < 12 && !wasQuick(); boot += 1) {
        fs.mkdirSync(device.inside(visible));
        device.flash({ name: `${boot}.0`, kernelRelease: `6.1.0-${boot}` });
        expect((await device.boot({ wrapHost })).exitCode).toBe(0);
      }
      expect(took).toBeLessThan(mostMilliseconds);
    }),
  );

  testWith('strace')('left by SIGKILL in the middle of a precheck', () =>
    withDevice((device) => {
      device.precheck();
      device.editFingerprint({ composite_hash: 'ffff0000' });
      const trace = [
        '-f',
        '-o',
        '/dev/null',
        '-e',
        'trace=fsync',
        '-e',
        'inject=fsync:signal=SIGKILL:when=3',
      ];
      const run = [...command, 'precheck', '--config', device.config];
      const env = { PATH: process.env['PATH'], EDGE_STATE_ROOT_SKIP_MOUNT_CHECK: '1' };
      spawnSync('strace', [...trace, ...run], { env });
      expect(fs.existsSync(device.inside(visible))).toBe(true);
      const took = quickest(() => tryLinuxLock(device.stateRoot, visible)?.release());
      expect(took).toBeLessThan(mostMilliseconds);
      expect(device.precheck().exitCode).toBe(0);
      expect(device.fingerprint()['boot_epoch']).toBe(1);
    }),
  );
});

test(
  'of 200 contenders never two are inside, and every one gets in',
  () =>
    withDevice(async ({ stateRoot, directory }) => {
      const module = new URL('../../../packages/host/dist/linux-lock.js', import.meta.url);
      const script = `
      import fs from 'node:fs';
      import { tryLinuxLock } from ${JSON.stringify(module.pathname)};
      const [root, journal, count] = process.argv.slice(1);
      for (let left = Number(count); left > 0;) {
        const held = tryLinuxLock(root, '${visible}');
        if (!held) {
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
          continue;
        }
        fs.appendFileSync(journal, 'in\\n');
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
        fs.appendFileSync(journal, 'out\\n');
        held.release();
        left -= 1;
      }`;
      const journal = `${directory}/journal`;
      const processes = 8;
      const turns = 25;
      const contenders = Array.from({ length: processes }, () =>
        spawn(
          process.execPath,
          ['--input-type=module', '-e', script, stateRoot, journal, String(turns)],
          {
            stdio: ['ignore', 'inherit', 'inherit'],
          },
        ),
      );
      const exits = await Promise.all(
        contenders.map(async (child) => (await once(child, 'exit'))[0]),
      );
      expect(exits).toEqual(Array.from({ length: processes }, () => 0));
      const lines = fs.readFileSync(journal, 'utf8').trimEnd().split('\n');
      expect(lines).toHaveLength(processes * turns * 2);
      expect(lines.every((line, index) => line === (index % 2 === 0 ? 'in' : 'out'))).toBe(true);
    }),
  120_000,
);

test('a contender that is killed while inside lets the next one in at once', () =>
  withDevice(async ({ stateRoot }) => {
    const holder = await holdLock(stateRoot);
    expect(tryLinuxLock(stateRoot, visible)).toBeUndefined();
    await holder.kill();
    const held = tryLinuxLock(stateRoot, visible);
    expect(held).toBeDefined();
    held?.release();
  }));

testWith('2 GB free in the temporary directory').each(['SIGTERM', 'SIGINT'] as const)(
  '%s ends a precheck in the middle of its work, and the next one heals',
  (signal) =>
    withDevice(async (device) => {
      expect(device.precheck().exitCode).toBe(0);
      device.write('state-root/runtime/binaries/large', Buffer.alloc(400_000_000, 'not zeros '));
      device.writeManifest([
        { op: 'copy_binary', src: 'runtime/binaries/large', dst: 'runtime/bin/large' },
      ]);
      device.editFingerprint({ composite_hash: 'ffff0000' });
      const { child, says, ended } = startCommand(['precheck', '--config', device.config]);
      await says('reconstruction_started');
      while (!device.exists('state-root/bootstrap/transaction/staged/0')) {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      child.kill(signal);
      expect(await ended).toMatchObject({ exitCode: null });
      expect(child.signalCode).toBe(signal);
      expect(device.bootEpoch()).toBe(0);
      expect(device.exists('state-root/runtime/bin/large')).toBe(false);
      expect(device.precheck().exitCode).toBe(0);
      expect(device.bootEpoch()).toBe(1);
    }),
);
