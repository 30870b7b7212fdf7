import { generateKeyPairSync, sign as signByNode, verify as verifyByNode } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { PrecheckError } from '@edged/model/failure';
import {
  loadSigningSeed,
  loadVerifyKey,
  publicKeyOf,
  signBytes,
  signatureHolds,
} from '@edged/model/manifest-signature';

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

/** Order of the prime-order group, little-endian. */
const groupOrder = 2n ** 252n + 27_742_317_777_372_353_535_851_937_790_883_648_493n;

function codeOf(act: () => unknown): string {
  try {
    act();
    return 'accepted';
  } catch (error) {
    if (error instanceof PrecheckError) return error.code;
    throw error;
  }
}

describe('RFC 8032, section 7.1', () => {
  test.each([
    [
      '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
      '',
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    ],
    [
      '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
      '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
      '72',
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    ],
    [
      'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
      'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
      'af82',
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
    ],
  ])('seed %s', (seed, key, message, signature) => {
    const loaded = loadSigningSeed(hex(seed));
    expect(Buffer.from(publicKeyOf(loaded)).toString('hex')).toBe(key);
    expect(Buffer.from(signBytes(hex(message), loaded)).toString('hex')).toBe(signature);
    expect(signatureHolds(hex(signature), hex(message), loadVerifyKey(hex(key)))).toBe(true);
  });
});

describe('keys that no honest generation makes are refused when they are loaded', () => {
  test.each([
    ['all zero (small order)', '00'.repeat(32)],
    ['the neutral element', `01${'00'.repeat(31)}`],
    ['order 2', `ec${'ff'.repeat(30)}7f`],
    ['order 4', `${'00'.repeat(31)}80`],
    ['order 8', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'],
    ['order 8, other sign', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85'],
    ['order 8, second', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'],
    [
      'order 8, second, other sign',
      'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
    ],
    ['the neutral element with a sign', `01${'00'.repeat(30)}80`],
    ['not canonical: p', `ed${'ff'.repeat(30)}7f`],
    ['not canonical: p + 1', `ee${'ff'.repeat(30)}7f`],
    ['not canonical: 2^255 - 1', `${'ff'.repeat(31)}7f`],
    ['not on the curve', `02${'00'.repeat(31)}`],
  ])('%s', (_what, key) => {
    expect(codeOf(() => loadVerifyKey(hex(key)))).toBe('manifest.verify_key_invalid');
  });

  test.each([0, 31, 33, 64])('%d bytes', (length) => {
    expect(codeOf(() => loadVerifyKey(new Uint8Array(length)))).toBe('manifest.verify_key_invalid');
  });
});

describe('signatures', () => {
  const seed = loadSigningSeed(Buffer.alloc(32, 5));
  const key = publicKeyOf(seed);
  const message = Buffer.from('the exact bytes');
  const good = Buffer.from(signBytes(message, seed));

  test('not one flipped bit of signature, message or key is accepted', () => {
    const flipped = (bytes: Uint8Array, bit: number): Buffer => {
      const copy = Buffer.from(bytes);
      copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      return copy;
    };
    for (let bit = 0; bit < 512; bit += 1) {
      expect(signatureHolds(flipped(good, bit), message, key)).toBe(false);
    }
    for (let bit = 0; bit < message.length * 8; bit += 1) {
      expect(signatureHolds(good, flipped(message, bit), key)).toBe(false);
    }
    for (let bit = 0; bit < 256; bit += 1) {
      const holds = (): boolean => signatureHolds(good, message, loadVerifyKey(flipped(key, bit)));
      expect(['manifest.verify_key_invalid', 'accepted']).toContain(codeOf(holds));
      expect(codeOf(holds) === 'accepted' && holds()).toBe(false);
    }
  });

  test('S + L, the malleated signature, is refused', () => {
    let scalar = 0n;
    for (const byte of good.subarray(32).toReversed()) scalar = (scalar << 8n) | BigInt(byte);
    scalar += groupOrder;
    const malleated = Buffer.from(good);
    for (let index = 32; index < 64; index += 1) {
      malleated.writeUInt8(Number(scalar & 0xffn), index);
      scalar >>= 8n;
    }
    expect(signatureHolds(malleated, message, key)).toBe(false);
  });

  test('zeros are refused for 400 messages', () => {
    for (let count = 0; count < 400; count += 1) {
      expect(signatureHolds(Buffer.alloc(64), Buffer.from(`message ${count}`), key)).toBe(false);
    }
  });

  test.each([0, 63, 65, 88])('%d bytes are no signature', (length) => {
    expect(codeOf(() => signatureHolds(Buffer.alloc(length), message, key))).toBe(
      'manifest.signature_invalid',
    );
  });

  test('agree with node:crypto in both directions', () => {
    for (let count = 0; count < 20; count += 1) {
      const pair = generateKeyPairSync('ed25519');
      const raw = pair.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
      const theirs = loadSigningSeed(
        pair.privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32),
      );
      expect(Buffer.from(publicKeyOf(theirs))).toEqual(Buffer.from(raw));
      expect(
        signatureHolds(signByNode(null, message, pair.privateKey), message, loadVerifyKey(raw)),
      ).toBe(true);
      expect(verifyByNode(null, message, pair.publicKey, signBytes(message, theirs))).toBe(true);
    }
  });
});

describe('private keys', () => {
  const seed = Buffer.alloc(32, 5);
  const pair = Buffer.concat([seed, publicKeyOf(loadSigningSeed(seed))]);

  test("Go's 64 bytes and the bare seed sign alike", () => {
    expect(signBytes(seed, loadSigningSeed(pair))).toEqual(signBytes(seed, loadSigningSeed(seed)));
  });

  test('64 bytes that are no pair, and other lengths, are refused', () => {
    const mismatched = Buffer.concat([seed, Buffer.alloc(32)]);
    for (const wrong of [mismatched, Buffer.alloc(31), Buffer.alloc(33), Buffer.alloc(0)]) {
      expect(codeOf(() => loadSigningSeed(wrong))).toBe('config.input_unusable');
    }
  });
});
