import { describe, expect, test } from '@jest/globals';
import {
  JsonProblem,
  isObject,
  parseStrictJson,
  parseTolerantJson,
  serializeJson,
} from '@edged/model/json-reader';
import fc from 'fast-check';

const mebibyte = 1024 * 1024;
const strict = (text: string): unknown => parseStrictJson(Buffer.from(text));

function problemOf(text: string): string {
  try {
    strict(text);
    return 'none';
  } catch (error) {
    if (error instanceof JsonProblem) return error.message;
    throw error;
  }
}

/** The same text with every character as \uXXXX. */
function escaped(text: string): string {
  const units = text.split('').map((unit) => unit.charCodeAt(0).toString(16).padStart(4, '0'));
  return units.map((unit) => `\\u${unit}`).join('');
}

describe('strict', () => {
  test.each([
    ['{"a":1,"a":2}'],
    ['{"a":1,"\\u0061":2}'],
    ['[{"b":{"a":1,"c":[{}],"a":2}}]'],
    ['{"a":{"x":1},"b":2,"a":3}'],
    ['\uFEFF{}'],
    ['{"a":1,}'],
    ['{} {}'],
    ['// no\n{}'],
    [''],
    ['['.repeat(200_000)],
  ])('refuses %.40s', (text) => {
    expect(() => strict(text)).toThrow(JsonProblem);
  });

  test('refuses what is not UTF-8', () => {
    expect(() => parseStrictJson(Buffer.from([0x22, 0xff, 0x22]))).toThrow(JsonProblem);
  });

  test('a key may stand in two objects, a string may look like a key', () => {
    expect(strict('{"a":{"a":1},"b":[{"a":1},{"a":2}],"c":"{\\"a\\":1,\\"a\\":2}"}')).toBeDefined();
  });

  test('reads back whatever JSON can write', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        expect(strict(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  test('any bytes are a value or a JsonProblem', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          parseStrictJson(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(JsonProblem);
        }
      }),
    );
  });
});

describe('a key that stands twice', () => {
  /** Ways to wrap a document in one more level. */
  const wrap = fc.constantFrom<(inner: string) => string>(
    (inner) => `[${inner}]`,
    (inner) => `[1,"]",${inner},{}]`,
    (inner) => `{"around":${inner}}`,
    (inner) => `{"before":[{"a":1},"}"],"around":${inner},"after":{"a":2}}`,
  );
  const wrapped = (levels: readonly ((inner: string) => string)[], inner: string): string =>
    levels.reduce((text, level) => level(text), inner);

  test('is found at any depth, whatever it is and however it is written', () => {
    fc.assert(
      fc.property(fc.array(wrap, { maxLength: 8 }), fc.string(), (levels, key) => {
        const plain = JSON.stringify(key);
        for (const other of [plain, `"${escaped(key)}"`]) {
          const inner = `{${plain}:{"x":[1]},"between":"${escaped('"}{')}", ${other} \n:2}`;
          expect(problemOf(wrapped(levels, inner))).toContain(plain);
        }
      }),
    );
  });

  test('is not a key that stands once in each of several objects', () => {
    fc.assert(
      fc.property(fc.array(wrap, { maxLength: 8 }), fc.string(), (levels, key) => {
        const plain = JSON.stringify(key);
        const inner = `[{${plain}:{${plain}:1}},{${plain}:${plain}}]`;
        expect(problemOf(wrapped(levels, inner))).toBe('none');
      }),
    );
  });

  test.each([
    ['{"a" :1,"a"\n\t:2}', '"a"'],
    ['{"":1,"":2}', '""'],
    ['{"a\\"b":1,"a\\u0022b":2}', '"a\\"b"'],
    ['{"\\\\":1,"\\u005c":2}', '"\\\\"'],
    ['{"\\/":1,"/":2}', '"/"'],
    ['{"__proto__":1,"__proto__":2}', '"__proto__"'],
    ['{"ä":1,"\\u00e4":2}', '"ä"'],
    ['{"1":1,"1":2}', '"1"'],
    ['{"a":{},"b":[],"a":{}}', '"a"'],
  ])('is named: %s', (text, key) => {
    expect(problemOf(text)).toBe(`key ${key} stands twice`);
  });

  test.each([
    '{"a:":1,"a":2}',
    '{"a":"a","b":"a:"}',
    '["a","a"]',
    '{"a":1,"A":2}',
    '{"a":"\\\\","b":"\\\\"}',
    '{"ä":1,"a\u0308":2}',
    '{"a":"{\\"a\\":1","b":"}"}',
  ])('is not in %s', (text) => {
    expect(strict(text)).toEqual(JSON.parse(text));
  });
});

