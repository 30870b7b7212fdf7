import { describe, expect, test } from '@jest/globals';
import {
  defaultBinary,
  evidenceName,
  isProtected,
  layout,
  stateRootDirectories,
} from '@edged/model/layout';
import fc from 'fast-check';

const places = ['identity', 'bootstrap', 'epoch', 'edge', 'runtime/binaries', '.precheck.lock'];

test('bootstrap makes exactly seven directories, each after its parent', () => {
  expect(stateRootDirectories).toHaveLength(7);
  expect([...stateRootDirectories].sort()).toEqual([
    'bootstrap',
    'edge/relay',
    'edge/segments',
    'epoch',
    'identity',
    'runtime',
    'runtime/binaries',
  ]);
  const at = (name: (typeof stateRootDirectories)[number]): number =>
    stateRootDirectories.indexOf(name);
  expect(at('runtime')).toBeLessThan(at('runtime/binaries'));
});

test('the names of the documented files are as documented', () => {
  expect(layout).toMatchObject({
    fingerprint: 'bootstrap/os_fingerprint.json',
    config: 'bootstrap/config.yaml',
    verifyKey: 'identity/manifest-verify.pub',
    binaries: 'runtime/binaries',
    manifest: 'runtime/manifest.json',
    signature: 'runtime/manifest.json.sig',
    currentEpoch: 'epoch/current',
    previousEpoch: 'epoch/previous',
  });
  expect(evidenceName).toBe('evidence.json');
  expect(defaultBinary).toBe('edged');
});

describe('a protected place', () => {
  test.each([...Object.values(layout), ...stateRootDirectories])('is %s, and all below', (name) => {
    expect(isProtected(name)).toBe(true);
    expect(isProtected(`${name}/below`)).toBe(name !== 'runtime');
  });

  test.each(['', 'runtime', 'runtime/manifest.json.sig', 'runtime/manifest.json.bak'])(
    'is %j as well',
    (name) => {
      expect(isProtected(name)).toBe(true);
    },
  );

  test.each([
    'agent',
    'runtime/bin/agent',
    'runtime/manifest',
    'runtime/manifest.jso',
    'runtime/binaries2/agent',
    'runtime2',
    'run',
    'identity2/a',
    'bootstrapped',
    'epochs/a',
    'edges',
    'edged',
    '.precheck.lock2',
    'bin/identity/a',
  ])('is not %s', (name) => {
    expect(isProtected(name)).toBe(false);
  });

  test('is everything at, below and above one, whatever the names below are', () => {
    const name = fc.stringMatching(/^[a-z.]{1,8}$/);
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.array(name), (place, below) => {
        expect(isProtected([place, ...below].join('/'))).toBe(true);
        const above = place.split('/').slice(0, -1).join('/');
        expect(isProtected(above)).toBe(true);
      }),
    );
  });
});
