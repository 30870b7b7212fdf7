import { describe, expect, test } from '@jest/globals';
import { PrecheckError } from '@edged/model/failure';
import { checkOperationPaths, relativeToRoot } from '@edged/model/install-operation';
import { isProtected } from '@edged/model/layout';
import fc from 'fast-check';

const roots = ['/data/edged', '/mnt/persist/edged'];

function verdict(src: string, dst: string): string {
  try {
    checkOperationPaths(
      {
        op: 'copy_binary',
        src,
        dst,
        hash: undefined,
        mode: undefined,
        executable: false,
        xattrs: {},
      },
      0,
      roots,
    );
    return 'ok';
  } catch (error) {
    if (error instanceof PrecheckError) return error.code;
    throw error;
  }
}

const src = 'runtime/binaries/agent';

describe('characters', () => {
  const control = [...Array.from({ length: 32 }, (_, code) => String.fromCharCode(code)), '\u007f'];
  test.each([...';|$`&><(){}[]*?!#~\'"\\', ...control])(
    '%j is refused in src and dst',
    (character) => {
      expect(verdict(`runtime/binaries/a${character}b`, 'runtime/bin/a')).toBe(
        'operation.path_forbidden',
      );
      expect(verdict(src, `runtime/bin/a${character}b`)).toBe('operation.path_forbidden');
    },
  );

  test.each(['a b', 'ünïcode', 'a=b,c:d@e%f^g', '-rf', '.hidden'])('%j is allowed', (name) => {
    expect(verdict(`runtime/binaries/${name}`, `runtime/bin/${name}`)).toBe('ok');
  });

  test('a name of 255 bytes is allowed, of 256 refused', () => {
    expect(verdict(src, `runtime/${'a'.repeat(255)}`)).toBe('ok');
    expect(verdict(src, `runtime/${'a'.repeat(256)}`)).toBe('operation.path_forbidden');
    expect(verdict(src, `runtime/${'ü'.repeat(128)}`)).toBe('operation.path_forbidden');
  });
});

describe('src', () => {
  test.each([
    ['runtime/binaries/a', 'ok'],
    ['./runtime//binaries/x/../a', 'ok'],
    ['/data/edged/runtime/binaries/a', 'ok'],
    ['/mnt/persist/edged/runtime/binaries/a', 'ok'],
    ['runtime/binaries', 'operation.src_outside'],
    ['runtime/binaries/..', 'operation.src_outside'],
    ['runtime/binaries/../manifest.json', 'operation.src_outside'],
    ['runtime/binaries/../../../etc/passwd', 'operation.src_outside'],
    ['/etc/passwd', 'operation.src_outside'],
    ['/data/edged2/runtime/binaries/a', 'operation.src_outside'],
    ['identity/manifest-verify.pub', 'operation.src_outside'],
  ])('%s: %s', (path, expected) => {
    expect(verdict(path, 'runtime/bin/a')).toBe(expected);
  });
});

describe('dst', () => {
  test.each([
    ['runtime/bin/a', 'ok'],
    ['agent', 'ok'],
    ['/data/edged/runtime/bin/a', 'ok'],
    ['runtime/manifest', 'ok'],
    ['identity2/a', 'ok'],
    ['/usr/bin/a', 'operation.dst_outside'],
    ['../a', 'operation.dst_outside'],
    ['runtime/../../a', 'operation.dst_outside'],
    ['/data/edged', 'operation.dst_protected'],
    ['.', 'operation.dst_protected'],
    ['runtime', 'operation.dst_protected'],
    ['runtime/binaries/a', 'operation.dst_protected'],
    ['runtime/manifest.json', 'operation.dst_protected'],
    ['runtime/manifest.json.sig', 'operation.dst_protected'],
    ['identity/a', 'operation.dst_protected'],
    ['bootstrap/transaction/x', 'operation.dst_protected'],
    ['epoch/current/evidence.json', 'operation.dst_protected'],
    ['edge/relay/relay.db', 'operation.dst_protected'],
    ['.precheck.lock', 'operation.dst_protected'],
  ])('%s: %s', (path, expected) => {
    expect(verdict(src, path)).toBe(expected);
  });

  test('no text of a path gets out, or into a reserved place', () => {
    const part = fc.constantFrom(
      '..',
      '.',
      '',
      'a',
      'identity',
      'runtime',
      'binaries',
      'epoch',
      'edge',
      'bootstrap',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), fc.boolean(), (parts, absolute) => {
        const path = (absolute ? '/data/edged/' : '') + parts.join('/');
        if (verdict(src, path) !== 'ok') return;
        const relative = relativeToRoot(path, roots) ?? '..';
        expect(relative).not.toMatch(/(^|\/)\.\.?(\/|$)/);
        expect(isProtected(relative)).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });
});
