/** A disk on which nothing happens answers as the real one on which it does. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Disk, DiskError, type Host } from '@edged/host/host';
import { openLinuxDisk } from '@edged/host/linux-disk';
import { linuxHost } from '@edged/host/linux-host';
import { rehearse } from '@edged/host/rehearsal';
import { loadWriting } from '@edged/host/writing';
import fc from 'fast-check';

let directory: string;

beforeAll(async () => {
  await loadWriting();
  directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'edged-rehearsal-')));
});
afterAll(() => fs.rmSync(directory, { recursive: true }));

/** What both begin with. */
function fill(root: string): void {
  fs.mkdirSync(path.join(root, 'a/b'), { recursive: true });
  fs.mkdirSync(path.join(root, 'c'));
  fs.writeFileSync(path.join(root, 'a/f'), 'first');
  fs.writeFileSync(path.join(root, 'a/b/f'), 'second, longer', { mode: 0o600 });
  fs.writeFileSync(path.join(root, 'f'), Buffer.alloc(1_100_000, 'large '), { mode: 0o755 });
}

/** Few names, so that operations meet. */
const places = fc
  .array(fc.constantFrom('a', 'b', 'c', 'f'), { minLength: 1, maxLength: 3 })
  .map((names) => names.join('/'));
const modes = fc.constantFrom(0o644, 0o600, 0o755);
const contents = fc.uint8Array({ maxLength: 8 });
const limit = 2_000_000;

interface Step {
  readonly name: string;
  readonly act: (disk: Disk) => unknown;
}

/** What the copy shows to its observer counts too. */
function copy(disk: Disk, from: string, to: string): unknown {
  const seen = createHash('sha256');
  const modeFor = (mode: number): number => mode & 0o744;
  const size = disk.copyFile(from, to, { modeFor, observe: (chunk) => seen.update(chunk) });
  return [size, seen.digest('hex')];
}

function scan(disk: Disk, from: string): unknown {
  const seen = createHash('sha256');
  return [disk.scanFile(from, (chunk) => seen.update(chunk)), seen.digest('hex')];
}

function look(disk: Disk, from: string): unknown {
  const { kind, mode, sizeBytes } = disk.status(from) ?? {};
  return [kind, mode, kind === 'file' ? sizeBytes : 0];
}

const one = (name: string, act: (disk: Disk, at: string) => unknown): fc.Arbitrary<Step> =>
  places.map((at) => ({ name: `${name} ${at}`, act: (disk) => act(disk, at) }));

const two = (
  name: string,
  act: (disk: Disk, from: string, to: string) => unknown,
): fc.Arbitrary<Step> =>
  fc.tuple(places, places).map(([from, to]) => ({
    name: `${name} ${from} ${to}`,
    act: (disk) => act(disk, from, to),
  }));

const step: fc.Arbitrary<Step> = fc.oneof(
  one('readFile', (disk, at) => textOf(disk.readFile(at, limit))),
  one('readFile (4)', (disk, at) => textOf(disk.readFile(at, 4))),
  one('scanFile', scan),
  one('status', look),
  one('list', (disk, at) => disk.list(at)),
  one('resolve', (disk, at) => disk.resolve(at)),
  fc.tuple(places, contents, modes).map(([at, bytes, mode]) => ({
    name: `createFile ${at} 0${mode.toString(8)} [${bytes.join()}]`,
    act: (disk: Disk) => disk.createFile(at, bytes, mode),
  })),
  two('copyFile', copy),
  one('createDirectory', (disk, at) => disk.createDirectory(at, 0o755)),
  two('link', (disk, from, to) => disk.link(from, to)),
  two('rename', (disk, from, to) => disk.rename(from, to)),
  one('removeFile', (disk, at) => disk.removeFile(at)),
  one('removeDirectory', (disk, at) => disk.removeDirectory(at)),
  one('syncDirectory', (disk, at) => disk.syncDirectory(at)),
);

function textOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes && Buffer.from(bytes).toString('latin1');
}

