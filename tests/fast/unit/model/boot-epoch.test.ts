import { expect, test } from '@jest/globals';
import { type BootEpoch, firstEpoch, nextEpoch, parseBootEpoch } from '@edged/model/boot-epoch';
import fc from 'fast-check';

const highestReadable = Number.MAX_SAFE_INTEGER - 1;

test('the first epoch is 0', () => {
  expect(firstEpoch).toBe(0);
});

test.each([0, 1, 255, 2 ** 31, 2 ** 32, highestReadable])('%d is an epoch', (value) => {
  expect(parseBootEpoch(value)).toBe(value);
});

test.each<[string, unknown]>([
  ['-1', -1],
  ['1.5', 1.5],
  ['the text "1"', '1'],
  ['an empty text', ''],
  ['2^53 - 1, which cannot be counted up', Number.MAX_SAFE_INTEGER],
  ['2^53', 2 ** 53],
  ['not a number', Number.NaN],
  ['infinity', Number.POSITIVE_INFINITY],
  ['null', null],
  ['undefined', undefined],
  ['true', true],
  ['a big integer', 1n],
  ['a list', [1]],
  ['an object', { valueOf: () => 1 }],
])('%s is no epoch', (_what, value) => {
  expect(parseBootEpoch(value)).toBeUndefined();
});

test('an epoch is counted up by exactly one', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: highestReadable - 1 }), (value) => {
      const epoch = parseBootEpoch(value);
      expect(epoch).toBe(value);
      expect(parseBootEpoch(nextEpoch(epoch ?? firstEpoch))).toBe(value + 1);
    }),
  );
});

test('an epoch that could not be read back is not counted up to', () => {
  expect(() => nextEpoch(highestReadable as BootEpoch)).toThrow(
    expect.objectContaining({ code: 'os.epoch_exhausted' }),
  );
});
