import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Disk, DiskError } from '@edged/host/host';
import { openLinuxDisk } from '@edged/host/linux-disk';
import { loadWriting } from '@edged/host/writing';
import { testWith } from '@edged/testkit/needs';

await loadWriting();
let directory: string;
let root: string;
let disk: Disk;

beforeEach(() => {
  directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'edged-disk-')));
  root = path.join(directory, 'root');
  fs.mkdirSync(path.join(root, 'dir'), { recursive: true });
  fs.mkdirSync(path.join(directory, 'outside'));
  fs.writeFileSync(path.join(root, 'dir/file'), 'content');
  fs.writeFileSync(path.join(directory, 'outside/file'), 'outside');
  disk = openLinuxDisk(root);
});
afterEach(() => {
  disk.close();
  fs.rmSync(directory, { recursive: true });
});

function errnoOf(act: () => unknown): string {
  try {
    act();
    return 'none';
  } catch (error) {
    if (error instanceof DiskError) return error.errno;
    throw error;
  }
}

const text = (bytes: Uint8Array | undefined): string | undefined =>
  bytes && Buffer.from(bytes).toString();

describe('reading', () => {
  test('a file, an absent one, one over the limit', () => {
    expect(text(disk.readFile('dir/file', 7))).toBe('content');
    expect(disk.readFile('dir/none', 7)).toBeUndefined();
    expect(disk.readFile('none/none', 7)).toBeUndefined();
    expect(errnoOf(() => disk.readFile('dir/file', 6))).toBe('EFBIG');
  });

  testWith('mkfifo')('a directory, a FIFO and a device are no files, and nobody waits', () => {
    execFileSync('mkfifo', [path.join(root, 'fifo')]);
    expect(errnoOf(() => disk.readFile('dir', 9))).toBe('EINVAL');
    expect(errnoOf(() => disk.readFile('fifo', 9))).toBe('EINVAL');
    expect(errnoOf(() => disk.scanFile('fifo', () => undefined))).toBe('EINVAL');
  });

  test('scanFile sees every byte once, in order', () => {
    const bytes = Buffer.from(Array.from({ length: 2_500_000 }, (_, index) => index % 253));
    fs.writeFileSync(path.join(root, 'large'), bytes);
    const chunks: Buffer[] = [];
    expect(disk.scanFile('large', (chunk) => chunks.push(Buffer.from(chunk)))).toBe(true);
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
    expect(disk.scanFile('none', () => undefined)).toBe(false);
  });

  test('status and list', () => {
    expect(disk.status('dir')).toMatchObject({ kind: 'directory' });
    expect(disk.status('dir/file')).toMatchObject({ kind: 'file', sizeBytes: 7 });
    expect(disk.status('none')).toBeUndefined();
    fs.writeFileSync(path.join(root, 'dir/a'), '');
    expect(disk.list('dir')).toEqual(['a', 'file']);
    expect(disk.list('none')).toBeUndefined();
    expect(disk.freeBytes()).toBeGreaterThan(0);
  });
});

describe('no symlink is followed', () => {
  beforeEach(() => {
    fs.symlinkSync(path.join(directory, 'outside'), path.join(root, 'way'));
    fs.symlinkSync(path.join(directory, 'outside/file'), path.join(root, 'dir/last'));
  });

  test.each<[string, (disk: Disk) => unknown]>([
    ['readFile, on the way', (each) => each.readFile('way/file', 99)],
    ['readFile, at the end', (each) => each.readFile('dir/last', 99)],
    ['scanFile', (each) => each.scanFile('dir/last', () => undefined)],
    ['list', (each) => each.list('way')],
    ['createFile', (each) => each.createFile('way/new', new Uint8Array(1), 0o644)],
    ['createDirectory', (each) => each.createDirectory('way/new', 0o755)],
    ['rename into', (each) => each.rename('dir/file', 'way/file')],
    ['rename out of', (each) => each.rename('way/file', 'dir/stolen')],
    ['link', (each) => each.link('way/file', 'dir/linked')],
    ['removeFile', (each) => each.removeFile('way/file')],
    ['syncDirectory', (each) => each.syncDirectory('way')],
    [
      'copyFile from',
      (each) =>
        each.copyFile('dir/last', 'dir/copy', {
          modeFor: (mode) => mode,
          observe: () => undefined,
        }),
    ],
    [
      'copyFile to',
      (each) =>
        each.copyFile('dir/file', 'way/copy', {
          modeFor: (mode) => mode,
          observe: () => undefined,
        }),
    ],
  ])('%s', (_what, act) => {
    expect(errnoOf(() => act(disk))).toMatch(/^E(?:LOOP|NOTDIR)$/);
    expect(fs.readdirSync(path.join(directory, 'outside'))).toEqual(['file']);
    expect(fs.readFileSync(path.join(directory, 'outside/file'), 'utf8')).toBe('outside');
  });

  test('a directory that becomes a symlink after it was resolved leads nowhere', () => {
    expect(disk.resolve('dir/new')).toBe('dir/new');
    fs.renameSync(path.join(root, 'dir'), path.join(root, 'moved'));
    fs.symlinkSync(path.join(directory, 'outside'), path.join(root, 'dir'));
    expect(errnoOf(() => disk.createFile('dir/new', new Uint8Array(1), 0o644))).toMatch(/^E/);
    expect(fs.readdirSync(path.join(directory, 'outside'))).toEqual(['file']);
  });
});

