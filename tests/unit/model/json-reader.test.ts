import { describe, expect, test } from '@jest/globals';
import { JsonProblem, parseStrictJson, parseTolerantJson } from '@edged/model/json-reader';
import fc from 'fast-check';

const strict = (text: string): unknown => parseStrictJson(Buffer.from(text));

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

describe('tolerant', () => {
  test('gives objects, and undefined for anything else', () => {
    expect(parseTolerantJson(Buffer.from('{"a":1,"a":2}'))).toEqual({ a: 2 });
    for (const text of ['[]', '1', 'null', '', '{', '\0\0\0']) {
      expect(parseTolerantJson(Buffer.from(text))).toBeUndefined();
    }
  });
});
