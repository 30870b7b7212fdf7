/**
 * `edged init DIR`: a state root from the template. Fills in what is missing, touches nothing else.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CommandContext } from '../command-context.ts';
import { success } from '../exit-code.ts';
import { fillTree, makeDirectory } from '../files.ts';

const template = fileURLToPath(new URL('../../../../state-root-template', import.meta.url));

export function runInit(directory: string, { terminal }: CommandContext): number {
  const stateRoot = path.resolve(directory);
  makeDirectory(stateRoot);
  const made = fillTree(template, stateRoot);
  for (const name of made) terminal.out(`created ${name}\n`);
  if (made.length === 0) terminal.out(`${stateRoot} is complete already\n`);
  return success;
}