describe('resolve', () => {
  test.each<[string, string | undefined]>([
    ['', ''],
    ['dir/file', 'dir/file'],
    ['dir/none/deeper', 'dir/none/deeper'],
    ['dir/file/below', 'dir/file/below'],
    ['inside/file', 'dir/file'],
    ['inside/none', 'dir/none'],
    ['out', undefined],
    ['out/file', undefined],
    ['dangling', undefined],
    ['dangling/x', undefined],
    ['circle', undefined],
    ['circle/x', undefined],
  ])('%j is %j', (given, expected) => {
    fs.symlinkSync('dir', path.join(root, 'inside'));
    fs.symlinkSync('../outside', path.join(root, 'out'));
    fs.symlinkSync('nowhere', path.join(root, 'dangling'));
    fs.symlinkSync('circle', path.join(root, 'circle'));
    expect(disk.resolve(given)).toBe(expected);
  });
});

describe('writing', () => {
  test('createFile makes a new file with these bytes and this mode, and never replaces one', () => {
    disk.createFile('dir/new', Buffer.from('x'), 0o640);
    expect(fs.readFileSync(path.join(root, 'dir/new'), 'utf8')).toBe('x');
    expect(fs.statSync(path.join(root, 'dir/new')).mode & 0o777).toBe(0o640);
    expect(errnoOf(() => disk.createFile('dir/new', Buffer.from('y'), 0o640))).toBe('EEXIST');
    expect(fs.readdirSync(path.join(root, 'dir')).sort()).toEqual(['file', 'new']);
  });

  test('copyFile shows every byte that it wrote, and sets the mode asked for', () => {
    const bytes = Buffer.alloc(2_200_000, 'abc');
    fs.writeFileSync(path.join(root, 'large'), bytes, { mode: 0o755 });
    const seen: Buffer[] = [];
    const size = disk.copyFile('large', 'dir/copy', {
      modeFor: (mode) => mode & 0o700,
      observe: (chunk) => seen.push(Buffer.from(chunk)),
    });
    expect(size).toBe(bytes.length);
    expect(Buffer.concat(seen).equals(bytes)).toBe(true);
    expect(fs.readFileSync(path.join(root, 'dir/copy')).equals(bytes)).toBe(true);
    expect(fs.statSync(path.join(root, 'dir/copy')).mode & 0o777).toBe(0o700);
  });

  test('the names of things', () => {
    disk.createDirectory('d', 0o700);
    disk.link('dir/file', 'd/second');
    disk.rename('d/second', 'd/third');
    expect(errnoOf(() => disk.rename('d', 'dir'))).toBe('ENOTEMPTY');
    expect(errnoOf(() => disk.removeDirectory('d'))).toBe('ENOTEMPTY');
    disk.removeFile('d/third');
    disk.removeDirectory('d');
    disk.syncDirectory('');
    disk.syncDirectory('dir');
    expect(fs.readdirSync(root)).toEqual(['dir']);
  });

  test('no descriptor is left open', () => {
    const open = (): number => fs.readdirSync('/proc/self/fd').length;
    const before = open();
    for (let count = 0; count < 20; count += 1) {
      disk.readFile('dir/file', 9);
      errnoOf(() => disk.readFile('dir', 9));
      errnoOf(() => disk.createFile('dir/file', new Uint8Array(1), 0o644));
      disk.list('dir');
    }
    expect(open()).toBe(before);
  });
});

describe('on a full disk', () => {
  testWith('mount', 'the right to mount')('a file is whole or not there', () => {
    const small = path.join(directory, 'small');
    fs.mkdirSync(small);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', small]);
    const full = openLinuxDisk(small);
    try {
      fs.writeFileSync(path.join(small, 'good'), 'good');
      expect(errnoOf(() => full.createFile('large', Buffer.alloc(70_000, 'x'), 0o644))).toMatch(
        /^E(?:NOSPC|SHORT)$/,
      );
      expect(fs.readdirSync(small)).toEqual(['good']);
      full.createFile('fits', Buffer.alloc(100), 0o644);
    } finally {
      full.close();
      execFileSync('umount', [small]);
    }
  });
});
