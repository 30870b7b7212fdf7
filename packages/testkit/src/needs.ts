/**
 * What a test needs beyond Node.js, npm, a POSIX shell and flock(1), which edged itself needs.
 * Where that is not there the test is skipped under a name that says so, and the closing report
 * (`tests/tools/reporter.mjs`) lists it. Nothing is ever failed for the lack of a tool or of a
 * right, and nothing skipped is a pass.
 */
import { test } from '@jest/globals';
import {
  type Circumstance,
  type RightOfRoot,
  circumstances,
  freeGigabytes,
  rightsOfRoot,
  runs,
} from './circumstances.ts';
import { type Tool, tools } from './tools.ts';

type Space = `${number} GB free in the temporary directory`;
export type Need = Tool | Circumstance | RightOfRoot | Space;
/** Found missing by the caller: what, or undefined where nothing is. */
export type Obstacle = { readonly obstacle: string | undefined };

/** What stands in the way of each need that was asked for, or undefined. */
const known = new Map<Need, string | undefined>();

export function has(need: Need): boolean {
  return lacking(need) === undefined;
}

/** What is not there of all this, as the name of a skipped test says it; undefined where all is. */
export function lacking(...needs: readonly (Need | Obstacle)[]): string | undefined {
  const missing = needs
    .map((need) => (typeof need === 'string' ? ask(need) : need.obstacle))
    .filter((what) => what !== undefined);
  if (missing.length === 0) return undefined;
  // what only root uses lies where only root looks
  return missing.includes('root') ? 'root' : missing.join(', ');
}

function ask(need: Need): string | undefined {
  if (!known.has(need)) known.set(need, lookFor(need));
  return known.get(need);
}

function lookFor(need: Need): string | undefined {
  if (need in tools) return hasTool(need as Tool) ? undefined : need;
  if (need in rightsOfRoot) {
    if (!has('root')) return 'root';
    return rightsOfRoot[need as RightOfRoot]() ? undefined : need;
  }
  if (need in circumstances) return circumstances[need as Circumstance]() ? undefined : need;
  const [, gigabytes] = /^(\d+) GB free/.exec(need) ?? [];
  if (gigabytes === undefined) throw new Error(`nobody knows how to look for: ${need}`);
  return freeGigabytes() >= Number(gigabytes) ? undefined : need;
}

function hasTool(tool: Tool): boolean {
  const { probe } = tools[tool];
  const status = runs(probe);
  return status !== undefined && (status === 0 || !('mustSucceed' in tools[tool]));
}

/** `test`, or a `test.skip` that names what is missing. */
export function testWith(...needs: readonly (Need | Obstacle)[]): typeof test {
  const missing = lacking(...needs);
  return missing === undefined ? test : skipping(` (needs ${missing})`);
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
