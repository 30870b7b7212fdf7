import { describe, expect, test } from '@jest/globals';
import {
  changedIdentities,
  imageHash,
  imageIdentityFromJson,
  knowsMore,
  statedByKernel,
} from '@edged/model/image-identity';

const none = { 'kernel:roothash': '', 'kernel:usrhash': '', 'kernel:init': '' };

describe('the kernel command line', () => {
  test.each([
    ['', {}],
    ['root=/dev/sda2 quiet rauc.slot=A systemd.machine_id=1', {}],
    [`roothash=${'a1'.repeat(32)} quiet`, { 'kernel:roothash': 'a1'.repeat(32) }],
    ['usrhash=00ff00ff x', { 'kernel:usrhash': '00ff00ff' }],
    ['roothash=aaaaaaaa roothash=bbbbbbbb', { 'kernel:roothash': 'bbbbbbbb' }],
    ['init=/nix/store/abc-nixos/init ro', { 'kernel:init': '/nix/store/abc-nixos/init' }],
    ['init=/bin/sh', {}],
    ['xroothash=aaaaaaaa roothash=zz', {}],
  ])('%j', (line, stated) => {
    expect(statedByKernel(`${line}\n`)).toEqual({ ...none, ...stated });
  });

  test('where an image lies, and how often it was tried, is no part of what it is', () => {
    const stated = statedByKernel('roothash=aaaaaaaa root=/dev/sda2 rauc.slot=A');
    expect(stated).toEqual(statedByKernel('roothash=aaaaaaaa root=/dev/sda3 rauc.slot=B tries=1'));
  });
});

test('what only one of the two knows is no change', () => {
  expect(changedIdentities(undefined, { a: '1' })).toEqual([]);
  expect(changedIdentities({ a: '1' }, undefined)).toEqual([]);
  expect(changedIdentities({ a: '1' }, { b: '2' })).toEqual([]);
  expect(changedIdentities({ a: '1', b: '' }, { a: '2', b: '3', c: '4' })).toEqual(['a', 'b']);
});

test('knowing less than is stored is nothing to adopt', () => {
  expect(knowsMore({ a: '1' }, undefined)).toBe(true);
  expect(knowsMore({ a: '1', b: '2' }, { a: '1' })).toBe(true);
  expect(knowsMore({ a: '1' }, { a: '1', b: '2' })).toBe(false);
  expect(knowsMore(undefined, { a: '1' })).toBe(false);
});

test('the hash does not depend on the order, and no value can pass for a name', () => {
  expect(imageHash({ a: '1', b: '2' })).toBe(imageHash({ b: '2', a: '1' }));
  expect(imageHash({ a: '1', b: '2' })).not.toBe(imageHash({ a: '12', b: '' }));
  expect(imageHash({ 'a","1': '' })).not.toBe(imageHash({ a: '1' }));
});

test('a stored identity that is none is passed over', () => {
  expect(imageIdentityFromJson('text')).toBeUndefined();
  expect(imageIdentityFromJson({ a: '1', b: 2 })).toEqual({ a: '1' });
});
