/** `edged completion [SHELL]`: the script that makes a shell complete this command. */
import path from 'node:path';
import { success } from '@edged/model/exit-code';
import { PrecheckError } from '@edged/model/failure';
import type { CommandContext } from '../command-context.ts';
import { type Shell, completionScripts, shells } from '../command-line/completion-scripts.ts';

/** Without a name, the shell that SHELL names. Throws `config.usage` where that is none of them. */
export function runCompletion(
  named: Shell | undefined,
  { settings, terminal }: CommandContext,
): number {
  const shell = named ?? shellOf(settings.shell);
  terminal.out(completionScripts[shell]);
  return success;
}

function shellOf(setting: string | undefined): Shell {
  const name = path.basename(setting ?? '');
  const shell = shells.find((candidate) => candidate === name);
  if (shell) return shell;
  const problem = `name the shell: edged completion ${shells.join('|')}`;
  throw new PrecheckError('config.usage', { problem, found: setting ?? '' });
}
