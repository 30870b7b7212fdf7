import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { flockPlaces, isLinuxLocked, tryLinuxLock } from '@edged/host/linux-lock';
import { parseMountInfo } from '@edged/host/linux-mounts';
import { holdLock } from '@edged/testkit/device/lock-holder';
import { testWith } from '@edged/testkit/needs';

const visible = '.precheck.lock';
let root: string;

beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), 'edged-lock-'));
});
afterEach(() => fs.rmSync(root, { recursive: true }));

test('held: another process is refused, this one too; released: both may', () => {
  const held = tryLinuxLock(root, visible);
  expect(held).toBeDefined();
  expect(fs.statSync(path.join(root, visible)).isDirectory()).toBe(true);
  expect(tryLinuxLock(root, visible)).toBeUndefined();
  held?.release();
  expect(fs.readdirSync(root)).toEqual([]);
  tryLinuxLock(root, visible)?.release();
});

testWith('flock')('flock(1) of a script and ours are one lock', () => {
  const script = (): number | null => spawnSync('flock', ['-n', root, 'true']).status;
  const held = tryLinuxLock(root, visible);
  expect(script()).toBe(1);
  held?.release();
  expect(script()).toBe(0);
});

test('held by another process: refused, and its visible lock stays', async () => {
  const holder = await holdLock(root);
  expect(tryLinuxLock(root, visible)).toBeUndefined();
  expect(fs.existsSync(path.join(root, visible))).toBe(true);
  await holder.kill();
  const held = tryLinuxLock(root, visible);
  expect(held).toBeDefined();
  held?.release();
});

test.each([
  ['by the table of mounts', () => parseMountInfo(fs.readFileSync('/proc/self/mountinfo', 'utf8'))],
  ['in a chroot whose root is no mount point: the table names none', () => []],
])('a lock that is held is seen from outside, %s', async (_where, mounts) => {
  expect(isLinuxLocked(root, mounts())).toBe(false);
  const holder = await holdLock(root);
  expect(isLinuxLocked(root, mounts())).toBe(true);
  await holder.kill();
  expect(isLinuxLocked(root, mounts())).toBe(false);
});

test.each<[string, (place: string) => void]>([
  ['an empty directory', (place) => fs.mkdirSync(place)],
  [
    'a directory with something in it',
    (place) => fs.mkdirSync(`${place}/x/y`, { recursive: true }),
  ],
  ['a plain file', (place) => fs.writeFileSync(place, 'x')],
  ['a dangling symlink', (place) => fs.symlinkSync('/nowhere/at/all', place)],
  ['a symlink to a directory', (place) => fs.symlinkSync('/usr', place)],
])('left behind as %s it is replaced', (_what, leave) => {
  leave(path.join(root, visible));
  const held = tryLinuxLock(root, visible);
  expect(held).toBeDefined();
  held?.release();
  expect(fs.readdirSync(root)).toEqual([]);
  expect(fs.existsSync('/usr/bin')).toBe(true);
});

describe('flock(1) is looked for', () => {
  const nowhere = '/nowhere/flock';

  test('in one place after the other', () => {
    const here = flockPlaces.find((place) => fs.existsSync(place));
    const held = tryLinuxLock(root, visible, [nowhere, here ?? 'flock']);
    expect(held).toBeDefined();
    held?.release();
  });

  test('by PATH, and else where distributions put it', () => {
    expect(flockPlaces).toEqual(['flock', '/usr/bin/flock', '/bin/flock']);
  });

  test('and without it there is no lock, and it is said', () => {
    expect(() => tryLinuxLock(root, visible, [nowhere, root])).toThrow(
      expect.objectContaining({
        name: 'LockUnavailable',
        cause: expect.objectContaining({ code: 'ENOENT', path: nowhere }),
      }),
    );
    expect(fs.readdirSync(root)).toEqual([]);
  });
});
