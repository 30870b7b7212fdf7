import { describe, expect, test } from '@jest/globals';
import { type LogSettings, createLog, quote } from 'edged/output/log-writer';
import fc from 'fast-check';

function lines(settings: Partial<LogSettings>): {
  log: ReturnType<typeof createLog>;
  written: string[];
} {
  const written: string[] = [];
  const all = { level: 'info', format: 'text', priorityPrefix: false, ...settings } as const;
  return { log: createLog(all, (text) => written.push(text)), written };
}

test('the line of the specification, to the letter', () => {
  const { log, written } = lines({});
  log('warn', 'edge.os.update_detected', { previous_hash: 'a', current_hash: 'b' });
  expect(written).toEqual([
    'level=WARN msg="edge.os.update_detected" previous_hash="a" current_hash="b"\n',
  ]);
});

test('numbers and booleans are bare', () => {
  const { log, written } = lines({});
  log('info', 'm', { duration_seconds: 0.25, boot_epoch: 3, read_only: false });
  expect(written[0]).toBe(
    'level=INFO msg="m" duration_seconds=0.25 boot_epoch=3 read_only=false\n',
  );
});

test('JSON: one object a line', () => {
  const { log, written } = lines({ format: 'json' });
  log('error', 'm', { reason: 'a.b', at: 1 });
  expect(written).toEqual(['{"level":"ERROR","msg":"m","reason":"a.b","at":1}\n']);
});

test.each([
  ['debug', 4],
  ['info', 3],
  ['warn', 2],
  ['error', 1],
] as const)('level %s lets %d of four through', (level, count) => {
  const { log, written } = lines({ level });
  for (const each of ['debug', 'info', 'warn', 'error'] as const) log(each, 'm', {});
  expect(written).toHaveLength(count);
});

test('priorities of sd-daemon(3)', () => {
  const { log, written } = lines({ level: 'debug', priorityPrefix: true });
  for (const each of ['debug', 'info', 'warn', 'error'] as const) log(each, 'm', {});
  expect(written.map((line) => line.slice(0, 3))).toEqual(['<7>', '<6>', '<4>', '<3>']);
});

describe('quote', () => {
  test.each([
    ['plain', '"plain"'],
    ['ü ✓', '"ü ✓"'],
    ['a"b\\c', '"a\\"b\\\\c"'],
    ['\n\r\t\b\f\v\u0007', '"\\n\\r\\t\\b\\f\\v\\a"'],
    ['\u001b[31m\u007f', '"\\x1b[31m\\x7f"'],
    ['\u202e\u2028\u0085', '"\\u202e\\u2028\\u0085"'],
    ['\ud800', '"\\ud800"'],
    ['\u{e0001}', '"\\U000e0001"'],
  ])('%j', (text, quoted) => {
    expect(quote(text)).toBe(quoted);
  });

  test('no text breaks out of its quotes or its line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const quoted = quote(text);
        expect(quoted).toMatch(/^"(?:[^"\\\p{Cc}]|\\["\\abfnrtv]|\\x..|\\u....|\\U.{8})*"$/u);
      }),
    );
  });
});
