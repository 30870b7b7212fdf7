import { expect, test } from '@jest/globals';
import { wrap, wrapColumns } from 'edged/output/wrap';

const text = 'one two three four five six seven';

test('no line is longer than it may be, and no word is lost', () => {
  const wrapped = wrap(text, 12);
  expect(wrapped).toBe('one two\nthree four\nfive six\nseven');
  for (const line of wrapped.split('\n')) expect(line.length).toBeLessThanOrEqual(12);
});

test('a line may be as long as it may be', () => {
  expect(wrap('1234 6789 12', 9)).toBe('1234 6789\n12');
  expect(wrap('1234 6789 12', 8)).toBe('1234\n6789 12');
});

test('what is indented counts', () => {
  const indent = { first: ' 1. ', rest: '    ' };
  expect(wrap(text, 16, indent)).toBe(' 1. one two\n    three four\n    five six\n    seven');
});

test('blanks and line breaks count as one blank', () => {
  expect(wrap(' one  two\nthree ', 80)).toBe('one two three');
  expect(wrap('', 80)).toBe('');
});

test('a word that is too long has a line to itself', () => {
  expect(wrap('a 12345678901 b', 10)).toBe('a\n12345678901\nb');
});

test('a command in backticks is never broken, and keeps its blanks and its full stop', () => {
  expect(wrap('Type `df  -h /data`. Then wait.', 16)).toBe('Type\n`df  -h /data`.\nThen wait.');
  expect(wrap('a lone ` is a word', 8)).toBe('a lone `\nis a\nword');
});

test('a second column goes on below itself while it has room', () => {
  expect(wrapColumns('  ab  one two three four five', 26)).toBe(
    '  ab  one two three four\n      five',
  );
});

test('and below the first column where it has none', () => {
  expect(wrapColumns('  ab  one two three four five', 25)).toBe(
    '  ab\n    one two three four\n    five',
  );
  expect(wrapColumns('      --ab      one two three four', 30)).toBe(
    '      --ab\n        one two three four',
  );
  expect(wrapColumns('  ab  one', 25)).toBe('  ab  one');
  expect(wrapColumns('one two three', 7)).toBe('one two\nthree');
});
