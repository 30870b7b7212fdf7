/**
 * `edged init DIR`: a state root from the template. Fills in what is missing, touches nothing else.
 */
import path from 'node:path';
import { success } from '@edged/model/exit-code';
import { PrecheckError } from '@edged/model/failure';
import { requireDirectory } from '@edged/precheck/state-root/state-root';
import type { CommandContext } from '../command-context.ts';
import { fillIn, makeDirectory } from '../files.ts';
import { readTemplate } from '../template.ts';

/** Throws `state_root.*`: a directory that precheck would refuse as it is stays as it is. */
export function runInit(directory: string, { terminal, host }: CommandContext): number {
  if (directory === '') throw new PrecheckError('config.usage', { problem: 'no directory given' });
  const stateRoot = path.resolve(directory);
  makeDirectory(stateRoot, 0o755);
  requireDirectory(stateRoot, host);
  const made = fillIn(readTemplate(), stateRoot);
  for (const name of made) terminal.out(`created ${name}\n`);
  if (made.length === 0) terminal.out(`${stateRoot} is complete already\n`);
  return success;
}
