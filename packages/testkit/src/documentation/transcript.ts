/**
 * Runs the `console` blocks of a Markdown file in one shell, in order, and compares what they
 * print.
 * A line `$ command` is run, `> ` continues it, all other lines are the expected output, stdout and
 * stderr together; `...` stands for any text within a line, and a line that is `...` alone, or ends
 * a block line's list, for any lines.
 */
import { spawnSync } from 'node:child_process';

export interface TranscriptStep {
  /** Line of the command in the file, from 1. */
  readonly line: number;
  readonly command: string;
  readonly expected: string;
}

export interface TranscriptMismatch extends TranscriptStep {
  readonly found: string;
}

export interface Transcript {
  readonly steps: readonly TranscriptStep[];
  /** Languages of fenced blocks that are not run, with their lines. */
  readonly notRun: readonly string[];
}

const fence = /^```(\w*)/;

export function readTranscript(markdown: string): Transcript {
  const steps: { line: number; command: string; expected: string[] }[] = [];
  const notRun: string[] = [];
  let language: string | undefined;
  markdown.split('\n').forEach((text, index) => {
    const mark = fence.exec(text);
    if (mark) {
      language = language === undefined ? mark[1] : undefined;
      if (language !== undefined && language !== 'console')
        notRun.push(`${index + 1}: ${language}`);
    } else if (language === 'console') {
      const last = steps.at(-1);
      if (text.startsWith('$ '))
        steps.push({ line: index + 1, command: text.slice(2), expected: [] });
      else if (/^>( |$)/.test(text) && last) last.command += `\n${text.slice(2)}`;
      else last?.expected.push(text);
    }
  });
  return {
    steps: steps.map((step) => ({ ...step, expected: step.expected.join('\n') })),
    notRun,
  };
}

/** Mismatches, in order; empty when all of it held. */
export function runTranscript(
  steps: readonly TranscriptStep[],
  directory: string,
  environment: Readonly<Record<string, string | undefined>>,
): TranscriptMismatch[] {
  const marker = '=== next step ===';
  const script = steps.map(({ command }) => `${command}\nprintf '%s\\n' '${marker}'\n`).join('');
  const { stdout, error } = spawnSync('bash', ['-c', `exec 2>&1\n${script}`], {
    cwd: directory,
    env: environment,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    timeout: 280_000,
    killSignal: 'SIGKILL',
  });
  if (error) throw error;
  const outputs = stdout.split(`${marker}\n`);
  return steps.flatMap((step, index) => {
    const found = (outputs[index] ?? '(not reached)').trimEnd();
    return matches(step.expected, found) ? [] : [{ ...step, found }];
  });
}

function matches(expected: string, found: string): boolean {
  const pattern = expected
    .trimEnd()
    .split('...')
    .map((literal) => literal.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
    .join('[^]*?');
  return new RegExp(`^${pattern}$`).test(found);
}
