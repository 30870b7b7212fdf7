/**
 * Rung 2: the real process on the real kernel. Needs strace(1). CRASH_EFFORT=2 tries every call,
 * with both errors; by default every kill and a third of each error.
 */
import { beforeAll, describe, expect } from '@jest/globals';
import { noteCrashRow } from '@edged/testkit/crash-table';
import { InterruptedDevice, interruptEverywhere } from '@edged/testkit/interruption/interruption';
import { buildCommand, buildLibrary, mutants } from '@edged/testkit/mutants';
import type { CallPoint } from '@edged/testkit/interruption/system-calls';
import { testWith } from '@edged/testkit/needs';
import { testDirectory } from '@edged/testkit/test-directory';

const effort = Number(process.env['CRASH_EFFORT'] ?? 1);
const table = process.env['CRASH_TABLE'];
const rung = '2 real kernel';
const withStrace = testWith('strace');
const command = [process.execPath, await buildCommand(undefined)];
const library = await buildLibrary(undefined);
const directory = testDirectory('calls');
let interrupted: InterruptedDevice;

beforeAll(async () => {
  interrupted = await InterruptedDevice.make(directory, library);
});

/** The calls of the protocol: without the visible lock and without modes. */
function stepsOf(points: readonly CallPoint[]): string[] {
  const labels = points.filter(({ changes }) => changes).map(({ label }) => label);
  return labels.filter((label) => !/\.precheck\.lock|^chmod/.test(label));
}

/** One point in so many, `offset` further on. */
function oneIn(count: number, offset: number, points: readonly CallPoint[]): CallPoint[] {
  return points.filter((_, index) => index % count === offset % count);
}

describe('with strace', () => {
  withStrace('the real disk takes the very steps of the simulated one', async () => {
    const { exitCode, points } = interrupted.trace(command);
    expect(exitCode).toBe(0);
    expect(interrupted.objectionsAfterSuccess()).toEqual([]);
    expect(stepsOf(points)).toEqual(await interrupted.simulatedSteps(library));
  });

  withStrace(
    'killed at every call, and with calls failing',
    async () => {
      const started = performance.now();
      const { points: all } = interrupted.trace(command);
      const points = all.filter(({ changes }) => changes);
      const looks = all.filter(({ changes }) => !changes);
      const share = effort > 1 ? 1 : 3;
      const failures = {
        EIO: [...oneIn(share, 0, points), ...oneIn(share * 4, 0, looks)],
        ENOSPC: oneIn(share, 1, points),
        // the kernel guards the old file (fs.protected_hardlinks): it is set aside as a copy
        EPERM: points.filter(({ call }) => call.startsWith('link')),
      };
      const plan = { command, library, points, failures };
      const { interruptions, violations } = await interruptEverywhere(interrupted, plan);
      const seconds = (performance.now() - started) / 1000;
      const counts = { crashPoints: all.length, states: interruptions * 2 };
      noteCrashRow(
        {
          rung,
          where: 'kill, EIO, ENOSPC at system calls',
          scenarios: 1,
          ...counts,
          violations: violations.length,
          seconds,
        },
        table,
      );
      expect(violations).toEqual([]);
      expect(interruptions).toBeGreaterThan(points.length);
    },
    1_800_000,
  );

  withStrace('the match path makes not one changing call', () => {
    interrupted.reset();
    expect(interrupted.run(command).exitCode).toBe(0);
    const { exitCode, points } = interrupted.traceAsItIs(command);
    expect(exitCode).toBe(0);
    expect(points.filter(({ changes }) => changes)).toEqual([]);
    expect(points.length).toBeGreaterThan(5);
  });
});

describe('each mutant is caught', () => {
  withStrace.each(mutants)(
    '$name',
    async (mutant) => {
      const mutated = [process.execPath, await buildCommand(mutant)];
      const { points } = interrupted.trace(mutated);
      const simulated = await interrupted.simulatedSteps(library);
      const differs = JSON.stringify(stepsOf(points)) !== JSON.stringify(simulated);
      const { violations } = await interruptEverywhere(interrupted, {
        command: mutated,
        library: await buildLibrary(mutant),
        points: differs ? [] : points.filter(({ changes }) => changes),
        failures: {},
        stopAtFirst: true,
      });
      const caught = differs || violations.length > 0;
      noteCrashRow({ rung, mutant: mutant.name, caught }, table);
      expect(caught).toBe(true);
    },
    600_000,
  );
});
