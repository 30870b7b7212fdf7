import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  createHasher,
  digestOf,
  parseDigest,
  useNativeBlake3,
  useWasmBlake3,
} from '@edged/model/digest';
import { blake3 } from '@noble/hashes/blake3.js';
import fc from 'fast-check';

const mebibyte = 1024 * 1024;

/** The input of the official test vectors: 0, 1, … 250, 0, 1, … */
function vector(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => index % 251);
}

function oracle(bytes: Uint8Array): string {
  return Buffer.from(blake3(bytes)).toString('hex');
}

test.each([
  [0, 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262'],
  [1, '2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213'],
  [1023, '10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11'],
  [1024, '42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7'],
  [1025, 'd00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444'],
  [2048, 'e776b6028c7cd22a4d0ba182a8bf62205d2ef576467e838ed6f2529b85fba24a'],
  [2049, '5f4d72f40d7a5f82b15ca2b2e44b1de3c2ef86c426c95c1af0b6879522563030'],
  [4097, '9b4052b38f1c5fc8b1f9ff7ac7b27cd242487b3d890d15c96a1c25b8aa0fb995'],
  [7169, 'a003fc7a51754a9b3c7fae0367ab3d782dccf28855a03d435f8cfe74605e7817'],
  [102_400, 'bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085'],
])('the official vector of %d bytes', (length, digest) => {
  expect(digestOf(vector(length))).toBe(digest);
});

test.each([
  0,
  1,
  2,
  3,
  63,
  64,
  65,
  1023,
  1024,
  1025,
  2048,
  65_535,
  65_536,
  65_537,
  mebibyte - 1,
  mebibyte,
  mebibyte + 1,
  8 * mebibyte,
])('%d bytes in one piece, as another implementation hashes them', (length) => {
  const bytes = vector(length);
  expect(digestOf(bytes)).toBe(oracle(bytes));
});

test('any chunking gives the same digest', () => {
  const bytes = vector(300_000);
  const whole = digestOf(bytes);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 90_000 }), { maxLength: 20 }), (sizes) => {
      const hasher = createHasher();
      let start = 0;
      for (const size of sizes) {
        hasher.update(bytes.subarray(start, start + size));
        start = Math.min(start + size, bytes.length);
      }
      hasher.update(bytes.subarray(start));
      expect(hasher.digestHex()).toBe(whole);
    }),
    { numRuns: 50 },
  );
});

test('any bytes in any pieces, as another implementation hashes them', () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 12 });
  fc.assert(
    fc.property(pieces, (parts) => {
      const expected = oracle(Buffer.concat(parts));
      const hasher = createHasher();
      for (const part of parts) hasher.update(part);
      expect(hasher.digestHex()).toBe(expected);
      expect(digestOf(...parts)).toBe(expected);
    }),
  );
});

test('pieces around 64 KiB and 1 MiB give the same digest as the whole', () => {
  const bytes = vector(3 * mebibyte + 7);
  const expected = oracle(bytes);
  for (const size of [65_535, 65_536, 65_537, mebibyte - 1, mebibyte, mebibyte + 1]) {
    const hasher = createHasher();
    for (let start = 0; start < bytes.length; start += size) {
      hasher.update(bytes.subarray(start, start + size));
    }
    expect(hasher.digestHex()).toBe(expected);
  }
});

test('a view into a larger buffer is hashed by what it shows', () => {
  const bytes = vector(200_000);
  expect(digestOf(bytes.subarray(3, 150_001))).toBe(oracle(bytes.slice(3, 150_001)));
});

test('two hashers at work at once do not disturb each other', () => {
  const [one, other] = [createHasher(), createHasher()];
  for (let count = 0; count < 10; count += 1) {
    one.update(vector(1000));
    other.update(vector(999));
  }
  const repeated = (length: number): string =>
    oracle(Buffer.concat(Array.from({ length: 10 }, () => vector(length))));
  expect(other.digestHex()).toBe(repeated(999));
  expect(one.digestHex()).toBe(repeated(1000));
});

test('bytes that change after they were seen do not change the digest', () => {
  const bytes = Buffer.from('seen');
  const hasher = createHasher();
  hasher.update(bytes);
  bytes.fill(0);
  expect(hasher.digestHex()).toBe(oracle(Buffer.from('seen')));
});

test('ten thousand hashers, used or abandoned, do not exhaust the memory of the library', () => {
  for (let count = 0; count < 10_000; count += 1) {
    const hasher = createHasher();
    hasher.update(vector(10));
    if (count % 2 === 0) hasher.abandon();
    else hasher.digestHex();
  }
  expect(digestOf(vector(1))).toBe(oracle(vector(1)));
});

test('parseDigest takes 64 hex digits of either case, with or without blake3:', () => {
  const hex = 'ab'.repeat(32);
  expect(parseDigest(hex)).toBe(hex);
  expect(parseDigest(`blake3:${hex.toUpperCase()}`)).toBe(hex);
  for (const wrong of [
    '',
    hex.slice(1),
    `${hex}0`,
    `sha256:${hex}`,
    ` ${hex}`,
    `${hex}\n`,
    'g'.repeat(64),
  ]) {
    expect(parseDigest(wrong)).toBeUndefined();
  }
});

test('parseDigest gives lower case for every mixture of cases, and reads back every digest', () => {
  const digits = fc.stringMatching(/^[0-9a-fA-F]{64}$/);
  fc.assert(
    fc.property(digits, fc.constantFrom('', 'blake3:'), (text, prefix) => {
      expect(parseDigest(prefix + text)).toBe(text.toLowerCase());
    }),
  );
  expect(parseDigest(digestOf(vector(9)))).toBe(digestOf(vector(9)));
});

test.each(['0x', 'blake3', 'blake3: ', 'blake3:blake3:', ' blake3:', 'blake2:', '\n'])(
  'parseDigest takes no other prefix: %j',
  (prefix) => {
    expect(parseDigest(prefix + 'ab'.repeat(32))).toBeUndefined();
  },
);

describe('in machine code', () => {
  beforeAll(async () => {
    expect(await useNativeBlake3()).toBeUndefined();
  });
  afterAll(useWasmBlake3);

  test.each([0, 1, 1023, 1024, 1025, 2048, 4097, 65_537, mebibyte + 1, 3 * mebibyte])(
    '%d bytes, whole and in pieces',
    (length) => {
      const bytes = vector(length);
      const expected = oracle(bytes);
      expect(digestOf(bytes)).toBe(expected);
      for (const size of [1000, 65_536, mebibyte]) {
        const hasher = createHasher();
        for (let start = 0; start < length; start += size) {
          hasher.update(bytes.subarray(start, start + size));
        }
        expect(hasher.digestHex()).toBe(expected);
      }
    },
  );

  test('any bytes in any pieces, as the WASM module hashes them', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 12 }), (parts) => {
        const native = digestOf(...parts);
        expect(native).toBe(oracle(Buffer.concat(parts)));
      }),
    );
  });
});
