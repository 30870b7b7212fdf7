/** What the output of the two commands says: pure, and strict about the lines that are promised. */
import type { CommandRun } from './enclosed-command.ts';

export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export interface Leftovers {
  readonly hasNodeModules: boolean;
  /** In npm's cache, by the address from which they came. */
  readonly downloads: readonly string[];
}

/** The last line of `npm test`; undefined when there is none like it. */
export function readCounts(output: string): TestCounts | undefined {
  const line = output.trimEnd().split('\n').at(-1) ?? '';
  const match = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/.exec(line);
  if (!match) return undefined;
  const [passed = 0, failed = 0, skipped = 0] = match.slice(1).map((count) => Number(count ?? 0));
  return { passed, failed, skipped };
}

/** Why this is not how `npm start` ends; none when it is. */
export function judgeStart({ exitCode, output }: CommandRun): string[] {
  const problems = exitCode === 0 ? [] : [exitProblem(exitCode, 0)];
  const [, held, steps] = /^(\d+) of (\d+) steps as expected$/m.exec(output) ?? [];
  if (held === undefined) problems.push('no line "N of N steps as expected"');
  else if (held !== steps) problems.push(`${held} of ${steps} steps as expected`);
  return problems;
}

/** Why this is not how `npm test` ends; none when it is. */
export function judgeTest({ exitCode, output }: CommandRun): string[] {
  const problems = exitCode === 0 ? [] : [exitProblem(exitCode, 0)];
  const counts = readCounts(output);
  if (!counts) problems.push('the last line is not "N passed, N failed, N skipped"');
  else if (counts.failed > 0) problems.push(`${counts.failed} failed`);
  else if (counts.passed === 0) problems.push('no test passed');
  return problems;
}

/** Why this is not how a Node outside of `supported` is refused, a range of semver. */
export function judgeRefusal(run: CommandRun, left: Leftovers, supported: string): string[] {
  const problems = run.exitCode === 1 ? [] : [exitProblem(run.exitCode, 1)];
  const lines = run.output.split('\n').filter((line) => line.startsWith('edged: '));
  const [, needed = ''] = /(\d+\.\d+)/.exec(supported) ?? [];
  if (lines.length !== 1) problems.push(`${lines.length} lines from edged in place of one`);
  else if (!lines[0]?.includes(needed)) problems.push(`the line does not name Node ${needed}`);
  if (left.hasNodeModules) problems.push('there is a node_modules');
  if (left.downloads.length > 0) problems.push(`downloads: ${left.downloads.length}`);
  return problems;
}

function exitProblem(exitCode: number | undefined, expected: number): string {
  if (exitCode === undefined) return 'did not end in time';
  return `exit ${exitCode} in place of ${expected}`;
}
