import { describe, expect, test } from '@jest/globals';
import { type FailureCode, PrecheckError, failures } from '@edged/model/failure';

const codes = Object.keys(failures) as FailureCode[];

describe('every row of the table', () => {
  test.each(codes)(
    '%s has a message in the style of the house and a remedy of one line',
    (code) => {
      const { message, remedy } = failures[code];
      expect(message).toMatch(/^(?:precheck|edged): [a-z][^\n"]*[^.\s]$/);
      expect(remedy).toMatch(/^[A-Z][^\n]+\.$/);
      expect(code).toMatch(/^[a-z_]+\.[a-z0-9_]+$/);
    },
  );

  test.each(codes)('%s belongs to the gate that its first word names', (code) => {
    const gates: Record<string, string> = {
      config: 'config',
      state_root: 'state_root',
      certificate: 'certificate',
      os: 'reconstruction',
      manifest: 'reconstruction',
      trust: 'reconstruction',
      operation: 'reconstruction',
      reconstruction: 'reconstruction',
      slot: 'slot',
      inspection: 'inspection',
      internal: 'defect',
    };
    expect(failures[code].gate).toBe(gates[code.slice(0, code.indexOf('.'))]);
  });

  test('has a message of its own', () => {
    expect(new Set(codes.map((code) => failures[code].message)).size).toBe(codes.length);
  });
});

test('the two messages known from the original are kept to the letter', () => {
  expect(failures['manifest.verify_key_missing'].message).toBe(
    'precheck: manifest verify key missing on reconstruction path',
  );
  expect(failures['manifest.signature_invalid'].message).toBe(
    'precheck: manifest signature verification failed',
  );
});

test('the reasons that the contract names exist', () => {
  expect(codes).toContain('manifest.signature_invalid');
  expect(codes).toContain('state_root.ephemeral_filesystem');
});

describe('a refusal', () => {
  test.each(codes)('%s carries code, gate, message and remedy of its row', (code) => {
    const error = new PrecheckError(code);
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe('PrecheckError');
    const { gate, message, remedy } = error;
    expect({ gate, class: error.class, message, remedy }).toEqual(failures[code]);
    expect(error.code).toBe(code);
  });

  test('carries one detail, or all that it was given', () => {
    expect(new PrecheckError('config.usage', { flag: 'x' }).details).toEqual([{ flag: 'x' }]);
    const two = [{ at: 'a' }, { at: 'b', line: 3 }];
    expect(new PrecheckError('config.invalid', two).details).toEqual(two);
  });

  test('without a detail has one that is empty', () => {
    expect(new PrecheckError('config.usage').details).toEqual([{}]);
  });

  test('keeps its cause as it was, and has none where none was given', () => {
    const cause = new Error('disk');
    expect(new PrecheckError('config.unreadable', {}, cause).cause).toBe(cause);
    expect(new PrecheckError('config.unreadable', {}, 0).cause).toBe(0);
    expect('cause' in new PrecheckError('config.unreadable')).toBe(false);
  });
});
