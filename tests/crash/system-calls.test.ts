/**
 * Rung 2: the real process on the real kernel. Needs strace(1). CRASH_EFFORT=2 tries every call,
 * with both errors; by default every kill and every second error.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { precheck } from '@edged/precheck/precheck';
import { InterruptedDevice, interruptEverywhere } from '@edged/testkit/interruption';
import { buildCommand, mutants } from '@edged/testkit/mutants';

const effort = Number(process.env['CRASH_EFFORT'] ?? 1);
const canTrace = spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0;
const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edged-calls-'));
const command = [process.execPath, await buildCommand(undefined)];
let interrupted: InterruptedDevice;

beforeAll(async () => {
  interrupted = await InterruptedDevice.make(directory, command);
});
afterAll(() => fs.rmSync(directory, { recursive: true }));

async function simulated(): Promise<string[]> {
  return interrupted.simulatedSteps((device, host) =>
    precheck(
      {
        stateRoot: {
          path: '/data/edged',
          skipMountCheck: true,
          allowRootFilesystem: false,
          lockWaitMilliseconds: 0,
        },
        certificate: {
          certFile: path.join(device.directory, 'edge.crt'),
          keyFile: path.join(device.directory, 'edge.key'),
          caFile: path.join(device.directory, 'edge.crt'),
        },
        builtAt: '2026-01-01T00:00:00Z',
        dryRun: false,
      },
      { ...host, readFile: (file) => fs.readFileSync(file) },
      () => undefined,
    ),
  );
}

/** The calls of the protocol: without the visible lock and without modes. */
function stepsOf(points: readonly { label: string }[]): string[] {
  const labels = points.map(({ label }) => label);
  return labels.filter((label) => !/\.precheck\.lock|^chmod/.test(label));
}

describe.each([canTrace])('with strace: %s', (isHere) => {
  const each = isHere ? test : test.skip;

  each('the real disk takes the very steps of the simulated one', async () => {
    const { exitCode, points } = interrupted.trace(command);
    expect(exitCode).toBe(0);
    expect(interrupted.objectionsAfterSuccess()).toEqual([]);
    expect(stepsOf(points)).toEqual(await simulated());
  });

  each(
    'killed at every call, and with every call failing',
    () => {
      const { points } = interrupted.trace(command);
      const errnos = effort > 1 ? ['EIO', 'ENOSPC'] : [];
      const kills = interruptEverywhere(interrupted, command, command, { points, errnos });
      const some = points.filter((_, index) => index % 2 === 0);
      const failures = effort > 1 ? undefined : failing(some);
      const violations = [...kills.violations, ...(failures?.violations ?? [])];
      const interruptions = kills.interruptions + (failures?.interruptions ?? 0);
      process.stderr.write(
        `rung 2 | reconstruction | ${points.length} calls, ${interruptions} interruptions\n`,
      );
      expect(violations).toEqual([]);
      expect(interruptions).toBeGreaterThan(points.length);
    },
    1_800_000,
  );

  each('the match path makes not one changing call', () => {
    interrupted.reset();
    expect(interrupted.run(command).exitCode).toBe(0);
    const { exitCode, points } = interrupted.traceAsItIs(command);
    expect(exitCode).toBe(0);
    expect(points).toEqual([]);
  });
});

describe('each mutant is caught', () => {
  (canTrace ? test.each(mutants) : test.skip.each(mutants))(
    '$name',
    async (mutant) => {
      const mutated = [process.execPath, await buildCommand(mutant)];
      const { points } = interrupted.trace(mutated);
      const differs = JSON.stringify(stepsOf(points)) !== JSON.stringify(await simulated());
      const { violations } = interruptEverywhere(interrupted, mutated, mutated, {
        points,
        errnos: [],
        stopAtFirst: true,
      });
      expect(differs || violations.length > 0).toBe(true);
    },
    600_000,
  );
});

function failing(points: Parameters<typeof interruptEverywhere>[3]['points']) {
  const [first, second] = ['EIO', 'ENOSPC'].map((errno, offset) =>
    interruptEverywhere(interrupted, command, command, {
      points: points.filter((_, index) => index % 2 === offset),
      errnos: [errno],
    }),
  );
  return {
    violations: [...(first?.violations ?? []), ...(second?.violations ?? [])],
    interruptions: (first?.interruptions ?? 0) + (second?.interruptions ?? 0),
  };
}
