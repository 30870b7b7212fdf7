/**
 * Rung 1: every step of every scenario is a point at which the power fails, on a disk that keeps no
 * more than it must. CRASH_SEED and CRASH_EFFORT (a whole number, default 1) make it another, longer
 * walk.
 */
import { afterAll, describe, expect, test } from '@jest/globals';
import { precheck } from '@edged/precheck/precheck';
import {
  type Exploration,
  type Precheck,
  explore,
} from '@edged/testkit/simulation/crash-exploration';
import { crashSetting } from '@edged/testkit/simulation/crash-scenarios';
import { noteCrashRow } from '@edged/testkit/crash-table';
import { buildPrecheck, mutants, rotationMutants } from '@edged/testkit/mutants';
import type { SimDiskFlaws } from '@edged/testkit/simulation/sim-disk';

const effort = Number(process.env['CRASH_EFFORT'] ?? 1);
const seed = Number(process.env['CRASH_SEED'] ?? 1);
const table = process.env['CRASH_TABLE'];
const rung = '1 simulated disk';
const setting = await crashSetting(precheck);
const total = { scenarios: 0, crashPoints: 0, states: 0, violations: 0 };
const started = performance.now();

afterAll(() => {
  const seconds = (performance.now() - started) / 1000;
  noteCrashRow({ rung, where: 'in memory', ...total, seconds }, table);
});

/** Which of the mutants are faults of the disk's adapter, and what the simulated disk calls them. */
const flawOf: Readonly<Record<string, SimDiskFlaws>> = {
  'no fsync of files': { skipFileSync: true },
  'no fsync of directories': { skipDirectorySync: true },
  'written in place': { installInPlace: true },
};

describe('no cut of the power loses an epoch, tears a file or needs a hand', () => {
  test.each(setting.scenarios)(
    '$name',
    async (scenario) => {
      const isLarge = /5 operations|back to the old/.test(scenario.name);
      // taking back is cut again where the old OS comes up; here that would take minutes
      const depth = scenario.name === 'another key since the cut' ? 1 : 2;
      const seen = await explore(scenario, {
        ...setting,
        precheck,
        depth,
        exhaustiveUpTo: isLarge ? 7 : 6,
        sampled: 8 * effort,
        oneIn: Math.max(1, Math.round((isLarge ? 400 : 10) / effort)),
        seed,
      });
      total.scenarios += 1;
      total.crashPoints += seen.crashPoints;
      total.states += seen.states;
      total.violations += seen.violations.length;
      expect(seen.violations).toEqual([]);
      expect(seen.states).toBeGreaterThan(0);
      expect(seen.runs).toBeGreaterThan(1);
      process.stderr.write(`rung 1 | ${scenario.name} | ${summary(seen)}\n`);
    },
    900_000,
  );
});

describe('each mutant is caught', () => {
  test.each([...mutants, ...rotationMutants])('$name', async (mutant) => {
    const flaws = flawOf[mutant.name];
    const mutated = flaws ? precheck : await load(await buildPrecheck(mutant));
    const violations: string[] = [];
    for (const scenario of setting.scenarios) {
      const { violations: found } = await explore(scenario, {
        ...setting,
        precheck: mutated,
        depth: 1,
        exhaustiveUpTo: 6,
        sampled: 8,
        oneIn: 1,
        seed,
        stopAtFirst: true,
        ...(flaws ? { flaws } : {}),
      });
      violations.push(...found);
      if (found.length > 0) break;
    }
    noteCrashRow({ rung, mutant: mutant.name, caught: violations.length > 0 }, table);
    expect(violations).not.toEqual([]);
  });
});

async function load(file: string): Promise<Precheck> {
  return ((await import(file)) as { precheck: Precheck }).precheck;
}

function summary({ crashPoints, states, runs, sampledPoints, notCutAgain }: Exploration): string {
  return (
    `${crashPoints} crash points (${sampledPoints} sampled), ${states} states, ` +
    `${runs} runs, ${notCutAgain} of them not cut again`
  );
}