describe('bytes that are no text', () => {
  test.each([
    ['a byte that begins nothing', [0x22, 0xff, 0x22]],
    ['a sequence cut short', [0x22, 0xc3, 0x22]],
    ['an overlong quote', [0xc0, 0xa2]],
    ['half a surrogate pair', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['UTF-16', [0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]],
  ])('are refused: %s', (_what, bytes) => {
    expect(() => parseStrictJson(Uint8Array.from(bytes))).toThrow(
      expect.objectContaining({ name: 'JsonProblem', message: 'is not UTF-8' }),
    );
  });

  test('nor may a byte order mark stand before the document; inside a text it may', () => {
    expect(problemOf('\uFEFF{}')).toBe('starts with a byte order mark');
    expect(strict('"\uFEFF"')).toBe('\uFEFF');
  });
});

describe('documents of 1 MiB, the most that is ever signed', () => {
  test.each([
    ['one text', `"${'a'.repeat(mebibyte - 2)}"`],
    ['one text of escapes', `"${'\\n'.repeat(mebibyte / 2 - 1)}"`],
    ['one key', `{"${'a'.repeat(mebibyte - 6)}":1}`],
    ['lists in lists', '['.repeat(mebibyte / 2) + ']'.repeat(mebibyte / 2)],
    ['objects in objects', `${'{"a":'.repeat(170_000)}1${'}'.repeat(170_000)}`],
    ['white space after a text', `["a"${' '.repeat(mebibyte - 5)}]`],
  ])('are read: %s', (_what, text) => {
    expect(strict(text)).toBeDefined();
  });

  test.each([
    ['lists that never end', '['.repeat(mebibyte)],
    ['objects that never end', '{"a":'.repeat(200_000)],
    ['a text that never ends', `"${'a'.repeat(mebibyte)}`],
    ['a wrong bracket at the end', `${'['.repeat(mebibyte / 2)}${']'.repeat(mebibyte / 2 - 1)}}`],
    ['the same key deep inside', `${'[{"a":'.repeat(100_000)}{"b":1,"b":2}${'}]'.repeat(100_000)}`],
  ])('are a problem and nothing worse: %s', (_what, text) => {
    expect(problemOf(text)).not.toBe('none');
  });
});

describe('written JSON', () => {
  test('has two spaces a level and a final newline', () => {
    expect(Buffer.from(serializeJson({ a: [1] })).toString()).toBe('{\n  "a": [\n    1\n  ]\n}\n');
  });

  test('is read back by both readers', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const plain: unknown = JSON.parse(JSON.stringify(value));
        expect(parseStrictJson(serializeJson(value))).toEqual(plain);
        expect(parseTolerantJson(serializeJson(value))).toEqual(plain);
      }),
    );
  });
});

test('an object is what has keys: no list, no null, no text', () => {
  expect([{}, { a: 1 }].map(isObject)).toEqual([true, true]);
  expect([[], null, undefined, 'x', 1, true].some(isObject)).toBe(false);
});

describe('tolerant', () => {
  test('takes a byte order mark, and text that is not quite UTF-8', () => {
    expect(parseTolerantJson(Buffer.from('\uFEFF{"a":1}'))).toEqual({ a: 1 });
    const broken = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('"}')]);
    expect(parseTolerantJson(broken)).toEqual({ a: '\uFFFD' });
  });

  test('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => Buffer.from(text)),
        ),
        (bytes) => {
          const value = parseTolerantJson(bytes);
          expect(value === undefined || isObject(value)).toBe(true);
        },
      ),
    );
    expect(parseTolerantJson(Buffer.from('['.repeat(mebibyte)))).toBeUndefined();
  });

  test('gives objects, and undefined for anything else', () => {
    expect(parseTolerantJson(Buffer.from('{"a":1,"a":2}'))).toEqual({ a: 2 });
    for (const text of ['[]', '1', 'null', '', '{', '\0\0\0']) {
      expect(parseTolerantJson(Buffer.from(text))).toBeUndefined();
    }
  });
});
