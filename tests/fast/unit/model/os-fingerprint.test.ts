import { describe, expect, test } from '@jest/globals';
import { digestOf } from '@edged/model/digest';
import {
  changedComponents,
  compositeHash,
  osReleaseText,
  parseOsFingerprint,
  serializeOsFingerprint,
} from '@edged/model/os-fingerprint';
import { blake3 } from '@noble/hashes/blake3.js';
import fc from 'fast-check';

const etc = Buffer.from('ID=a\n');
const usr = Buffer.from('ID=b\n');

describe('the composite hash', () => {
  test('is over the three inputs, raw, without separators', () => {
    const all = Buffer.from('ID=a\nID=b\n6.1.0');
    expect(compositeHash({ etcOsRelease: etc, usrLibOsRelease: usr, kernelRelease: '6.1.0' })).toBe(
      digestOf(all),
    );
  });

  test('skips what is absent', () => {
    const one = digestOf(Buffer.from('ID=a\n6.1.0'));
    expect(
      compositeHash({ etcOsRelease: etc, usrLibOsRelease: undefined, kernelRelease: '6.1.0' }),
    ).toBe(one);
    expect(
      compositeHash({ etcOsRelease: undefined, usrLibOsRelease: etc, kernelRelease: '6.1.0' }),
    ).toBe(one);
  });

  test('hashes the same bytes twice when both files are the same', () => {
    const twice = digestOf(Buffer.from('ID=a\nID=a\nk'));
    expect(compositeHash({ etcOsRelease: etc, usrLibOsRelease: etc, kernelRelease: 'k' })).toBe(
      twice,
    );
  });

  test('changes with the kernel alone', () => {
    const identity = { etcOsRelease: etc, usrLibOsRelease: usr };
    const [one, other] = ['6.1.0-1', '6.1.0-2'].map((kernelRelease) =>
      compositeHash({ ...identity, kernelRelease }),
    );
    expect(one).not.toBe(other);
  });

  test('is over bytes: invalid UTF-8 that reads alike differs', () => {
    const hashes = [0xfe, 0xff].map((byte) =>
      compositeHash({
        etcOsRelease: Buffer.from([byte]),
        usrLibOsRelease: undefined,
        kernelRelease: '',
      }),
    );
    expect(hashes[0]).not.toBe(hashes[1]);
  });
});

describe('the composite hash of any OS', () => {
  const file = fc.option(fc.uint8Array({ maxLength: 300 }), { nil: undefined });

  test('is what another BLAKE3 makes of the files that are there and the kernel release', () => {
    fc.assert(
      fc.property(file, file, fc.string({ unit: 'binary' }), (one, other, kernelRelease) => {
        const files = [one, other].filter((bytes) => bytes !== undefined);
        const whole = Buffer.concat([...files, new TextEncoder().encode(kernelRelease)]);
        expect(compositeHash({ etcOsRelease: one, usrLibOsRelease: other, kernelRelease })).toBe(
          Buffer.from(blake3(whole)).toString('hex'),
        );
      }),
    );
  });

  test('of the same bytes twice is not that of the bytes once', () => {
    const once = { etcOsRelease: etc, usrLibOsRelease: undefined, kernelRelease: 'k' };
    expect(compositeHash({ ...once, usrLibOsRelease: etc })).not.toBe(compositeHash(once));
  });

  test('depends on the order of the two files', () => {
    const kernelRelease = 'k';
    expect(compositeHash({ etcOsRelease: etc, usrLibOsRelease: usr, kernelRelease })).not.toBe(
      compositeHash({ etcOsRelease: usr, usrLibOsRelease: etc, kernelRelease }),
    );
  });
});

describe('the text kept for people', () => {
  const identity = { etcOsRelease: undefined, usrLibOsRelease: undefined, kernelRelease: 'k' };

  test('is /etc/os-release, else the one below /usr/lib, else nothing', () => {
    expect(osReleaseText({ ...identity, etcOsRelease: etc, usrLibOsRelease: usr })).toBe('ID=a\n');
    expect(osReleaseText({ ...identity, usrLibOsRelease: usr })).toBe('ID=b\n');
    expect(osReleaseText(identity)).toBe('');
  });

  test('is text even where the bytes are none', () => {
    expect(osReleaseText({ ...identity, etcOsRelease: Buffer.from([0x61, 0xff]) })).toBe('a\uFFFD');
  });
});

