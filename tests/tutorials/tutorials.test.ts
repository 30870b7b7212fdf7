/** Every block of every tutorial is run, in order, in one shell. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { readTranscript, runTranscript } from '@edged/testkit/transcript';

const top = process.cwd();
const directory = path.join(top, 'tutorials');
const files = fs.readdirSync(directory).filter((name) => name.endsWith('.md'));

test('there are tutorials', () => {
  expect(files).toContain('04-os-replacement-survival.md');
});

describe.each(files)('%s', (name) => {
  const transcript = readTranscript(fs.readFileSync(path.join(directory, name), 'utf8'));

  test('has no block that is not run', () => {
    expect(transcript.notRun).toEqual([]);
    expect(transcript.steps.length).toBeGreaterThan(5);
  });

  test('prints what it says', () => {
    const nodeDirectory = path.dirname(process.execPath);
    const PATH = `${nodeDirectory}:${process.env['PATH']}`;
    const mismatches = runTranscript(transcript.steps, top, { PATH, HOME: '/nonexistent' });
    expect(mismatches).toEqual([]);
  }, 120_000);
});

test('the run is compared, not only made: a wrong line is found', () => {
  const { steps } = readTranscript(
    '```console\n$ echo one; echo two >&2\none\n...o\n$ echo a\nb\n```\n',
  );
  expect(runTranscript(steps, top, process.env)).toEqual([
    { line: 5, command: 'echo a', expected: 'b', found: 'a' },
  ]);
});
