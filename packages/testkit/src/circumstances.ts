/**
 * Where and as whom the tests run, found out by trying: root of a container has some of the rights
 * of root, and which it has no file says.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { command } from './device/built-command.ts';

const nobody = 65_534;
const tmpfsMagic = 0x01_02_19_94;

export const circumstances = {
  root: () => process.getuid?.() === 0,
  'a running systemd': () => fs.existsSync('/run/systemd/system'),
  '/etc/os-release': () => fs.existsSync('/etc/os-release'),
  'a dynamically linked /bin/ls': () =>
    fs.existsSync('/bin/ls') && fs.readFileSync('/bin/ls').includes('/ld-'),
  '/dev/fuse': () => fs.existsSync('/dev/fuse'),
  '/dev/shm': () => canWriteInMemory('/dev/shm'),
  'a temporary directory without blanks': () => !/\s/.test(os.tmpdir()),
  'an x86-64 machine': () => process.arch === 'x64',
  'the command on Node.js': () => !process.env['EDGED_EXECUTABLE'],
} as const satisfies Record<string, () => boolean>;

/** Asked of root only: whoever is not needs to be, in the first place. */
export const rightsOfRoot = {
  'the right to mount': () =>
    runs(['unshare', '--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/proc']) === 0,
  'loop devices': () => runs(['losetup', '-f']) === 0,
  'the right to give files away': () =>
    tryIn((directory) => fs.chownSync(directory, nobody, nobody)),
  'the right to make devices': () =>
    tryIn((directory) => {
      const node = path.join(directory, 'node');
      if (runs(['mknod', node, 'c', '1', '3']) !== 0) throw new Error('mknod');
    }),
  'paths that every user can reach': () => canNobodyReach(os.tmpdir(), command.at(-1) ?? ''),
} as const satisfies Record<string, () => boolean>;

export type Circumstance = keyof typeof circumstances;
export type RightOfRoot = keyof typeof rightsOfRoot;

/** The exit code of a program; undefined where it does not start. */
export function runs([program = '', ...args]: readonly string[]): number | null | undefined {
  const { error, status } = spawnSync(program, args, { stdio: 'ignore' });
  return error ? undefined : status;
}

export function freeGigabytes(): number {
  const { bavail, bsize } = fs.statfsSync(os.tmpdir());
  return (bavail * bsize) / 1e9;
}

function tryIn(act: (directory: string) => void, parent = os.tmpdir()): boolean {
  let directory: string | undefined;
  try {
    directory = fs.mkdtempSync(path.join(parent, 'edged-try-'));
    act(directory);
    return true;
  } catch {
    return false;
  } finally {
    if (directory !== undefined) fs.rmSync(directory, { recursive: true, force: true });
  }
}

function canWriteInMemory(directory: string): boolean {
  return tryIn(() => undefined, directory) && fs.statfsSync(directory).type === tmpfsMagic;
}

/** Another user can start Node.js, enter the directory and read the file. */
function canNobodyReach(directory: string, file: string): boolean {
  const look = 'for (const place of process.argv.slice(1)) fs.accessSync(place, fs.constants.R_OK)';
  const args = ['-e', look, path.join(directory, '.'), file];
  const { error, status } = spawnSync(process.execPath, args, { uid: nobody, stdio: 'ignore' });
  return !error && status === 0;
}
