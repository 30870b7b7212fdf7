/** A key pair on a disk that takes only a part of it: what was written is removed again. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { CommandContext } from 'edged/command-context';
import { runKeygen } from 'edged/commands/keygen';

let directory = '';
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edged-keygen-'));
});
afterEach(() => {
  jest.restoreAllMocks();
  fs.rmSync(directory, { recursive: true });
});

const context = { terminal: { out: () => undefined } } as unknown as CommandContext;

/** The write that comes after so many others leaves a part, and fails. */
function fillDiskAfter(writes: number): void {
  const write = fs.writeFileSync;
  let left = writes;
  jest.spyOn(fs, 'writeFileSync').mockImplementation((file, bytes, options) => {
    left -= 1;
    if (left >= 0) return write(file, bytes, options);
    write(file, 'a part', options);
    throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
  });
}

test.each([
  [0, 'manifest-sign.key'],
  [1, 'manifest-verify.pub'],
])('ENOSPC after %i of two files', (written, name) => {
  fillDiskAfter(written);
  expect(() => runKeygen(directory, context)).toThrow(
    expect.objectContaining({
      code: 'config.output_unusable',
      details: [{ file: path.join(directory, name), errno: 'ENOSPC' }],
    }),
  );
  expect(fs.readdirSync(directory)).toEqual([]);
});

test('what somebody else wrote in the meantime stays', () => {
  const open = fs.openSync;
  const publicKey = path.join(directory, 'manifest-verify.pub');
  jest.spyOn(fs, 'openSync').mockImplementation((file, ...rest) => {
    if (file === publicKey) fs.closeSync(open(publicKey, 'w'));
    return open(file, ...rest);
  });
  expect(() => runKeygen(directory, context)).toThrow(
    expect.objectContaining({ code: 'config.output_exists' }),
  );
  expect(fs.readdirSync(directory)).toEqual(['manifest-verify.pub']);
});
