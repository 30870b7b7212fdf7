/** Directories that no test leaves behind: neither one that fails nor one that was skipped. */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import { removeTree } from './device/removal.ts';

/**
 * The canonical path of a directory that is there while the tests of this file, or block, are run;
 * where all of them are skipped it never is. `name` is a part of its name.
 */
export function testDirectory(name: string): string {
  const unique = randomBytes(6).toString('hex');
  const directory = path.join(fs.realpathSync(os.tmpdir()), `edged-${name}-${unique}`);
  beforeAll(() => fs.mkdirSync(directory, { mode: 0o700 }));
  afterAll(() => removeTree(directory));
  return directory;
}
