import { describe, expect, test } from '@jest/globals';
import { type BootEpoch, parseBootEpoch } from '@edged/model/boot-epoch';
import {
  type EpochHistory,
  type HistoryEntry,
  newestEntry,
  parseEpochHistory,
  serializeEpochHistory,
  withEpoch,
} from '@edged/model/epoch-history';
import fc from 'fast-check';

function epoch(value: number): BootEpoch {
  const parsed = parseBootEpoch(value);
  if (parsed === undefined) throw new Error(`no epoch: ${value}`);
  return parsed;
}

const entry = (value: number, compositeHash = `hash ${value}`): HistoryEntry => ({
  bootEpoch: epoch(value),
  compositeHash,
  beganAt: '2027-01-01T00:00:00Z',
});

/** The history after entering these epochs one after the other. */
const entered = (...values: number[]): EpochHistory =>
  values.reduce<EpochHistory>((history, value) => withEpoch(history, entry(value)), []);

const epochsOf = (history: EpochHistory): number[] => history.map(({ bootEpoch }) => bootEpoch);
const parse = (text: string): EpochHistory | undefined => parseEpochHistory(Buffer.from(text));

describe('entering an epoch', () => {
  test('makes it the last and the newest', () => {
    expect(epochsOf(entered(0, 1, 2))).toEqual([0, 1, 2]);
    expect(newestEntry(entered(0, 1, 2))).toEqual(entry(2));
  });

  test('twice changes nothing', () => {
    expect(entered(0, 1, 1)).toEqual(entered(0, 1));
  });

  test('leaves the history that was given as it was', () => {
    const history = entered(0, 1);
    withEpoch(history, entry(2));
    expect(epochsOf(history)).toEqual([0, 1]);
  });

  test('of a number that is taken replaces the entry', () => {
    const history = withEpoch(entered(0, 1), entry(1, 'other'));
    expect(history).toEqual([entry(0), entry(1, 'other')]);
  });

  test('a thousand times keeps the newest 256, in order', () => {
    const history = entered(...Array.from({ length: 1000 }, (_, value) => value));
    expect(epochsOf(history)).toEqual(Array.from({ length: 256 }, (_, index) => 744 + index));
  });
});

test('a full history of the longest entries stays below 64 KiB', () => {
  const start = Number.MAX_SAFE_INTEGER - 1000;
  const history = Array.from({ length: 300 }, (_, index) => index).reduce<EpochHistory>(
    (all, index) =>
      withEpoch(all, {
        bootEpoch: epoch(start + index),
        compositeHash: 'f'.repeat(64),
        beganAt: '2027-01-01T00:00:00.000Z',
      }),
    [],
  );
  expect(history).toHaveLength(256);
  expect(serializeEpochHistory(history).length).toBeLessThan(64 * 1024);
});

describe('the newest entry', () => {
  test('of nothing is nothing', () => {
    expect(newestEntry([])).toBeUndefined();
  });

  test('is the one of the highest epoch, in whatever order they stand', () => {
    expect(newestEntry([entry(2), entry(7), entry(3)])).toEqual(entry(7));
  });
});

describe('a stored history', () => {
  test('is read back as it was written', () => {
    const values = fc.uniqueArray(fc.nat(), { maxLength: 20 });
    fc.assert(
      fc.property(values, fc.string(), (numbers, hash) => {
        const history = numbers.map((value) => entry(value, hash));
        expect(parseEpochHistory(serializeEpochHistory(history))).toEqual(history);
      }),
    );
  });

  test('is written under these keys', () => {
    expect(JSON.parse(Buffer.from(serializeEpochHistory(entered(1))).toString())).toEqual({
      epochs: [{ boot_epoch: 1, composite_hash: 'hash 1', began_at: '2027-01-01T00:00:00Z' }],
    });
  });

  test('keeps the entries that can be read, and leaves the others out', () => {
    const usable = '{"boot_epoch":1,"composite_hash":"a"}';
    const unusable = [
      '{"boot_epoch":-1,"composite_hash":"a"}',
      '{"boot_epoch":"1","composite_hash":"a"}',
      '{"boot_epoch":1}',
      '{"composite_hash":"a"}',
      '{"boot_epoch":1,"composite_hash":7}',
      '7',
      'null',
      '[]',
    ];
    expect(parse(`{"epochs":[${[usable, ...unusable].join(',')}]}`)).toEqual([
      { bootEpoch: 1, compositeHash: 'a', beganAt: '' },
    ]);
  });

  test.each(['', '{', '[]', 'null', '{}', '{"epochs":7}', '{"epochs":{}}', '\0\0\0\0'])(
    'is none when it is %j',
    (text) => {
      expect(parse(text)).toBeUndefined();
    },
  );

  test('may be empty', () => {
    expect(parse('{"epochs":[]}')).toEqual([]);
  });
});
