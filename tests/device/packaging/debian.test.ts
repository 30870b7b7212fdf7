/** The Debian package: what is in it, what lintian says of it, and that it comes out the same twice. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect } from '@jest/globals';
import { bundleParts } from '@edged/packaging/bundle';
import { makeDebianPackage } from '@edged/packaging/debian';
import { type Architecture, makeExecutable, nativeBlake3File } from '@edged/packaging/executable';
import { testWith } from '@edged/testkit/needs';
import { testDirectory } from '@edged/testkit/test-directory';

const withDpkg = testWith('dpkg-deb');
const directory = testDirectory('deb');
const unpacked = path.join(directory, 'unpacked');
const architecture = process.arch as Architecture;
let file: string;

const build = (name: string): string => {
  const target = path.join(directory, name);
  fs.mkdirSync(target);
  return makeDebianPackage({ executable: path.join(directory, 'edged'), directory: target });
};
const installed = (name: string): string => fs.readFileSync(path.join(unpacked, name), 'utf8');

beforeAll(async () => {
  const parts = path.join(directory, 'parts');
  const entry = await bundleParts(parts, nativeBlake3File(architecture));
  makeExecutable(entry, path.join(directory, 'edged'), architecture);
  file = build('one');
  execFileSync('dpkg-deb', ['-x', file, unpacked]);
}, 300_000);

describe('with dpkg-deb', () => {
  withDpkg('holds the executable, the units, the manual pages and the completions', () => {
    const edged = path.join(unpacked, 'usr/bin/edged');
    expect(execFileSync(edged, ['version'], { encoding: 'utf8' })).toBe('edged 0.1.0\n');
    const unit = installed('usr/lib/systemd/system/edged-precheck.service');
    expect(unit).toContain('ExecStart=/usr/bin/edged precheck');
    expect(unit).toContain('Documentation=man:edged(8)\n');
    expect(unit).not.toMatch(/@[A-Z_]+@/);
    for (const name of [
      'usr/lib/systemd/system/edged-bless.service',
      'usr/lib/systemd/system/edged-failure.service',
      'usr/lib/systemd/system/edged.service',
      'usr/share/man/man8/edged.8.gz',
      'usr/share/man/man5/edged.toml.5.gz',
      'usr/share/man/man5/edged-manifest.5.gz',
      'usr/share/bash-completion/completions/edged',
      'usr/share/zsh/vendor-completions/_edged',
      'usr/share/fish/vendor_completions.d/edged.fish',
      'usr/share/doc/edged/copyright',
    ]) {
      expect(fs.statSync(path.join(unpacked, name)).size).toBeGreaterThan(100);
    }
  });

  testWith('dpkg-deb', 'bash')('the completions complete', () => {
    const script = path.join(unpacked, 'usr/share/bash-completion/completions/edged');
    const ask =
      `PATH='${unpacked}/usr/bin':$PATH; source '${script}'; ` +
      'COMP_WORDS=(edged pre); COMP_CWORD=1; _edged; echo "${COMPREPLY[@]}"';
    expect(execFileSync('bash', ['-c', ask], { encoding: 'utf8' })).toBe('precheck\n');
  });

  withDpkg('the completions are those that the program prints', () => {
    const edged = path.join(unpacked, 'usr/bin/edged');
    for (const [shell, name] of [
      ['bash', 'usr/share/bash-completion/completions/edged'],
      ['zsh', 'usr/share/zsh/vendor-completions/_edged'],
      ['fish', 'usr/share/fish/vendor_completions.d/edged.fish'],
    ] as const) {
      const printed = execFileSync(edged, ['completion', shell], { encoding: 'utf8' });
      expect(printed).toBe(installed(name));
    }
  });

  // man-pages.test.ts looks into them
  testWith('dpkg-deb', 'man')('man finds the manual pages', () => {
    const where = ['-M', path.join(unpacked, 'usr/share/man')];
    for (const page of [
      ['8', 'edged'],
      ['5', 'edged.toml'],
      ['5', 'edged-manifest'],
    ]) {
      const { stdout } = spawnSync('man', [...where, ...page], { encoding: 'utf8' });
      expect(stdout).toContain(`${page[1]} - `);
    }
  });

  testWith('dpkg-deb', 'lintian')(
    'lintian finds no error',
    () => {
      const env = { ...process.env, TMPDIR: directory }; // it leaves something behind
      const { stdout } = spawnSync('lintian', ['--allow-root', file], { env, encoding: 'utf8' });
      expect(stdout.split('\n').filter((line) => line.startsWith('E:'))).toEqual([]);
    },
    300_000,
  );

  withDpkg(
    'the same twice',
    () => {
      const digest = (name: string): string =>
        createHash('sha256').update(fs.readFileSync(name)).digest('hex');
      expect(digest(build('two'))).toBe(digest(file));
    },
    300_000,
  );
});
