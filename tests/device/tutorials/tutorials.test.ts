/** Every block of every tutorial is run, in order, in one shell. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { readTranscript, runTranscript } from '@edged/testkit/documentation/transcript';

const top = process.cwd();
const home = fs.mkdtempSync(path.join(os.tmpdir(), 'edged-home-'));
const checkout = path.join(home, 'a checkout'); // with a blank, as it may be anywhere
fs.symlinkSync(top, checkout);
afterAll(() => fs.rmSync(home, { recursive: true }));
const directory = path.join(top, 'tutorials');
const files = fs.readdirSync(directory).filter((name) => name.endsWith('.md'));

test('there are tutorials', () => {
  expect(files).toContain('04-os-replacement-survival.md');
});

/** What a tutorial says in its first line that it needs, and this machine has not. */
function whyNot(markdown: string): string | undefined {
  const needs = /^<!-- needs: (.*) -->/.exec(markdown)?.[1]?.split(' ') ?? [];
  const missing = needs.filter((need) =>
    need === 'root' ? process.getuid?.() !== 0 : spawnSync(need, ['--version']).error,
  );
  return missing.length > 0 ? `needs ${missing.join(', ')}` : undefined;
}

describe.each(files)('%s', (name) => {
  const markdown = fs.readFileSync(path.join(directory, name), 'utf8');
  const transcript = readTranscript(markdown);
  const why = whyNot(markdown);

  test('has no block that is not run', () => {
    expect(transcript.notRun).toEqual([]);
    expect(transcript.steps.length).toBeGreaterThan(5);
  });

  (why === undefined ? test : test.skip)(
    `prints what it says${why ? ` (SKIPPED: ${why})` : ''}`,
    () => {
      const nodeDirectory = path.dirname(process.execPath);
      const PATH = `${nodeDirectory}:${process.env['PATH']}`;
      const environment = { PATH, HOME: home, PWD: checkout };
      const mismatches = runTranscript(transcript.steps, checkout, environment);
      expect(mismatches).toEqual([]);
    },
    300_000,
  );
});

test('the run is compared, not only made: a wrong line is found', () => {
  const { steps } = readTranscript(
    '```console\n$ echo one; echo two >&2\none\n...o\n$ echo a\nb\n```\n',
  );
  expect(runTranscript(steps, top, process.env)).toEqual([
    { line: 5, command: 'echo a', expected: 'b', found: 'a' },
  ]);
});
