/** A fresh root is worth what is made of its output: each promise is broken once. */
import { expect, test } from '@jest/globals';
import type { CommandRun } from '@edged/testkit/fresh/enclosed-command';
import { judgeRefusal, judgeStart, judgeTest, readCounts } from '@edged/testkit/fresh/verdict';

const run = (output: string, exitCode = 0): CommandRun => ({
  exitCode,
  seconds: 1,
  output,
});
const supported = '^20.19.0 || ^22.12.0 || >=24.0.0';
const refusal =
  '\n> edged@0.1.0 prestart\n\nedged: needs Node.js 20.19 or later, found v18.20.4: install it\n';
const nothing = { hasNodeModules: false, downloads: [] };

test('npm start as it should be', () => {
  expect(judgeStart(run('13. Back\n\n13 of 13 steps as expected\n'))).toEqual([]);
});

test.each([
  ['another exit', run('13 of 13 steps as expected\n', 5), ['exit 5 in place of 0']],
  ['a step', run('12 of 13 steps as expected\n'), ['12 of 13 steps as expected']],
  ['nothing', run(''), ['no line "N of N steps as expected"']],
])('npm start: %s', (_name, ended, problems) => {
  expect(judgeStart(ended)).toEqual(problems);
});

test('npm test as it should be', () => {
  expect(judgeTest(run('Ran all test suites.\n\n7 passed, 0 failed, 2 skipped\n'))).toEqual([]);
  expect(judgeTest(run('7 passed, 0 failed\n'))).toEqual([]);
});

test.each([
  ['a failure', run('6 passed, 1 failed, 2 skipped\n', 1), ['exit 1 in place of 0', '1 failed']],
  ['nothing that passed', run('0 passed, 0 failed, 9 skipped\n'), ['no test passed']],
  [
    'another last line',
    run('7 passed, 0 failed\nDone.\n'),
    ['the last line is not "N passed, N failed, N skipped"'],
  ],
  [
    'no end',
    { exitCode: undefined, seconds: 1, output: '' },
    ['did not end in time', 'the last line is not "N passed, N failed, N skipped"'],
  ],
])('npm test: %s', (_name, ended, problems) => {
  expect(judgeTest(ended)).toEqual(problems);
});

test('the counts of the last line alone', () => {
  expect(readCounts('1 passed, 1 failed\n\n7 passed, 0 failed, 2 skipped\n')).toEqual({
    passed: 7,
    failed: 0,
    skipped: 2,
  });
});

test('a refusal as it should be', () => {
  expect(judgeRefusal(run(refusal, 1), nothing, supported)).toEqual([]);
});

test.each([
  ['another exit', run(refusal, 0), nothing, ['exit 0 in place of 1']],
  ['no line', run('npm ERR! engine\n', 1), nothing, ['0 lines from edged in place of one']],
  [
    'a second line',
    run(`${refusal}edged: installing\n`, 1),
    nothing,
    ['2 lines from edged in place of one'],
  ],
  [
    'no version',
    run('edged: this Node.js is too old\n', 1),
    nothing,
    ['the line does not name Node 20.19'],
  ],
  [
    'an installation',
    run(refusal, 1),
    { hasNodeModules: true, downloads: ['https://registry.example/x.tgz'] },
    ['there is a node_modules', 'downloads: 1'],
  ],
])('a refusal: %s', (_name, ended, left, problems) => {
  expect(judgeRefusal(ended, left, supported)).toEqual(problems);
});
