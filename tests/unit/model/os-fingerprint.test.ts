import { describe, expect, test } from '@jest/globals';
import { digestOf } from '@edged/model/digest';
import {
  changedComponents,
  compositeHash,
  parseOsFingerprint,
  serializeOsFingerprint,
} from '@edged/model/os-fingerprint';

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
