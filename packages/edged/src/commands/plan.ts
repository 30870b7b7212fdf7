/** stub while the registry is written */
import type { CommandContext } from '../command-context.ts';
import type { PrecheckArguments } from './precheck.ts';

export async function runPlan(_args: PrecheckArguments, _context: CommandContext): Promise<number> {
  throw new Error('not yet');
}