function outcomeOf(act: () => unknown): unknown {
  try {
    return act() ?? 'done';
  } catch (error) {
    if (error instanceof DiskError) return error.errno;
    throw error;
  }
}

/** All that can be seen of it: by path, kind, mode, size and content. */
function viewOf(disk: Disk, at = ''): Record<string, unknown> {
  const view: Record<string, unknown> = {};
  for (const name of disk.list(at) ?? []) {
    const entry = at === '' ? name : `${at}/${name}`;
    const isFile = disk.status(entry)?.kind === 'file';
    view[entry] = [look(disk, entry), isFile ? scan(disk, entry) : 'directory'];
    if (isFile)
      expect(textOf(disk.readFile(entry, limit))?.length).toBe(disk.status(entry)?.sizeBytes);
    else Object.assign(view, viewOf(disk, entry));
  }
  return view;
}

/** Names, and when each last changed in any way. */
function traceOf(root: string): string[] {
  return fs
    .readdirSync(root, { recursive: true, encoding: 'utf8' })
    .concat('.')
    .sort()
    .map((name) => {
      const { ctimeNs, ino, nlink } = fs.lstatSync(path.join(root, name), { bigint: true });
      return `${name} ${ino} ${nlink} ${ctimeNs}`;
    });
}

/** Both ways, on two directories that are alike; `real` is changed, `rehearsed` is not. */
function sideBySide(act: (real: Disk, rehearsed: Disk, host: Host) => void): void {
  const [real, copied] = ['real', 'copied'].map((name) => path.join(directory, name));
  if (real === undefined || copied === undefined) return;
  for (const root of [real, copied]) {
    fs.rmSync(root, { recursive: true, force: true });
    fs.mkdirSync(root);
    fill(root);
  }
  const before = traceOf(copied);
  const { host, close } = rehearse(linuxHost());
  const disks = [openLinuxDisk(real), host.openDisk(copied)] as const;
  try {
    act(...disks, host);
    expect(viewOf(disks[1])).toEqual(viewOf(disks[0]));
    expect(traceOf(copied)).toEqual(before);
  } finally {
    for (const disk of disks) disk.close();
    close();
  }
}

test('any sequence of operations: the same results, errors, and view at the end', () => {
  const outcomes = new Map<string, number>();
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 25 }), (steps) => {
      sideBySide((real, rehearsed) => {
        for (const { name, act } of steps) {
          const expected = outcomeOf(() => act(real));
          expect([name, outcomeOf(() => act(rehearsed))]).toEqual([name, expected]);
          const kind = typeof expected === 'string' ? expected : 'result';
          outcomes.set(kind, (outcomes.get(kind) ?? 0) + 1);
        }
      });
    }),
    { numRuns: 400 },
  );
  // and it was not all errors, nor without them
  for (const kind of ['done', 'result', 'ENOENT', 'ENOTDIR', 'EEXIST', 'EINVAL', 'ENOTEMPTY']) {
    expect(outcomes.get(kind)).toBeGreaterThan(10);
  }
});

describe('what the protocol does', () => {
  test.each<[string, (disk: Disk) => void]>([
    [
      'a directory moved over an empty one, and another into its place',
      (disk) => {
        disk.createDirectory('c/empty', 0o755);
        disk.rename('a', 'c/empty');
        disk.rename('c', 'a');
      },
    ],
    [
      'a file replaced by its successor, the old one kept under a second name',
      (disk) => {
        disk.link('a/f', 'c/kept');
        disk.createFile('c/next', Buffer.from('next'), 0o755);
        disk.rename('c/next', 'a/f');
      },
    ],
    [
      'two names of one file, renamed onto each other: both stay',
      (disk) => {
        disk.link('a/f', 'c/kept');
        disk.rename('c/kept', 'a/f');
      },
    ],
    [
      'a tree removed and made again',
      (disk) => {
        disk.removeFile('a/b/f');
        disk.removeDirectory('a/b');
        disk.removeFile('a/f');
        disk.removeDirectory('a');
        disk.createDirectory('a', 0o700);
        disk.createFile('a/new', Buffer.from('new'), 0o600);
      },
    ],
    [
      'a directory in the place of a file',
      (disk) => {
        disk.removeFile('f');
        disk.createDirectory('f', 0o755);
        disk.createFile('f/inside', Buffer.from('x'), 0o644);
      },
    ],
  ])('%s', (_what, act) =>
    sideBySide((real, rehearsed) => {
      for (const disk of [real, rehearsed]) expect(outcomeOf(() => act(disk))).toBe('done');
    }),
  );
});

