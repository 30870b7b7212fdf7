import type { CommandContext } from '../command-context.ts';
export function runSimulate(keep: boolean, { terminal }: CommandContext): number { terminal.out(String(keep)); return 0; }
