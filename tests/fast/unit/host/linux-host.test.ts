import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { DiskError } from '@edged/host/host';
import { linuxHost, udevName } from '@edged/host/linux-host';
import { testWith } from '@edged/testkit/needs';

let directory: string;

beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edged-host-'));
});
afterEach(() => fs.rmSync(directory, { recursive: true }));

testWith('/etc/os-release')('the running OS', () => {
  const { system } = linuxHost();
  expect(system.kernelRelease()).toBe(fs.readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim());
  expect(system.architecture()).toBe(process.arch);
  expect(system.mounts().length).toBeGreaterThan(0);
  const release = fs.readFileSync('/etc/os-release');
  expect(Buffer.from(system.readImageFile('/etc/os-release', 1e6) ?? [])).toEqual(release);
});

test('another OS in its place', () => {
  fs.mkdirSync(path.join(directory, 'etc'));
  fs.writeFileSync(path.join(directory, 'etc/os-release'), 'ID=other\n');
  const { system } = linuxHost({ osRoot: directory, kernelRelease: 'other' });
  expect(Buffer.from(system.readImageFile('/etc/os-release', 99) ?? []).toString()).toBe(
    'ID=other\n',
  );
  expect(system.readImageFile('/usr/lib/os-release', 99)).toBeUndefined();
  expect(system.kernelRelease()).toBe('other');
});

describe('what is no regular file is refused, and not opened', () => {
  const errnoOf = (file: string): string => {
    try {
      linuxHost().readFile(file, 99);
      return 'none';
    } catch (error) {
      return (error as DiskError).errno;
    }
  };

  test('a device, also behind a link', () => {
    fs.symlinkSync('/dev/null', path.join(directory, 'masked'));
    expect(errnoOf('/dev/null')).toBe('EINVAL');
    expect(errnoOf(path.join(directory, 'masked'))).toBe('EINVAL');
    expect(() => linuxHost().system.readImageFile('/dev/zero', 99)).toThrow('EINVAL');
  });

  testWith('mkfifo')('a named pipe', () => {
    execFileSync('mkfifo', [path.join(directory, 'pipe')]);
    expect(errnoOf(path.join(directory, 'pipe'))).toBe('EINVAL');
  });

  test('a directory', () => expect(errnoOf(directory)).toBe('EISDIR'));
});

test('readLink: what a symlink says, and nothing of anything else', () => {
  fs.symlinkSync('over/there', path.join(directory, 'link'));
  fs.writeFileSync(path.join(directory, 'file'), '');
  const names = ['link', 'file', 'none', 'file/none'];
  expect(names.map((name) => linuxHost().readLink(path.join(directory, name)))).toEqual([
    'over/there',
    undefined,
    undefined,
    undefined,
  ]);
});

test('readFile: content, absent, over the limit, not readable as a file', () => {
  const host = linuxHost();
  const file = path.join(directory, 'f');
  fs.writeFileSync(file, '12345');
  expect(Buffer.from(host.readFile(file, 5) ?? []).toString()).toBe('12345');
  expect(host.readFile(path.join(directory, 'none'), 5)).toBeUndefined();
  expect(() => host.readFile(file, 4)).toThrow(DiskError);
  expect(() => host.readFile(directory, 4)).toThrow(DiskError);
});

describe('inspectDirectory', () => {
  test('missing, below a file, a file, a directory, through a symlink', () => {
    const host = linuxHost();
    const file = path.join(directory, 'f');
    fs.writeFileSync(file, '');
    fs.symlinkSync(directory, path.join(directory, 'link'));
    expect(host.inspectDirectory(path.join(directory, 'none'))).toBeUndefined();
    expect(host.inspectDirectory(path.join(file, 'below'))).toBeUndefined();
    expect(host.inspectDirectory(file)).toMatchObject({ isDirectory: false });
    expect(host.inspectDirectory(path.join(directory, 'link'))).toMatchObject({
      canonicalPath: fs.realpathSync(directory),
      isDirectory: true,
      mode: 0o700,
      ownedByUsOrRoot: true,
      access: 'writable',
    });
  });
});

test('the clock goes on and sleeps', () => {
  const { clock } = linuxHost();
  const before = clock.monotonicNanoseconds();
  clock.sleep(5);
  expect(clock.monotonicNanoseconds() - before).toBeGreaterThanOrEqual(4_000_000n);
  expect(Math.abs(clock.wallMilliseconds() - Date.now())).toBeLessThan(10_000);
});

test('the filesystem of a path has a number', () => {
  const { system } = linuxHost();
  expect(system.fileSystemNumber(directory)).toBe(fs.statSync(directory).dev);
  expect(() => system.fileSystemNumber(path.join(directory, 'none'))).toThrow(DiskError);
});

test.each([
  ['0a1B-ff', '0a1B-ff'],
  ['my data/1', String.raw`my\x20data\x2f1`],
  ['tab\tback\\', String.raw`tab\x09back\x5c`],
  ['dätä 😀', String.raw`dätä\x20😀`],
])('a disk called %j is linked as %s', (label, name) => {
  expect(udevName(label)).toBe(name);
});

test('a disk that nobody knows is undefined, as is what is no disk', () => {
  expect(linuxHost().system.blockDevice('path', 'tmpfs')).toBeUndefined();
  expect(linuxHost().system.blockDevice('path', '/etc/os-release')).toBeUndefined();
  expect(linuxHost().system.blockDevice('uuid', 'no/such disk')).toBeUndefined();
});