describe('a stored fingerprint', () => {
  const stored = {
    composite_hash: 'x',
    os_release: 'ID=a\n',
    uname_release: 'k',
    boot_epoch: 3,
    captured_at: 't',
  };

  test.each([
    ['compact', JSON.stringify(stored)],
    ['pretty', JSON.stringify(stored, null, 4)],
    ['CRLF', JSON.stringify(stored, null, 2).replaceAll('\n', '\r\n')],
    ['reordered', JSON.stringify(Object.fromEntries(Object.entries(stored).toReversed()))],
    ['with a byte order mark', `\uFEFF${JSON.stringify(stored)}`],
    [
      'with \\u003c as Go writes <',
      JSON.stringify({ ...stored, os_release: 'a<b' }).replace('<', '\\u003c'),
    ],
  ])('is read: %s', (_what, text) => {
    expect(parseOsFingerprint(Buffer.from(text))).toMatchObject({
      compositeHash: 'x',
      bootEpoch: 3,
    });
  });

  test.each([-1, 1.5, '1', null, 2 ** 53, undefined, true])(
    'with epoch %j is unreadable',
    (boot_epoch) => {
      expect(
        parseOsFingerprint(Buffer.from(JSON.stringify({ ...stored, boot_epoch }))),
      ).toBeUndefined();
    },
  );

  test('with the hash tampered to "ffff0000" is read: it is just a mismatch', () => {
    const tampered = Buffer.from(JSON.stringify({ ...stored, composite_hash: 'ffff0000' }));
    expect(parseOsFingerprint(tampered)).toMatchObject({ compositeHash: 'ffff0000', bootEpoch: 3 });
  });

  test.each([null, 7, ['x'], {}])('with %j as hash is unreadable', (composite_hash) => {
    const bytes = Buffer.from(JSON.stringify({ ...stored, composite_hash }));
    expect(parseOsFingerprint(bytes)).toBeUndefined();
  });

  test.each(['', '[]', 'null', '"x"', '7', '{', '\0\0\0\0'])('that is %j is none', (text) => {
    expect(parseOsFingerprint(Buffer.from(text))).toBeUndefined();
  });

  test('cut anywhere is none', () => {
    const whole = Buffer.from(JSON.stringify(stored));
    for (let length = 0; length < whole.length; length += 1) {
      expect(parseOsFingerprint(whole.subarray(0, length))).toBeUndefined();
    }
    expect(parseOsFingerprint(whole)).toBeDefined();
  });

  test('with its texts missing or of another type has empty ones', () => {
    const bytes = Buffer.from('{"composite_hash":"x","boot_epoch":0,"os_release":7}');
    expect(parseOsFingerprint(bytes)).toMatchObject({
      osRelease: '',
      unameRelease: '',
      capturedAt: '',
    });
  });

  test('is written back as it was read, whatever it holds', () => {
    const unknown = fc.dictionary(fc.stringMatching(/^x_[a-z]{1,8}$/), fc.jsonValue());
    fc.assert(
      fc.property(unknown, fc.string(), fc.nat(), (more, os_release, boot_epoch) => {
        const text = JSON.stringify({ ...stored, os_release, boot_epoch, ...more });
        const parsed = parseOsFingerprint(Buffer.from(text));
        if (!parsed) throw new Error('unreadable');
        expect(JSON.parse(Buffer.from(serializeOsFingerprint(parsed)).toString())).toEqual(
          JSON.parse(text),
        );
      }),
    );
  });

  test('keeps even a key named __proto__', () => {
    const text = '{"composite_hash":"x","boot_epoch":0,"__proto__":{"a":1}}';
    const parsed = parseOsFingerprint(Buffer.from(text));
    if (!parsed) throw new Error('unreadable');
    expect(Buffer.from(serializeOsFingerprint(parsed)).toString()).toContain('"__proto__": {');
  });

  test('without a hash is unreadable; without the rest it is not', () => {
    expect(parseOsFingerprint(Buffer.from('{"boot_epoch":1}'))).toBeUndefined();
    expect(parseOsFingerprint(Buffer.from('{"boot_epoch":1,"composite_hash":""}'))).toBeDefined();
  });

  test('keeps keys it does not know, and writes back what it read', () => {
    const bytes = Buffer.from(JSON.stringify({ ...stored, vendor: { a: [1] } }));
    const parsed = parseOsFingerprint(bytes);
    if (!parsed) throw new Error('unreadable');
    expect(JSON.parse(Buffer.from(serializeOsFingerprint(parsed)).toString())).toEqual({
      ...stored,
      vendor: { a: [1] },
    });
  });

  test.each([
    [{ etcOsRelease: etc, usrLibOsRelease: undefined, kernelRelease: 'k' }, ['unknown']],
    [{ etcOsRelease: etc, usrLibOsRelease: undefined, kernelRelease: 'k2' }, ['uname_release']],
    [{ etcOsRelease: usr, usrLibOsRelease: undefined, kernelRelease: 'k' }, ['os_release']],
    [
      { etcOsRelease: usr, usrLibOsRelease: undefined, kernelRelease: 'k2' },
      ['os_release', 'uname_release'],
    ],
  ])('tells what changed (%#)', (identity, expected) => {
    const parsed = parseOsFingerprint(Buffer.from(JSON.stringify(stored)));
    if (!parsed) throw new Error('unreadable');
    expect(changedComponents(parsed, identity)).toEqual(expected);
  });
});
