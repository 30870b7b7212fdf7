/**
 * `edged init DIR`: a state root from the template. Fills in what is missing, touches nothing else.
 */
import path from 'node:path';
import type { CommandContext } from '../command-context.ts';
import { success } from '@edged/model/exit-code';
import { fillIn, makeDirectory } from '../files.ts';
import { readTemplate } from '../template.ts';

export function runInit(directory: string, { terminal }: CommandContext): number {
  const stateRoot = path.resolve(directory);
  makeDirectory(stateRoot);
  const made = fillIn(readTemplate(), stateRoot);
  for (const name of made) terminal.out(`created ${name}\n`);
  if (made.length === 0) terminal.out(`${stateRoot} is complete already\n`);
  return success;
}
