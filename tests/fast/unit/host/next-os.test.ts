/** An OS that is mounted somewhere is read as it will read itself, and nothing outside it is. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { DiskError, type Host } from '@edged/host/host';
import { resolveInside } from '@edged/host/linux-host';
import { nextOsHost } from '@edged/host/next-os';
import fc from 'fast-check';

let directory: string;
let root: string;

beforeEach(() => {
  directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'edged-next-')));
  root = path.join(directory, 'next');
  write('next/etc/hostname', 'next\n');
  write('next/usr/lib/os-release', 'ID=next\n');
  write('outside/secret', 'secret\n');
});
afterEach(() => fs.rmSync(directory, { recursive: true }));

function write(name: string, text: string): void {
  const file = path.join(directory, name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
}

function link(name: string, target: string): void {
  const file = path.join(root, name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.symlinkSync(target, file);
}

const textOf = (bytes: Uint8Array | undefined): string | undefined =>
  bytes && Buffer.from(bytes).toString();

function errnoOf(act: () => unknown): string {
  try {
    act();
    return 'none';
  } catch (error) {
    if (error instanceof DiskError) return error.errno;
    throw error;
  }
}

describe('resolveInside', () => {
  test.each<[string, string, string]>([
    ['a plain path', '/etc/hostname', 'etc/hostname'],
    ['the root itself', '/', ''],
    ['dots and double slashes', '//etc/./hostname', 'etc/hostname'],
    ['`..` above the root', '/../../../etc/hostname', 'etc/hostname'],
    ['`..` on the way', '/etc/../usr/lib', 'usr/lib'],
    ['what does not exist', '/var/none/file', 'var/none/file'],
    ['an absolute link', '/links/absolute', 'etc/hostname'],
    ['a relative link', '/links/relative', 'etc/hostname'],
    ['a relative link that climbs too high', '/links/high', 'etc/hostname'],
    ['a link to a directory, on the way', '/links/directory/hostname', 'etc/hostname'],
    ['a link to a link', '/links/chain', 'etc/hostname'],
    ['`..` behind a link: of where it leads', '/links/lib/../..', ''],
    ['a dangling link', '/links/dangling', 'none/there'],
    ['a link to the outside, by its real path', '/links/outside', 'OUTSIDE'],
  ])('%s', (_what, given, expected) => {
    const outside = path.join(directory, 'outside');
    link('links/absolute', '/etc/hostname');
    link('links/relative', '../etc/hostname');
    link('links/high', '../../../../../etc/hostname');
    link('links/directory', '/etc');
    link('links/chain', 'absolute');
    link('links/lib', '/usr/lib');
    link('links/dangling', '/none/there');
    link('links/outside', outside);
    const inside = expected === 'OUTSIDE' ? outside.slice(1) : expected;
    expect(resolveInside(root, given)).toBe(path.join(root, inside));
  });

  test('a circle is an error, and so is what lies behind it', () => {
    link('one', '/two');
    link('two', 'one');
    link('self', 'self/self');
    for (const given of ['/one', '/two/deeper', '/self']) {
      expect(errnoOf(() => resolveInside(root, given))).toBe('ELOOP');
    }
  });

  test('a chain that is too long does not lead the kernel out at its end', () => {
    const length = 60;
    for (let at = 0; at < length; at += 1) link(`chain/${at}`, `${at + 1}`);
    link(`chain/${length}`, path.join(directory, 'outside/secret'));
    expect(errnoOf(() => resolveInside(root, '/chain/0'))).toBe('ELOOP');
    const near = resolveInside(root, `/chain/${length - 10}`);
    expect(near).toBe(path.join(root, directory, 'outside/secret'));
  });

  test('whatever links there are, it stays inside and comes to an end', () => {
    const part = fc.constantFrom('a', 'b', 'c', '..', '.', 'etc');
    const target = fc
      .tuple(fc.constantFrom('', '/', `${os.tmpdir()}/`), fc.array(part, { minLength: 1 }))
      .map(([start, parts]) => start + parts.join('/'));
    const links = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'etc/a', 'etc/b'), target);
    const given = fc.array(part, { minLength: 1 }).map((parts) => `/${parts.join('/')}`);
    fc.assert(
      fc.property(links, given, (made, wanted) => {
        fs.rmSync(root, { recursive: true });
        fs.mkdirSync(path.join(root, 'etc'), { recursive: true });
        for (const [name, leads] of Object.entries(made)) link(name, leads);
        try {
          const found = resolveInside(root, wanted);
          expect(`${found}/`.startsWith(`${root}/`)).toBe(true);
          expect(found.split('/')).not.toContain('..');
          // there is no link left for the kernel to follow
          if (fs.existsSync(found)) expect(fs.realpathSync(found)).toBe(found);
        } catch (error) {
          if (!(error instanceof DiskError)) throw error;
          expect(error.errno).toBe('ELOOP');
        }
      }),
    );
  });
});

describe('the host of the next OS', () => {
  const kept = (): string => path.join(directory, 'kept');
  const mounted = (more = {}): Host =>
    nextOsHost(
      { root, osRelease: undefined, kernelRelease: '6.9.0', architecture: 'arm64', ...more },
      [kept()],
    );

  test('has its kernel, its architecture, and no command line yet', () => {
    const { system } = mounted();
    expect(system.kernelRelease()).toBe('6.9.0');
    expect(system.architecture()).toBe('arm64');
    expect(system.kernelCommandLine()).toBe('');
    const same = mounted({ architecture: undefined });
    expect(same.system.architecture()).toBe(process.arch);
  });

  test('has its os-release, through its own links', () => {
    link('etc/os-release', '/usr/lib/os-release');
    const { system } = mounted();
    for (const file of ['/etc/os-release', '/usr/lib/os-release']) {
      expect(textOf(system.readImageFile(file, 99))).toBe('ID=next\n');
    }
    expect(system.listImageDirectory('/etc')).toEqual(['hostname', 'os-release']);
    expect(system.readImageFile('/etc/none', 99)).toBeUndefined();
  });

  test('has the files of that OS, and those that survive', () => {
    write('kept/file', 'kept\n');
    write('kept-not/file', 'beside\n');
    const host = mounted();
    expect(textOf(host.readFile('/etc/hostname', 99))).toBe('next\n');
    expect(textOf(host.readFile(`${kept()}/file`, 99))).toBe('kept\n');
    expect(host.readFile(`${kept()}-not/file`, 99)).toBeUndefined();
    expect(host.fileMode('/etc/hostname')).toBe(0o644);
    expect(host.fileMode(`${kept()}/file`)).toBe(0o644);
    expect(host.listDirectory('/etc')).toEqual(['hostname']);
    expect(host.inspectDirectory('/etc')).toMatchObject({ canonicalPath: `${root}/etc` });
    expect(host.inspectDirectory(kept())).toMatchObject({ canonicalPath: kept() });
  });

  test('does not read the running OS through a link', () => {
    link('etc/secret', path.join(directory, 'outside/secret'));
    const host = mounted();
    expect(host.readFile('/etc/secret', 99)).toBeUndefined();
    expect(host.system.readImageFile('/etc/secret', 99)).toBeUndefined();
  });

  test('a slash at the end of the root is no other root', () => {
    link('etc/os-release', '/usr/lib/os-release');
    const host = mounted({ root: `${root}//` });
    expect(textOf(host.system.readImageFile('/etc/os-release', 99))).toBe('ID=next\n');
    expect(textOf(host.readFile('/etc/hostname', 99))).toBe('next\n');
  });

  test('known by its os-release file alone, it has both of them, and else the files of now', () => {
    write('release', 'ID=told\n');
    const osRelease = path.join(directory, 'release');
    const host = mounted({ root: undefined, osRelease });
    for (const file of ['/etc/os-release', '/usr/lib/os-release']) {
      expect(textOf(host.system.readImageFile(file, 99))).toBe('ID=told\n');
    }
    expect(textOf(host.readFile(path.join(directory, 'outside/secret'), 99))).toBe('secret\n');
    fs.rmSync(osRelease);
    expect(errnoOf(() => host.system.readImageFile('/etc/os-release', 99))).toBe('ENOENT');
  });
});
