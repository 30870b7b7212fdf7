/**
 * Spec I6 without a kernel: a second precheck on the same OS, beside one that reconstructs. A
 * matching boot takes no lock; so whatever step the first one has come to when the second one takes
 * its n-th look, the second must not pass while a change is under way.
 */
import { expect, test } from '@jest/globals';
import type { Disk } from '@edged/host/host';
import { PrecheckError } from '@edged/model/failure';
import { layout } from '@edged/model/layout';
import { precheck } from '@edged/precheck/precheck';
import { crashSetting } from '@edged/testkit/simulation/crash-scenarios';
import { SimDisk, type Tree } from '@edged/testkit/simulation/sim-disk';
import { simHost } from '@edged/testkit/simulation/sim-host';

const setting = await crashSetting(precheck);
const scenario = setting.scenarios.find(({ name }) => name === 'reconstruction, 1 operation');
if (!scenario) throw new Error('the scenario has another name now');
const { initial, os } = scenario;

/** Calls `before` ahead of each operation, which then goes to whatever disk it gives. */
function watched(before: () => SimDisk): Disk {
  return new Proxy(new SimDisk(new Map()), {
    get(_, name: keyof SimDisk) {
      return (...operands: never[]) => {
        const disk = before();
        return (disk[name] as (...operands: never[]) => unknown).apply(disk, operands);
      };
    },
  });
}

/** What can be seen on the disk while the first precheck works, in order. */
async function sightsOfReconstruction(): Promise<readonly Tree[]> {
  const disk = new SimDisk(initial);
  const sights: Tree[] = [];
  const beforeEach = (): SimDisk => {
    if (disk.steps.length >= sights.length) sights.push(disk.tree());
    return disk;
  };
  const host = { ...simHost(disk, os, setting.files), openDisk: () => watched(beforeEach) };
  await precheck(setting.order, host, () => undefined);
  return [...sights, disk.tree()];
}

/** The second precheck, for which the first one comes to `sight` at the n-th look. */
async function passesBeside(
  sight: Tree,
  turnsAt: number,
): Promise<[verdict: string, looks: number]> {
  const [before, after] = [new SimDisk(initial), new SimDisk(sight)];
  let looks = 0;
  const disk = watched(() => ((looks += 1) > turnsAt ? after : before));
  const host = {
    ...simHost(after, os, setting.files),
    openDisk: () => disk,
    tryLock: () => undefined,
  };
  try {
    return [(await precheck(setting.order, host, () => undefined)).decision, looks];
  } catch (error) {
    if (error instanceof PrecheckError) return [error.code, looks];
    throw error;
  }
}

test('a second precheck never passes while the first one is at work', async () => {
  const sights = await sightsOfReconstruction();
  const verdicts = new Map<string, number>();
  const wrong: string[] = [];
  for (const [step, sight] of sights.entries()) {
    const isAtWork = sight.has(layout.transaction);
    for (let turnsAt = 0, looks = 1; turnsAt <= looks; turnsAt += 1) {
      const [verdict, took] = await passesBeside(sight, turnsAt);
      looks = took;
      verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
      if (verdict === 'unchanged' && isAtWork) wrong.push(`step ${step}, look ${turnsAt}`);
    }
  }
  expect(wrong).toEqual([]);
  expect(sights.length).toBeGreaterThan(20);
  expect([...verdicts.keys()].sort()).toEqual(['state_root.locked', 'unchanged']);
});
