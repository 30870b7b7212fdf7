import { describe, expect, test } from '@jest/globals';
import { PrecheckError } from '@edged/model/failure';
import { parseRuntimeManifest } from '@edged/model/runtime-manifest';

const copy = { op: 'copy_binary', src: 'runtime/binaries/a', dst: 'runtime/bin/a' };

function parse(manifest: unknown): unknown {
  return parseRuntimeManifest(Buffer.from(JSON.stringify(manifest)));
}

function problems(manifest: unknown): string[] {
  try {
    parse(manifest);
  } catch (error) {
    if (!(error instanceof PrecheckError)) throw error;
    expect(error.code).toBe('manifest.invalid');
    return error.details.map((detail) => String(detail['at'] ?? detail['problem']));
  }
  return [];
}

const asked = { executable: true, xattrs: { 'user.origin': '6564' } };

test('a manifest with everything', () => {
  const hash = 'AB'.repeat(32);
  const operations = [
    { ...copy, ...asked, hash: `blake3:${hash}`, mode: '0755' },
    { op: 'verify_config', src: 'x', hash },
  ];
  const limits = {
    serial: 7,
    issued_at: '2027-01-01T00:00:00Z',
    not_after: '2028-01-01T00:00:00.5Z',
    audience: ['edge-*'],
    max_boots_since_accept: 100,
    max_epochs: 2,
  };
  expect(parse({ version: '1', binary_path: 'bin/edged', operations, ...limits })).toEqual({
    version: '1',
    binaryPath: 'bin/edged',
    operations: [
      { ...copy, ...asked, hash: hash.toLowerCase(), mode: 0o755 },
      { op: 'verify_config', src: 'x', hash: hash.toLowerCase() },
    ],
    serial: 7,
    issuedAt: '2027-01-01T00:00:00Z',
    notAfter: '2028-01-01T00:00:00.5Z',
    audience: ['edge-*'],
    maxBoots: 100,
    maxEpochs: 2,
  });
});

test('the least manifest', () => {
  expect(parse({ version: '1', operations: [] })).toEqual({
    version: '1',
    binaryPath: undefined,
    operations: [],
  });
});

describe('refused', () => {
  test.each<[string, unknown, string]>([
    ['no version', { operations: [] }, 'version'],
    ['a number as version', { version: 1, operations: [] }, 'version'],
    ['no operations', { version: '1' }, 'operations'],
    ['operations that are no list', { version: '1', operations: {} }, 'operations'],
    ['an unknown key', { version: '1', operations: [], extra: 1 }, 'extra'],
    ['an unknown op', { version: '1', operations: [{ ...copy, op: 'exec' }] }, 'operations.0.op'],
    [
      'an unknown field',
      { version: '1', operations: [{ ...copy, owner: 'x' }] },
      'operations.0.owner',
    ],
    ['no src', { version: '1', operations: [{ op: 'copy_binary', dst: 'x' }] }, 'operations.0.src'],
    ['an empty src', { version: '1', operations: [{ ...copy, src: '' }] }, 'operations.0.src'],
    ['no dst', { version: '1', operations: [{ op: 'copy_binary', src: 'x' }] }, 'operations.0.dst'],
    [
      'a dst to verify',
      { version: '1', operations: [{ op: 'verify_config', src: 'x', dst: 'y' }] },
      'operations.0.dst',
    ],
    [
      'a short hash',
      { version: '1', operations: [{ ...copy, hash: 'abcd' }] },
      'operations.0.hash',
    ],
    ['setuid', { version: '1', operations: [{ ...copy, mode: '4755' }] }, 'operations.0.mode'],
    [
      'a number as mode',
      { version: '1', operations: [{ ...copy, mode: 493 }] },
      'operations.0.mode',
    ],
    ['mode 0999', { version: '1', operations: [{ ...copy, mode: '0999' }] }, 'operations.0.mode'],
    [
      'a binary_path that climbs',
      { version: '1', operations: [], binary_path: '../x' },
      'binary_path',
    ],
    ['an absolute binary_path', { version: '1', operations: [], binary_path: '/x' }, 'binary_path'],
    ['a list', [], 'version'],
    ['null', null, '(top)'],
  ])('%s', (_what, manifest, at) => {
    expect(problems(manifest)).toContain(at);
  });

  test('all problems at once', () => {
    const operations = [
      { ...copy, hash: 'x' },
      { ...copy, mode: 'y' },
    ];
    expect(problems({ version: '2', operations })).toEqual([
      'version',
      'operations.0.hash',
      'operations.1.mode',
    ]);
  });

  test('all unknown keys at once', () => {
    const operations = [
      { ...copy, one: 1, two: 2 },
      { op: 'verify_config', src: 'x', dst: 'y' },
    ];
    expect(problems({ version: '1', operations, three: 3, four: { five: 5 } })).toEqual([
      'operations.0.one',
      'operations.0.two',
      'operations.1.dst',
      'three',
      'four',
    ]);
  });
});
