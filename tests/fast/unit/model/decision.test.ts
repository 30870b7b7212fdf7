import { describe, expect, test } from '@jest/globals';
import { type Found, type Records, decide } from '@edged/model/decision';
import { type EpochEvidence, epochEvidenceFromJson } from '@edged/model/epoch-evidence';
import { type EpochHistory, epochHistoryFromJson } from '@edged/model/epoch-history';
import { type OsFingerprint, osFingerprintFromJson } from '@edged/model/os-fingerprint';
import fc from 'fast-check';

type Short = readonly [epoch: number, hash: string] | 'absent' | 'damaged';

function fingerprint(short: Short): Found<OsFingerprint> {
  if (typeof short === 'string') return short;
  return osFingerprintFromJson({ composite_hash: short[1], boot_epoch: short[0] }) ?? 'damaged';
}

function evidence(short: Short): Found<EpochEvidence> {
  if (typeof short === 'string') return short;
  const os_fingerprint = { composite_hash: short[1], boot_epoch: short[0] };
  const rest = { binary_hash: '', config_hash: '', rotated_at: '' };
  return epochEvidenceFromJson({ os_fingerprint, ...rest }) ?? 'damaged';
}

function history(short: Short): Found<EpochHistory> {
  if (typeof short === 'string') return short;
  return epochHistoryFromJson([{ composite_hash: short[1], boot_epoch: short[0] }]);
}

function records(f: Short, c: Short, p: Short, h: Short, committed: Short = 'absent'): Records {
  return {
    fingerprint: fingerprint(f),
    current: evidence(c),
    previous: evidence(p),
    history: history(h),
    committed: evidence(committed),
  };
}

const none = 'absent';

test.each<[string, Short, Short, Short, Short, string, number]>([
  ['a new device', none, none, none, none, 'first_run', 0],
  ['nothing has changed', [2, 'now'], [2, 'now'], [1, 'old'], [2, 'now'], 'unchanged', 2],
  ['no history is no reason to write', [2, 'now'], [2, 'now'], [1, 'x'], none, 'unchanged', 2],
  ['previous lost', [2, 'now'], [2, 'now'], none, [2, 'now'], 'evidence_damaged', 2],
  ['previous torn', [2, 'now'], [2, 'now'], 'damaged', [2, 'now'], 'evidence_damaged', 2],
  ['previous of an older epoch', [3, 'now'], [3, 'now'], [1, 'a'], none, 'evidence_damaged', 3],
  ['previous of the same epoch', [2, 'now'], [2, 'now'], [2, 'now'], none, 'evidence_damaged', 2],
  ['an epoch that was the first', [0, 'now'], [0, 'now'], none, none, 'unchanged', 0],
  ['an OS replacement', [2, 'old'], [2, 'old'], [1, 'x'], [2, 'old'], 'os_replaced', 3],
  ['an edited hash', [2, 'ffff0000'], [2, 'now'], [1, 'x'], [2, 'now'], 'os_replaced', 3],
  ['an edited hash on a bare device', [0, 'ffff0000'], none, none, none, 'os_replaced', 1],
  ['lost, current left', none, [3, 'now'], none, none, 'state_lost', 4],
  ['lost, previous left', none, none, [3, 'now'], none, 'state_lost', 4],
  ['lost, history left', none, none, none, [3, 'now'], 'state_lost', 4],
  ['torn, nothing else', 'damaged', none, none, none, 'state_lost', 1],
  ['lost, torn evidence left', none, 'damaged', none, none, 'state_lost', 1],
  ['all torn', 'damaged', 'damaged', 'damaged', 'damaged', 'state_lost', 1],
  ['evidence missing', [2, 'now'], none, [1, 'x'], [2, 'now'], 'evidence_damaged', 2],
  ['evidence torn', [2, 'now'], 'damaged', [1, 'x'], [2, 'now'], 'evidence_damaged', 2],
  ['evidence of the epoch before', [2, 'now'], [1, 'x'], none, [2, 'now'], 'evidence_damaged', 2],
  [
    'evidence of a higher epoch, same OS',
    [2, 'now'],
    [5, 'now'],
    none,
    none,
    'evidence_damaged',
    5,
  ],
  ['evidence of a higher epoch, other OS', [2, 'now'], [5, 'other'], none, none, 'os_replaced', 6],
  [
    'evidence of another OS in the same epoch',
    [2, 'now'],
    [2, 'other'],
    none,
    none,
    'evidence_damaged',
    2,
  ],
  ['epoch edited down', [0, 'old'], [5, 'now'], [4, 'old2'], [5, 'now'], 'os_replaced', 6],
  [
    'epoch and hash edited down by one',
    [4, 'ffff'],
    [5, 'now'],
    [4, 'old'],
    [5, 'now'],
    'os_replaced',
    6,
  ],
  [
    'cut before the fingerprint was saved',
    [4, 'old'],
    [5, 'now'],
    [4, 'old'],
    [5, 'now'],
    'os_replaced',
    5,
  ],
  ['cut, then another OS', [4, 'old'], [5, 'other'], [4, 'old'], [5, 'other'], 'os_replaced', 6],
])('%s', (_what, f, c, p, h, kind, bootEpoch) => {
  expect(decide({ compositeHash: 'now' }, records(f, c, p, h))).toMatchObject({ kind, bootEpoch });
});

