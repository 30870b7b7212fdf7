/**
 * Runs a command so that nothing of it stays: its processes and its mounts live in namespaces that
 * the kernel takes down when the command ends, when its time is over, when the run is interrupted,
 * and when this process is killed. It has no terminal and nothing to read. What it prints goes into
 * a log as it comes. Needs root, and setpriv(1) and unshare(1) of util-linux.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

export interface CommandOptions {
  /** Its output is kept here, both streams in the order in which they came. */
  readonly log: string;
  readonly limitSeconds: number;
  /** Aborted when the whole run is interrupted: the promise is then rejected with its reason. */
  readonly interruption: AbortSignal;
  readonly hasNetwork?: boolean;
  readonly workingDirectory?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

export interface CommandRun {
  /** 128 and the number of the signal, as in a shell; undefined when its time was over. */
  readonly exitCode: number | undefined;
  readonly seconds: number;
  readonly output: string;
}

/** The first process of a namespace must collect the orphans; a shell does. */
const first = ['sh', '-c', '"$@"; exit $?', 'sh'];

/** The command line that runs a command in namespaces of its own. */
export function enclosed(command: readonly string[], hasNetwork = true): [string, ...string[]] {
  const network = hasNetwork ? [] : ['--net'];
  const namespaces = ['--mount', '--pid', ...network, '--fork', '--kill-child', '--mount-proc'];
  return ['setpriv', '--pdeathsig', 'KILL', 'unshare', ...namespaces, ...first, ...command];
}

export async function runEnclosed(
  command: readonly string[],
  options: CommandOptions,
): Promise<CommandRun> {
  const { log, limitSeconds, interruption, environment } = options;
  interruption.throwIfAborted();
  fs.mkdirSync(path.dirname(log), { recursive: true });
  const kept = fs.openSync(log, 'w');
  const [program, ...args] = enclosed(command, options.hasNetwork);
  const started = performance.now();
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    ...(options.workingDirectory ? { cwd: options.workingDirectory } : {}),
    ...(environment ? { env: environment } : {}),
  });
  const end = (): boolean => child.kill('SIGKILL');
  interruption.addEventListener('abort', end);
  let isOver = false;
  const timer = setTimeout(() => {
    isOver = end();
  }, limitSeconds * 1000);
  const chunks: Buffer[] = [];
  const keep = (chunk: Buffer): void => {
    chunks.push(chunk);
    fs.writeSync(kept, chunk);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  try {
    // only when every process that could write is gone
    const status = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve(code ?? 137));
    });
    interruption.throwIfAborted();
    const seconds = (performance.now() - started) / 1000;
    const output = Buffer.concat(chunks).toString();
    return { exitCode: isOver ? undefined : status, seconds, output };
  } finally {
    clearTimeout(timer);
    interruption.removeEventListener('abort', end);
    fs.closeSync(kept);
  }
}

/** Of what was printed. */
export function lastLines(output: string, count: number): string[] {
  return output.trimEnd().split('\n').slice(-count);
}
