/** The units and their installer, as far as they can be judged without booting. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { testWith } from '@edged/testkit/needs';
import { testDirectory } from '@edged/testkit/test-directory';

const directory = testDirectory('units');
const installer = path.join(process.cwd(), 'systemd/install');

function install(...args: readonly string[]): {
  status: number | null;
  stdout: string;
  stderr: string;
} {
  return spawnSync('sh', [installer, ...args], { encoding: 'utf8' });
}

function render(name: string, prefix = '/usr', stateRoot = '/data/edged'): string {
  const destdir = path.join(directory, name);
  const args = ['--prefix', prefix, '--state-root', stateRoot, '--destdir', destdir];
  const { status, stderr } = install(...args);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return path.join(destdir, 'etc/systemd/system');
}

const textOf = (units: string, name: string): string =>
  fs.readFileSync(path.join(units, name), 'utf8');

describe('install', () => {
  test('leaves no placeholder, and doing it again changes nothing', () => {
    const units = render('once and again');
    const read = (): string[] =>
      fs.readdirSync(units).map((name) => fs.readFileSync(path.join(units, name), 'utf8'));
    const once = read();
    expect(fs.readdirSync(units).sort()).toEqual([
      'edged-bless.service',
      'edged-failure.service',
      'edged-precheck.service',
      'edged.service',
    ]);
    expect(once.join('')).not.toMatch(/@[A-Z_]+@/);
    render('once and again');
    expect(read()).toEqual(once);
    expect(fs.statSync(path.join(units, 'edged.service')).mode & 0o777).toBe(0o644);
  });

  test.each(['edged.8', 'edged.8.gz'])('names the manual page where %s is installed', (page) => {
    const manual = path.join(directory, `with-${page}`, 'usr/share/man/man8');
    const documented = (): string[] => {
      const units = render(`with-${page}`);
      return fs
        .readdirSync(units)
        .filter((name) => /^Documentation=man:edged\(8\)$/m.test(textOf(units, name)));
    };
    expect(documented()).toEqual([]);
    fs.mkdirSync(manual, { recursive: true });
    fs.writeFileSync(path.join(manual, page), '');
    expect(documented()).toHaveLength(3);
  });

  test('--dry-run prints and writes nothing', () => {
    const destdir = path.join(directory, 'dry');
    const { status, stdout } = install(
      '--prefix',
      '/usr',
      '--state-root',
      '/data',
      '--destdir',
      destdir,
      '--dry-run',
    );
    expect(status).toBe(0);
    expect(stdout).toContain('ExecStart=/usr/bin/edged precheck');
    expect(fs.existsSync(destdir)).toBe(false);
  });

  test.each([
    [[], '--prefix is required'],
    [['--prefix', '/usr'], '--state-root is required'],
    [['--prefix', 'usr', '--state-root', '/data'], 'absolute'],
    [['--prefix', '/usr', '--state-root', '/data/with space'], 'may hold'],
    [['--prefix', '/usr', '--state-root', '/data|x'], 'may hold'],
    [['--prefix', '/usr', '--state-root', '/data%i'], 'may hold'],
    [['--prefix', '/usr', '--state-root', '/data\nExecStart=/bin/sh'], 'may hold'],
    [['--prefix', '/usr', '--state-root', '/data/../etc'], 'plain path'],
    [['--prefix', '/usr', '--state-root', '/'], 'must not be /'],
    [['--prefix', '/usr', '--state-root', '/data', '--destdir', 'image'], 'absolute'],
    [['--prefix'], 'needs a directory'],
    [['--bogus'], 'unknown argument'],
  ])('refuses %j', (args, words) => {
    const { status, stdout, stderr } = install(...args);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain(words);
  });
});

function unit(name: string): string {
  return fs.readFileSync(path.join(render('units'), name), 'utf8');
}

describe('the units', () => {
  test('are what the contract asks for', () => {
    expect(unit('edged-precheck.service').split('\n')).toEqual(
      expect.arrayContaining([
        'Type=oneshot',
        'RemainAfterExit=yes',
        'RequiresMountsFor=/data/edged',
        'Before=edged.service',
      ]),
    );
    expect(unit('edged.service').split('\n')).toEqual(
      expect.arrayContaining(['Requires=edged-precheck.service', 'After=edged-precheck.service']),
    );
  });

  test('deny memory that is writable and executable only where nothing compiles at run time', () => {
    const precheck = unit('edged-precheck.service');
    expect(precheck).toMatch(/^MemoryDenyWriteExecute=yes$/m);
    expect(precheck).toMatch(/^Environment=BUN_JSC_useJIT=0$/m);
    const plain = fs.readFileSync('systemd/edged-precheck.service.d/plain-node.conf', 'utf8');
    expect(plain).toMatch(/^MemoryDenyWriteExecute=no$/m);
  });

  test('every directive of the sandbox is explained', () => {
    const page = fs.readFileSync('systemd/README.md', 'utf8');
    const generic = /^(?:Protect|Restrict|Lock|Remove|Keyring|NoNew|SystemCall|Ambient)/;
    const names = [...unit('edged-precheck.service').matchAll(/^(\w+)=/gm)].map(
      ([, name]) => name ?? '',
    );
    const silent = names.filter((name) => !generic.test(name) && !page.includes(name));
    expect(silent).toEqual(['Description']);
  });

  const inPlainPlace = testWith('systemd-analyze', 'a temporary directory without blanks');
  inPlainPlace('systemd-analyze verify has nothing to say', () => {
    const stateRoot = path.join(directory, 'state');
    const prefix = path.join(directory, 'prefix');
    const units = render('verify', prefix, stateRoot);
    for (const executable of [`${prefix}/bin/edged`, `${stateRoot}/runtime/bin/edge-agent`]) {
      fs.mkdirSync(path.dirname(executable), { recursive: true });
      fs.writeFileSync(executable, '#!/bin/sh\n', { mode: 0o755 });
    }
    const files = fs.readdirSync(units).map((name) => path.join(units, name));
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', ...files], {
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  testWith('systemd-analyze')('exposure of precheck is at most 1.0', () => {
    const file = path.join(render('security'), 'edged-precheck.service');
    const args = ['security', '--offline=true', '--threshold=10', '--no-pager', file];
    const { stdout, status } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
    expect(status).toBe(0);
    const level = Number(/Overall exposure level for [^:]+: ([\d.]+)/.exec(stdout)?.[1]);
    expect(level).toBeLessThanOrEqual(1);
  });
});
