/**
 * Whatever stands in the place of what precheck keeps for itself is damage, not a failing disk: the
 * next boot puts it right alone (spec I3), follows no link, and the epoch is what it was.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, beforeEach, describe, expect } from '@jest/globals';
import { layout } from '@edged/model/layout';
import { TestDevice } from '@edged/testkit/device/device';
import { type Need, testWith } from '@edged/testkit/needs';
import { testDirectory } from '@edged/testkit/test-directory';

const places = [
  layout.transaction,
  `${layout.transaction}/journal.json`,
  `${layout.transaction}/staged`,
  `${layout.transaction}/undo`,
  layout.fingerprint,
  layout.history,
  layout.lastResult,
  layout.resultStaging,
  layout.bootCount,
  layout.currentEpoch,
  `${layout.currentEpoch}/evidence.json`,
  layout.previousEpoch,
  `${layout.previousEpoch}/evidence.json`,
  'epoch/epoch_1800000000000000000.tmp',
  'epoch/epoch_1800000000000000000.tmp/evidence.json',
  'epoch/epoch_1800000000000000000.old',
  layout.lock,
];

type Make = (file: string, outside: string) => void;
const strange: readonly (readonly [string, Make, ...Need[]])[] = [
  ['an empty file', (file) => fs.writeFileSync(file, '')],
  ['an empty directory', (file) => fs.mkdirSync(file)],
  [
    'a full directory',
    (file) => fs.mkdirSync(path.join(file, 'journal.json'), { recursive: true }),
  ],
  ['a link to nowhere', (file) => fs.symlinkSync('nowhere', file)],
  ['a link outside', (file, outside) => fs.symlinkSync(outside, file)],
  ['a named pipe', (file) => execFileSync('mkfifo', [file]), 'mkfifo'],
];

const isNews = (line: string): boolean => !line.includes('mount_check_skipped');

// one device in epoch 1, and its state root anew for every test: making it takes most of the time
const directory = testDirectory('strange');
const device = new TestDevice(directory);
const [kept, outside] = [path.join(directory, 'kept'), path.join(directory, 'outside')];

beforeAll(async () => {
  await device.prepare();
  for (const version of ['1', '2']) {
    device.flash({ name: `${version}.0`, kernelRelease: `6.1.0-${version}` });
    await device.boot();
  }
  fs.renameSync(device.stateRoot, kept);
});
beforeEach(() => {
  for (const used of [device.stateRoot, outside]) fs.rmSync(used, { recursive: true, force: true });
  fs.cpSync(kept, device.stateRoot, { recursive: true });
  device.flash({ name: '2.0', kernelRelease: '6.1.0-2' });
  device.write('outside/secret', 'a secret');
});

describe.each(['boots again', 'has its OS replaced'])('a device that %s', (what) => {
  describe.each(strange)('with %s', (_kind, make, ...needs) => {
    testWith(...needs).each(places)('as %s', async (place) => {
      const file = device.inside(place);
      fs.rmSync(file, { recursive: true, force: true });
      fs.mkdirSync(path.dirname(file), { recursive: true });
      make(file, outside);
      const isReplaced = what === 'has its OS replaced';
      if (isReplaced) device.flash({ name: '3.0', kernelRelease: '6.1.0-3' });

      const { exitCode, logLines } = await device.boot();

      expect([exitCode, logLines.filter((line) => line.includes('ERROR'))]).toEqual([0, []]);
      const isCounted = isReplaced || place === layout.fingerprint; // lost, never new
      expect(device.fingerprint()['boot_epoch']).toBe(isCounted ? 2 : 1);
      expect([device.evidenceEpoch('current'), device.evidenceEpoch('previous')]).toEqual(
        isCounted ? [2, 1] : [1, 0],
      );
      expect(device.leftovers()).toEqual([]);
      expect(fs.readdirSync(outside)).toEqual(['secret']);
      expect((await device.boot()).logLines.filter(isNews)).toEqual([]);
    });
  });
});
