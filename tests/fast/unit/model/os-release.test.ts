import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { prettyNameOf } from '@edged/model/os-release';
import { testWith } from '@edged/testkit/needs';
import fc from 'fast-check';

const nameIn = (text: string): string =>
  prettyNameOf({
    etcOsRelease: Buffer.from(text),
    usrLibOsRelease: undefined,
    kernelRelease: '6.1.0',
  });

describe('the name of an OS', () => {
  test.each<[string, string]>([
    ['PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n', 'Debian GNU/Linux 12 (bookworm)'],
    ['ID=edgeos\nVERSION_ID=2.0\n', 'edgeos 2.0'],
    ['NAME="Edge OS"\nID=edgeos\nVERSION="2.0 (two)"\nVERSION_ID=2.0\n', 'Edge OS 2.0 (two)'],
    ["PRETTY_NAME='Edge OS'\n", 'Edge OS'],
    ['PRETTY_NAME=Plain\r\n', 'Plain'],
    ['PRETTY_NAME="the \\"edge\\" OS at \\$5"\n', 'the "edge" OS at $5'],
    ['PRETTY_NAME=""\nNAME=Edge\n', 'Edge'],
    ['# PRETTY_NAME="a comment"\nID=edge\n', 'edge'],
    ['MY_PRETTY_NAME=other\nID=edge', 'edge'],
    ['ID=edge', 'edge'],
    ['VERSION_ID=7\n', '7'],
    ['', 'an OS without a name'],
    ['PRETTY_NAME="unfinished\n', '"unfinished'],
    ['\u0000\u0001\u0002', 'an OS without a name'],
  ])('in %j is %j', (text, expected) => expect(nameIn(text)).toBe(expected));

  test('is in /usr/lib where /etc has none', () => {
    const identity = { etcOsRelease: undefined, kernelRelease: '' };
    expect(prettyNameOf({ ...identity, usrLibOsRelease: Buffer.from('ID=b\n') })).toBe('b');
  });

  test('never drives a terminal, is never empty, is one line', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'binary' }).map((value) => `PRETTY_NAME="${value}"`),
      fc.string({ unit: 'binary' }).map((value) => `NAME=${value}\nVERSION=${value}`),
    );
    fc.assert(fc.property(text, (any) => expect(nameIn(any)).toMatch(/^\P{Cc}+$/u)));
    expect(nameIn('PRETTY_NAME="\u001b[31mred\u009b0m"')).toBe('[31mred0m');
  });
});

testWith('/etc/os-release')('of this machine is what a shell reads', () => {
  const file = '/etc/os-release';
  const { stdout } = spawnSync('sh', ['-c', `. ${file}; printf %s "$PRETTY_NAME"`]);
  expect(nameIn(fs.readFileSync(file, 'utf8'))).toBe(stdout.toString());
});
