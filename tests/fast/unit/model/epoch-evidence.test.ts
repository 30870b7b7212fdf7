import { describe, expect, test } from '@jest/globals';
import { parseEpochEvidence, sameEpoch, serializeEpochEvidence } from '@edged/model/epoch-evidence';
import { type OsFingerprint, osFingerprintFromJson } from '@edged/model/os-fingerprint';
import fc from 'fast-check';

const stored = {
  composite_hash: 'ab'.repeat(32),
  os_release: 'ID=a\n',
  uname_release: '6.1.0',
  boot_epoch: 3,
  captured_at: '2027-01-01T00:00:00Z',
};
const evidence = {
  os_fingerprint: stored,
  binary_hash: 'b'.repeat(64),
  config_hash: '',
  rotated_at: '2027-01-01T00:00:01Z',
};

const parse = (json: unknown): ReturnType<typeof parseEpochEvidence> =>
  parseEpochEvidence(Buffer.from(JSON.stringify(json)));

/** What is on disk after reading these bytes and writing them again. */
function rewritten(json: unknown): string {
  const parsed = parse(json);
  if (!parsed) throw new Error('unreadable');
  return Buffer.from(serializeEpochEvidence(parsed)).toString();
}

test('the four keys are read', () => {
  expect(parse(evidence)).toMatchObject({
    osFingerprint: { compositeHash: stored.composite_hash, bootEpoch: 3, unameRelease: '6.1.0' },
    binaryHash: 'b'.repeat(64),
    configHash: '',
    rotatedAt: '2027-01-01T00:00:01Z',
    more: {},
  });
});

test('the four keys come first and in this order, and more keys follow', () => {
  const reordered = { kind: 'os_replaced', changed: ['os_release'], ...evidence };
  const keys = Object.keys(JSON.parse(rewritten(reordered)) as object);
  expect(keys).toEqual([
    'os_fingerprint',
    'binary_hash',
    'config_hash',
    'rotated_at',
    'kind',
    'changed',
  ]);
});

test('unknown keys are kept, in the evidence and in the fingerprint inside it', () => {
  const more = { ...evidence, os_fingerprint: { ...stored, vendor: { a: [1] } }, note: null };
  expect(JSON.parse(rewritten(more))).toEqual(more);
});

test('it is written with two spaces and a final newline', () => {
  expect(rewritten(evidence)).toBe(`${JSON.stringify(evidence, null, 2)}\n`);
});

test('whatever was read is written back as it was', () => {
  const more = fc.dictionary(fc.stringMatching(/^x_[a-z]{1,8}$/), fc.jsonValue());
  fc.assert(
    fc.property(more, fc.string(), fc.nat(), (keys, binary_hash, boot_epoch) => {
      const document = {
        ...evidence,
        os_fingerprint: { ...stored, boot_epoch },
        binary_hash,
        ...keys,
      };
      const plain: unknown = JSON.parse(JSON.stringify(document));
      expect(JSON.parse(rewritten(document))).toEqual(plain);
    }),
  );
});

describe('torn evidence is none', () => {
  test.each<[string, unknown]>([
    ['no fingerprint', { ...evidence, os_fingerprint: undefined }],
    ['a fingerprint that is a text', { ...evidence, os_fingerprint: 'x' }],
    ['a fingerprint that is null', { ...evidence, os_fingerprint: null }],
    ['a fingerprint that is a list', { ...evidence, os_fingerprint: [stored] }],
    ['a fingerprint without a hash', { ...evidence, os_fingerprint: { boot_epoch: 1 } }],
    ['epoch -1', { ...evidence, os_fingerprint: { ...stored, boot_epoch: -1 } }],
    ['an epoch as a text', { ...evidence, os_fingerprint: { ...stored, boot_epoch: '3' } }],
    ['no binary_hash', { ...evidence, binary_hash: undefined }],
    ['a binary_hash that is null', { ...evidence, binary_hash: null }],
    ['no config_hash', { ...evidence, config_hash: undefined }],
    ['no rotated_at', { ...evidence, rotated_at: undefined }],
    ['a rotated_at that is a number', { ...evidence, rotated_at: 1 }],
    ['a list', [evidence]],
    ['null', null],
  ])('%s', (_what, json) => {
    expect(parse(json)).toBeUndefined();
  });

  test('cut anywhere, or zeros as a power cut leaves them', () => {
    const whole = Buffer.from(JSON.stringify(evidence));
    expect(parseEpochEvidence(whole)).toBeDefined();
    for (let length = 0; length < whole.length; length += 1) {
      expect(parseEpochEvidence(whole.subarray(0, length))).toBeUndefined();
    }
    expect(parseEpochEvidence(new Uint8Array(whole.length))).toBeUndefined();
  });
});

describe('the same epoch', () => {
  const fingerprint = (compositeHash: string, epoch: number, more = {}): OsFingerprint => {
    const json = { composite_hash: compositeHash, boot_epoch: epoch, ...more };
    const made = osFingerprintFromJson(json);
    if (!made) throw new Error('unreadable');
    return made;
  };

  test('is the same hash and the same number, whatever else is written', () => {
    const other = fingerprint('a', 1, { captured_at: 'later', os_release: 'x' });
    expect(sameEpoch(fingerprint('a', 1), other)).toBe(true);
  });

  test('is not another number, nor another hash', () => {
    expect(sameEpoch(fingerprint('a', 1), fingerprint('a', 2))).toBe(false);
    expect(sameEpoch(fingerprint('a', 1), fingerprint('b', 1))).toBe(false);
  });
});
