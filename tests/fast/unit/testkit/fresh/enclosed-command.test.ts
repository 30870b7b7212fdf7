import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { runEnclosed } from '@edged/testkit/fresh/enclosed-command';
import { testWith } from '@edged/testkit/needs';

let directory = '';
let log = '';
beforeAll(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edged-enclosed-'));
  log = path.join(directory, 'log');
});
afterAll(() => fs.rmSync(directory, { recursive: true }));

/** Told from every other process by the time that it sleeps. */
const sleeper = `sleep 4${process.pid}`;
const sleepers = (): string[] =>
  fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      } catch {
        return '';
      }
    })
    .filter((command) => command === sleeper);
const mounts = (): string => fs.readFileSync('/proc/self/mounts', 'utf8');
/** Mounts, says so, and leaves a process in a session of its own behind. */
const script = (end: string): string[] => [
  'sh',
  '-c',
  `mount -t tmpfs tmpfs "$1"; grep -c " $1 " /proc/mounts; setsid ${sleeper} & ${end}`,
  'sh',
  directory,
];
const never = new AbortController().signal;

describe('leaves neither a process nor a mount behind', () => {
  const testEnclosed = testWith('unshare', 'mount', 'the right to mount', 'sleep', 'setsid');

  testEnclosed('when the command ends', async () => {
    const command = script('sleep 0.1; exit 7');
    const run = await runEnclosed(command, { log, limitSeconds: 30, interruption: never });
    expect(run).toMatchObject({ exitCode: 7, output: '1\n' });
    expect(fs.readFileSync(log, 'utf8')).toBe('1\n');
    expect(sleepers()).toEqual([]);
    expect(mounts()).not.toContain(directory);
  });

  testEnclosed('when its time is over', async () => {
    const options = { log, limitSeconds: 0.5, interruption: never };
    const run = await runEnclosed(script(`exec ${sleeper}`), options);
    expect(run).toMatchObject({ exitCode: undefined, output: '1\n' });
    expect(sleepers()).toEqual([]);
    expect(mounts()).not.toContain(directory);
  });

  testEnclosed('when the run is interrupted', async () => {
    const reason = new Error('interrupted');
    const controller = new AbortController();
    const options = { log, limitSeconds: 30, interruption: controller.signal };
    const running = runEnclosed(script(`exec ${sleeper}`), options);
    setTimeout(() => controller.abort(reason), 500);
    await expect(running).rejects.toBe(reason);
    expect(sleepers()).toEqual([]);
    expect(mounts()).not.toContain(directory);
  });
});
