/** Every block of every tutorial is run, in order, in one shell. */
import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { readTranscript, runTranscript } from '@edged/testkit/documentation/transcript';
import { type Need, testWith } from '@edged/testkit/needs';
import { testDirectory } from '@edged/testkit/test-directory';

const top = process.cwd();
const home = testDirectory('home');
const checkout = path.join(home, 'a checkout'); // with a blank, as it may be anywhere
beforeAll(() => fs.symlinkSync(top, checkout));
const directory = path.join(top, 'tutorials');
const files = fs.readdirSync(directory).filter((name) => name.endsWith('.md'));

test('there are tutorials', () => {
  expect(files).toContain('04-os-replacement-survival.md');
});

/** What a tutorial says in its first line that it needs. */
function needsOf(markdown: string): Need[] {
  return (/^<!-- needs: (.*) -->/.exec(markdown)?.[1]?.split(', ') ?? []) as Need[];
}

describe.each(files)('%s', (name) => {
  const markdown = fs.readFileSync(path.join(directory, name), 'utf8');
  const transcript = readTranscript(markdown);

  test('has no block that is not run', () => {
    expect(transcript.notRun).toEqual([]);
    expect(transcript.steps.length).toBeGreaterThan(5);
  });

  testWith('bash', ...needsOf(markdown))(
    'prints what it says',
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

testWith('bash')('the run is compared, not only made: a wrong line is found', () => {
  const { steps } = readTranscript(
    '```console\n$ echo one; echo two >&2\none\n...o\n$ echo a\nb\n```\n',
  );
  expect(runTranscript(steps, top, process.env)).toEqual([
    { line: 5, command: 'echo a', expected: 'b', found: 'a' },
  ]);
});
