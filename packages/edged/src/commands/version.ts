/** `edged version`. */
import type { CommandContext } from '../command-context.ts';
import { success } from '@edged/model/exit-code';
import { release } from '../release.ts';

export function runVersion(output: 'text' | 'json', { terminal }: CommandContext): number {
  const { bun, node } = process.versions; // Bun states a version of Node.js as well
  const document = {
    schema: 'edged.version.v1',
    version: release.version,
    built_at: release.builtAt,
    runtime: bun === undefined ? `node ${node}` : `bun ${bun}`,
    architecture: process.arch,
  };
  terminal.out(
    output === 'json' ? `${JSON.stringify(document, null, 2)}\n` : `edged ${release.version}\n`,
  );
  return success;
}
