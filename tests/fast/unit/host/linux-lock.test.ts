import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { tryLinuxLock } from '@edged/host/linux-lock';

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
  expect(spawnSync('flock', ['-n', root, 'true']).status).toBe(1);
  held?.release();
  expect(fs.readdirSync(root)).toEqual([]);
  expect(spawnSync('flock', ['-n', root, 'true']).status).toBe(0);
  tryLinuxLock(root, visible)?.release();
});

test('held by another process: refused, and its visible lock stays', async () => {
  const holder = spawn('flock', ['-o', root, 'sleep', '30'], { detached: true });
  await once(holder, 'spawn');
  while (spawnSync('flock', ['-n', root, 'true']).status === 0);
  fs.mkdirSync(path.join(root, visible));
  expect(tryLinuxLock(root, visible)).toBeUndefined();
  expect(fs.existsSync(path.join(root, visible))).toBe(true);
  process.kill(-(holder.pid ?? 0), 'SIGKILL');
  await once(holder, 'exit');
  const held = tryLinuxLock(root, visible);
  expect(held).toBeDefined();
  held?.release();
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

test('without flock(1) there is no lock, and it is said', () => {
  const module = new URL('../../../../packages/host/dist/linux-lock.js', import.meta.url).pathname;
  const script = `
    import { tryLinuxLock } from ${JSON.stringify(module)};
    try { tryLinuxLock(process.argv[1], '.l'); } catch (error) { console.log(error.name); }`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script, root], {
    env: { PATH: '/nonexistent' },
    encoding: 'utf8',
  });
  expect(stdout.trim()).toBe('LockUnavailable');
});
