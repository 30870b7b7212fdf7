import { expect, test } from '@jest/globals';
import { createHasher, digestOf, parseDigest } from '@edged/model/digest';
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
  [1024, '42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7'],
  [102_400, 'bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085'],
])('the official vector of %d bytes', (length, digest) => {
  expect(digestOf(vector(length))).toBe(digest);
});

test.each([
  1,
  2,
  63,
  64,
  65,
  1023,
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
