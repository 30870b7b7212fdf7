/**
 * Lives through one cell: a root is made, the stranger types `npm start`, then, without a network
 * and in a checkout that nobody can write, `npm test`; the root is removed. Where Node is refused
 * there is no second command.
 */
import fs from 'node:fs';
import path from 'node:path';
import { type FreshCell, nameOf } from './cells.ts';
import { type CommandRun, lastLines } from './enclosed-command.ts';
import { barePath, leftovers, makeRoot } from './fresh-root.ts';
import type { Materials } from './materials.ts';
import { megabytesBelow } from './places.ts';
import { Unavailable } from './registry.ts';
import { typeCommand } from './stranger.ts';
import { judgeRefusal, judgeStart, judgeTest } from './verdict.ts';

export interface CellResult {
  readonly name: string;
  readonly start?: CommandRun;
  readonly test?: CommandRun;
  /** Why it failed; none when all was as it should be. */
  readonly problems: readonly string[];
  readonly skipped?: string;
}

type Script = 'start' | 'test';
type Say = (line: string) => void;

const usualPath = '/usr/bin:/bin';
const limitSeconds = 900;

/** `say` gets a line for each step. Rejected only when the run is interrupted. */
export async function liveThrough(
  cell: FreshCell,
  supportedNode: string,
  materials: Materials,
  say: Say,
): Promise<CellResult> {
  const name = nameOf(cell);
  let root: string | undefined;
  try {
    const started = performance.now();
    root = await makeRoot(cell, materials);
    const seconds = (performance.now() - started) / 1000;
    say(`root: ${megabytesBelow(root)} MB in ${seconds.toFixed(1)} s`);
    return { name, ...(await typeBoth(cell, root, supportedNode, materials, say)) };
  } catch (error) {
    materials.interruption.throwIfAborted();
    const message = error instanceof Error ? error.message : String(error);
    const isSkipped = error instanceof Unavailable;
    say(`${isSkipped ? 'skipped' : 'FAILED'}: ${message}`);
    return isSkipped ? { name, problems: [], skipped: message } : { name, problems: [message] };
  } finally {
    if (root !== undefined) fs.rmSync(root, { recursive: true, maxRetries: 5 });
  }
}

async function typeBoth(
  cell: FreshCell,
  root: string,
  supportedNode: string,
  materials: Materials,
  say: Say,
): Promise<Omit<CellResult, 'name'>> {
  const logOf = (script: Script): string =>
    path.join(materials.places.logs, `${nameOf(cell)}-${script}.log`);
  const type = (script: Script): Promise<CommandRun> =>
    typeCommand(root, cell.release, {
      command: ['npm', script],
      searchPath: script === 'test' && cell.hasBarePath ? barePath : usualPath,
      hasNetwork: script === 'start',
      isCheckoutReadOnly: script === 'test',
      log: logOf(script),
      limitSeconds,
      interruption: materials.interruption,
    });
  const tell = (script: Script, run: CommandRun, problems: readonly string[]): void => {
    say(`npm ${script}: ${run.seconds.toFixed(1)} s, ${problems.join('; ') || 'as expected'}`);
    if (problems.length === 0) return;
    for (const line of lastLines(run.output, 40)) say(`  | ${line}`);
    say(`whole log: ${logOf(script)}`);
  };
  const start = await type('start');
  const problems = cell.isRefused
    ? judgeRefusal(start, leftovers(root), supportedNode)
    : judgeStart(start);
  tell('start', start, problems);
  if (cell.isRefused || problems.length > 0) return { start, problems };
  const test = await type('test');
  const found = judgeTest(test);
  tell('test', test, found);
  return { start, test, problems: found };
}
