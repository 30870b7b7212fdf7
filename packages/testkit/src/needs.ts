/**
 * What a test needs beyond Node.js, npm and a POSIX shell. Where that is not there the test is
 * skipped under a name that says so, and the closing report (`tests/tools/reporter.mjs`) lists it.
 * Nothing is ever failed for the lack of a tool or of a right, and nothing skipped is a pass.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { test } from '@jest/globals';
import { type Tool, tools } from './tools.ts';

const rights = {
  root: () => process.getuid?.() === 0,
  'a user other than root': () => process.getuid?.() !== 0,
  'loop devices': () => process.getuid?.() === 0 && spawnSync('losetup', ['-f']).status === 0,
  'a running systemd': () => fs.existsSync('/run/systemd/system'),
  '/etc/os-release': () => fs.existsSync('/etc/os-release'),
  'the command on Node.js': () => !process.env['EDGED_EXECUTABLE'],
} as const satisfies Record<string, () => boolean>;

export type Need = Tool | keyof typeof rights;

const known = new Map<Need, boolean>();

export function has(need: Need): boolean {
  const found =
    known.get(need) ??
    (need in rights ? rights[need as keyof typeof rights]() : hasTool(need as Tool));
  known.set(need, found);
  return found;
}

function hasTool(tool: Tool): boolean {
  const { probe } = tools[tool];
  const [command = tool, ...args] = probe;
  const { error, status } = spawnSync(command, args, { stdio: 'ignore' });
  return !error && (status === 0 || !('mustSucceed' in tools[tool]));
}

/** The needs that are not met here; undefined when all are. */
export function lacking(...needs: readonly Need[]): string | undefined {
  const missing = needs.filter((need) => !has(need));
  return missing.length === 0 ? undefined : missing.join(', ');
}

/** `test`, or a `test.skip` that names what is missing. `obstacle`: found missing by the caller. */
export function testWith(
  ...needs: readonly (Need | { readonly obstacle: string | undefined })[]
): typeof test {
  const missing = needs.flatMap((need) =>
    typeof need === 'string' ? (lacking(need) ?? []) : (need.obstacle ?? []),
  );
  return missing.length === 0 ? test : skipping(` (needs ${missing.join(', ')})`);
}

function skipping(reason: string): typeof test {
  const skip = (title: string, ...rest: unknown[]): void =>
    (test.skip as (...args: unknown[]) => void)(`${title}${reason}`, ...rest);
  const each =
    (...table: unknown[]) =>
    (title: string, ...rest: unknown[]): void => {
      const skipEach = test.skip.each as (...args: unknown[]) => (...args: unknown[]) => void;
      skipEach(...table)(`${title}${reason}`, ...rest);
    };
  return Object.assign(skip, { each }) as unknown as typeof test;
}
