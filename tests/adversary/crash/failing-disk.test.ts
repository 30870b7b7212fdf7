/**
 * Rung 1, with a disk that refuses: every call of a reconstruction fails, once and for good, and the
 * failed runs are cut. A run that fails leaves files and records as they were (spec section 5), and
 * whatever it leaves, the next boot puts right. CRASH_SEED and CRASH_EFFORT as in
 * simulated-disk.test.ts.
 */
import { afterAll, describe, expect, test } from '@jest/globals';
import { precheck } from '@edged/precheck/precheck';
import { type Precheck, explore } from '@edged/testkit/simulation/crash-exploration';
import { crashSetting } from '@edged/testkit/simulation/crash-scenarios';
import { noteCrashRow } from '@edged/testkit/crash-table';
import { exploreFaults } from '@edged/testkit/simulation/fault-exploration';
import { buildPrecheck, withdrawalMutants } from '@edged/testkit/mutants';

const effort = Number(process.env['CRASH_EFFORT'] ?? 1);
const seed = Number(process.env['CRASH_SEED'] ?? 1);
const table = process.env['CRASH_TABLE'];
const rung = '1 refusing disk';
const total = { scenarios: 0, crashPoints: 0, states: 0, violations: 0 };
const started = performance.now();
const setting = await crashSetting(precheck);
const cuts = { depth: 1, exhaustiveUpTo: 2, sampled: 2 * effort, seed };
const named = (name: string) => setting.scenarios.filter((scenario) => scenario.name === name);
const failing = [
  'reconstruction, 0 operations',
  'reconstruction, 1 operation',
  'reconstruction, 5 operations',
  'reconstruction, 5 operations, old files of others',
  'back to the old OS during recovery',
  'rotation with a previous',
  'first run',
  'lost fingerprint',
  'lost evidence',
  'previous of an older epoch',
  'an epoch that was edited',
  'an OS that was counted, and not saved',
].flatMap(named);

afterAll(() => {
  const seconds = (performance.now() - started) / 1000;
  noteCrashRow({ rung, where: 'in memory, each call fails', ...total, seconds }, table);
});

test.each(failing)(
  '$name: nothing is changed by a run that fails',
  async (scenario) => {
    const isLarge = /5 operations|back to the old/.test(scenario.name);
    const oneIn = Math.max(1, Math.round((isLarge ? 12 : 3) / effort));
    const seen = await exploreFaults(scenario, { ...setting, ...cuts, precheck, oneIn });
    const { faults, refusals, boots } = seen;
    process.stderr.write(
      `rung 1 | ${scenario.name} | ${faults} calls refused, ${refusals} runs failed, ` +
        `${boots} boots after that\n`,
    );
    total.scenarios += 1;
    total.crashPoints += faults;
    total.states += boots;
    total.violations += seen.violations.length;
    expect(seen.violations).toEqual([]);
    expect(refusals).toBeGreaterThan(50);
  },
  900_000,
);

describe('a mutant is found', () => {
  const stopping = { ...setting, ...cuts, stopAtFirst: true };
  const takenBack = [
    'back to the old OS, which knows another key',
    'back to the old OS, which knows another key, old files of others',
  ].flatMap(named);

  test.each(withdrawalMutants)(
    '$name',
    async (mutant) => {
      const mutated = ((await import(await buildPrecheck(mutant))) as { precheck: Precheck })
        .precheck;
      const violations: string[] = [];
      for (const scenario of takenBack) {
        if (violations.length > 0) continue;
        const order = { ...stopping, precheck: mutated, oneIn: 1, exhaustiveUpTo: 6 };
        violations.push(...(await explore(scenario, order)).violations);
      }
      for (const scenario of named('reconstruction, 5 operations')) {
        if (violations.length > 0) continue;
        const order = { ...stopping, precheck: mutated, oneIn: 4 };
        violations.push(...(await exploreFaults(scenario, order)).violations);
      }
      noteCrashRow({ rung, mutant: mutant.name, caught: violations.length > 0 }, table);
      expect(violations).not.toEqual([]);
    },
    300_000,
  );
});