test('the changes are the files that differ, directories and passing names left out', () => {
  const root = path.join(directory, 'changes');
  fs.mkdirSync(root);
  fill(root);
  const { host, changes } = rehearse(linuxHost());
  const disk = host.openDisk(root);
  disk.createFile('c/passing', Buffer.from('x'), 0o644);
  disk.removeFile('c/passing');
  disk.removeDirectory('c');
  disk.createFile('a/next', Buffer.from('next'), 0o644);
  disk.rename('a/next', 'a/f');
  disk.rename('a/b', 'a/moved');
  disk.removeFile('f');
  disk.createDirectory('f', 0o755);
  disk.createFile('f/inside', Buffer.from('x'), 0o644);
  disk.close();
  expect(changes()).toEqual([
    { path: `${root}/a/b/f`, change: 'removed' },
    { path: `${root}/a/f`, change: 'replaced' },
    { path: `${root}/a/moved/f`, change: 'added' },
    { path: `${root}/f`, change: 'removed' },
    { path: `${root}/f/inside`, change: 'added' },
  ]);
});

test('the host sees what its disks would have written, by absolute path', () => {
  const root = path.join(directory, 'host');
  fs.mkdirSync(root);
  fill(root);
  const { host } = rehearse(linuxHost());
  const disk = host.openDisk(root);
  disk.createFile('a/next', Buffer.from('next'), 0o644);
  disk.createDirectory('d', 0o755);
  disk.removeFile('f');
  expect(textOf(host.readFile(`${root}/a/next`, 9))).toBe('next');
  expect(textOf(host.readFile(`${root}/a/f`, 9))).toBe('first');
  expect(host.readFile(`${root}/f`, limit)).toBeUndefined();
  expect(host.inspectDirectory(`${root}/d`)).toMatchObject({ isDirectory: true, mode: 0o755 });
  disk.close();
});

test('a directory that is not ours to write in is refused as the machine would', () => {
  const root = path.join(directory, 'denied');
  fs.mkdirSync(root);
  fill(root);
  const denied = (access: 'denied' | 'read_only_mount'): Disk => {
    const host = linuxHost();
    const inspectDirectory: Host['inspectDirectory'] = (at) => {
      const found = host.inspectDirectory(at);
      return found && { ...found, access };
    };
    return rehearse({ ...host, inspectDirectory }).host.openDisk(root);
  };
  for (const [access, errno] of [
    ['denied', 'EACCES'] as const,
    ['read_only_mount', 'EROFS'] as const,
  ]) {
    const disk = denied(access);
    const acts: ((each: Disk) => void)[] = [
      (each) => each.createFile('a/new', new Uint8Array(1), 0o644),
      (each) => each.createDirectory('d', 0o755),
      (each) => each.rename('a/f', 'c/f'),
      (each) => each.link('a/f', 'c/f'),
      (each) => each.removeFile('a/f'),
      (each) => each.removeDirectory('c'),
      (each) => copy(each, 'a/f', 'c/f'),
    ];
    for (const act of acts) expect(outcomeOf(() => act(disk))).toBe(errno);
    disk.close();
  }
});

test('no lock is taken, and one that is held is respected', () => {
  const root = path.join(directory, 'locked');
  fs.mkdirSync(root);
  const free = { ...linuxHost(), isLocked: () => false };
  rehearse(free).host.tryLock(root, '.lock')?.release();
  expect(fs.readdirSync(root)).toEqual([]);
  const taken = { ...linuxHost(), isLocked: () => true };
  expect(rehearse(taken).host.tryLock(root, '.lock')).toBeUndefined();
});
