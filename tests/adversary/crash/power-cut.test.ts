/**
 * Rung 3: power cuts on real filesystems. By default a slice of the cuts; CRASH_EFFORT=2 makes all of
 * them, with a check of the filesystem after each (`npm run test:power`).
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect } from '@jest/globals';
import { noteCrashRow } from '@edged/testkit/crash-table';
import { type Mutant, buildLibrary, mutants } from '@edged/testkit/mutants';
import { testWith } from '@edged/testkit/needs';
import { type Cut, allCuts, replay } from '@edged/testkit/power/power-replay';
import { type FileSystem, fileSystems, record, rigNeeds } from '@edged/testkit/power/power-rig';
import { liveThrough, prepareStateRoot } from '@edged/testkit/power/power-workload';

const effort = Number(process.env['CRASH_EFFORT'] ?? 1);
const table = process.env['CRASH_TABLE'];
const rung = '3 power cuts';
const replacements = 2;
const onTheRig = testWith(...rigNeeds);
const memory = fs.existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir();

interface Outcome {
  readonly entries: number;
  readonly cuts: number;
  readonly violations: readonly string[];
}

/** Records the life of a device and cuts the power where `choose` says. */
async function cutPower(
  fileSystem: FileSystem,
  mutant: Mutant | undefined,
  samples: number,
  choose: (cuts: readonly Cut[]) => readonly Cut[],
  stopAtFirst: boolean,
): Promise<Outcome> {
  const directory = fs.mkdtempSync(path.join(memory, 'edged-power-'));
  const library = await buildLibrary(mutant);
  const violations: string[] = [];
  let made = 0;
  try {
    const recording = await record(
      directory,
      fileSystem,
      prepareStateRoot,
      (mountPoint, acknowledge) =>
        liveThrough(mountPoint, replacements, library, mutant === undefined, acknowledge),
    );
    for (const cut of choose(allCuts(recording, samples))) {
      if (stopAtFirst && violations.length > 0) break;
      const found = await replay(recording, cut, directory, replacements, library, effort > 1);
      violations.push(...found);
      made += 1;
    }
    return { entries: recording.entries.length, cuts: made, violations };
  } finally {
    fs.rmSync(directory, { recursive: true });
  }
}

describe('power cuts', () => {
  onTheRig.each(fileSystems)(
    '$name',
    async (fileSystem) => {
      const started = performance.now();
      const share = effort > 1 ? 1 : 5;
      const slice = (cuts: readonly Cut[]): Cut[] => cuts.filter((_, index) => index % share === 0);
      const { entries, cuts, violations } = await cutPower(
        fileSystem,
        undefined,
        effort,
        slice,
        false,
      );
      const seconds = (performance.now() - started) / 1000;
      noteCrashRow(
        {
          rung,
          where: `${fileSystem.name}, ${entries} writes and flushes`,
          scenarios: replacements + 1,
          crashPoints: cuts,
          states: cuts,
          violations: violations.length,
          seconds,
        },
        table,
      );
      expect(violations).toEqual([]);
      expect(cuts).toBeGreaterThan(10);
    },
    3_600_000,
  );

  onTheRig.each(mutants.filter(({ hiddenByRealDisks }) => hiddenByRealDisks === undefined))(
    'the mutant "$name" is caught',
    async (mutant) => {
      const violations: string[] = [];
      for (const fileSystem of fileSystems) {
        const outcome = await cutPower(fileSystem, mutant, 2, (cuts) => cuts, true);
        violations.push(...outcome.violations);
        if (violations.length > 0) break;
      }
      noteCrashRow({ rung, mutant: mutant.name, caught: violations.length > 0 }, table);
      expect(violations).not.toEqual([]);
    },
    1_800_000,
  );
});