describe('a rollback', () => {
  const decided = (stored: Short, ...seen: readonly (readonly [number, string])[]): unknown =>
    decide(
      { compositeHash: 'now' },
      {
        ...records(stored, stored, none, none),
        history: epochHistoryFromJson(
          seen.map(([boot_epoch, composite_hash]) => ({ boot_epoch, composite_hash })),
        ),
      },
    );

  test('is the return to an OS that began an earlier epoch; the newest such is named', () => {
    expect(decided([2, 'new'], [0, 'now'], [1, 'now'], [2, 'new'])).toMatchObject({
      kind: 'os_replaced',
      bootEpoch: 3,
      knownFrom: 1,
    });
  });

  test('is not claimed of an OS never seen, nor where the stored fingerprint was edited', () => {
    expect(decided([1, 'new'], [0, 'old'], [1, 'new'])).not.toHaveProperty('knownFrom');
    expect(decided([0, 'ffff0000'], [0, 'now'])).not.toHaveProperty('knownFrom');
    expect(decided([1, 'ffff0000'], [0, 'now'], [1, 'now'])).not.toHaveProperty('knownFrom');
  });
});

describe('with image identities', () => {
  const image = (id: string, hash = 'now', epoch = 5): OsFingerprint | undefined =>
    osFingerprintFromJson({ composite_hash: hash, boot_epoch: epoch, image_identity: { id } });
  const found = (epoch: number, id?: string): Found<EpochEvidence> => {
    const os_fingerprint = {
      composite_hash: 'now',
      boot_epoch: epoch,
      ...(id === undefined ? {} : { image_identity: { id } }),
    };
    const rest = { binary_hash: '', config_hash: '', rotated_at: '' };
    return epochEvidenceFromJson({ os_fingerprint, ...rest }) ?? 'damaged';
  };
  const now = { compositeHash: 'now', image: { id: 'a' } };
  const plain = fingerprint([5, 'now']);

  test('turning the profile on adopts, but not past a higher epoch on record', () => {
    const same = {
      fingerprint: plain,
      current: found(5),
      previous: found(4),
      committed: none,
    } as const;
    expect(decide(now, { ...same, history: history([5, 'now']) })).toMatchObject({
      kind: 'image_adopted',
      bootEpoch: 5,
    });
    const restored = decide(now, { ...same, history: history([7, 'other']) });
    expect(restored).toMatchObject({ kind: 'os_replaced', bootEpoch: 8 });
  });

  test('a history entry of another image with the same hash is another OS', () => {
    const newest = [{ composite_hash: 'now', boot_epoch: 6, image_hash: 'of another image' }];
    const rest = {
      current: none,
      previous: none,
      committed: none,
      history: epochHistoryFromJson(newest),
    } as const;
    expect(decide(now, { ...rest, fingerprint: image('a') ?? none })).toMatchObject({
      kind: 'os_replaced',
      bootEpoch: 7,
    });
  });

  test('evidence that knows no image does not prove that this image was counted', () => {
    const cut = {
      fingerprint: image('b') ?? none,
      previous: found(5, 'b'),
      history: none,
      committed: none,
    } as const;
    expect(decide(now, { ...cut, current: found(6) })).toMatchObject({ bootEpoch: 7 });
    expect(decide(now, { ...cut, current: found(6, 'a') })).toMatchObject({
      bootEpoch: 6,
      continued: true,
    });
  });
});

describe('for any records', () => {
  const short: fc.Arbitrary<Short> = fc.oneof(
    fc.constant<Short>('absent'),
    fc.constant<Short>('damaged'),
    fc.tuple(fc.integer({ min: 0, max: 5 }), fc.constantFrom('now', 'old', 'other')),
  );

  test('the epoch never goes back, skips at most to one above the highest, and 0 is for the new', () => {
    fc.assert(
      fc.property(short, short, short, short, (...all) => {
        const { kind, bootEpoch } = decide({ compositeHash: 'now' }, records(...all));
        const highest = Math.max(
          -1,
          ...all.map((each) => (typeof each === 'string' ? -1 : each[0])),
        );
        const fresh = all.every((each) => each === 'absent');
        expect(kind === 'first_run').toBe(fresh);
        if (kind === 'unchanged') return expect(all[0]).toEqual([bootEpoch, 'now']);
        if (!fresh)
          expect(bootEpoch).toBeGreaterThanOrEqual(
            Math.max(highest, kind === 'state_lost' ? 1 : 0),
          );
        expect(bootEpoch).toBeLessThanOrEqual(Math.max(highest, 0) + 1);
      }),
      { numRuns: 5000 },
    );
  });
});

test('committed evidence alone is a trace of an earlier epoch', () => {
  const left = records(none, none, none, none, [3, 'old']);
  expect(decide({ compositeHash: 'now' }, left)).toEqual({ kind: 'state_lost', bootEpoch: 4 });
});
