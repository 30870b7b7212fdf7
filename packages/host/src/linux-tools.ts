/**
 * Other programs of the machine: the one place that starts them. None is given a shell, and none
 * can hold whoever asked: past its limit it is killed, with every process of its group, by a signal
 * that cannot be ignored; what the kernel does not let go of even then is left behind. What it
 * writes is kept up to a limit, the rest read and dropped.
 */
import { type ChildProcess, type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import type { ToolResult, Tools } from './host.ts';

const outputLimitBytes = 1024 * 1024;
/** For what is left in the pipes of a tool that has ended, and for a killed one to die. */
const graceMilliseconds = 1000;

export const linuxTools: Tools = {
  run,
  httpStatus: async (url, timeoutMilliseconds) =>
    (await import('./linux-http.ts')).httpStatus(url, timeoutMilliseconds),
};

function run(
  command: string,
  args: readonly string[],
  timeoutMilliseconds: number,
): Promise<ToolResult> {
  return new Promise((resolve) => {
    try {
      follow(start(command, args), timeoutMilliseconds, resolve);
    } catch (error) {
      resolve({ exitCode: undefined, stdout: '', problem: (error as Error).message });
    }
  });
}

/** The leader of a group of its own, so that what it starts can be killed with it. */
function start(command: string, args: readonly string[]): ChildProcess {
  return spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
}

function follow(
  child: ChildProcess,
  timeoutMilliseconds: number,
  resolve: (result: ToolResult) => void,
): void {
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  let refusal: string | undefined;
  let isOver = false;
  let timer = setTimeout(() => {
    refusal = `no end within ${timeoutMilliseconds / 1000} s, so it was killed`;
    killGroup(child);
    giveUpAfterGrace();
  }, timeoutMilliseconds);
  function giveUpAfterGrace(): void {
    clearTimeout(timer);
    if (!isOver) timer = setTimeout(end, graceMilliseconds);
  }
  function end(): void {
    isOver = true;
    clearTimeout(timer);
    // a process in the kernel's hands, or one that has left the group, may hold them for ever
    for (const stream of [child.stdout, child.stderr]) stream?.destroy();
    child.unref();
    const { exitCode, signalCode } = child;
    const complaint = stderr().trim().split('\n')[0] ?? '';
    resolve({
      exitCode: refusal === undefined ? (exitCode ?? undefined) : undefined,
      stdout: stdout(),
      problem: refusal ?? (complaint || `exit ${exitCode ?? signalCode ?? 'unknown'}`),
    });
  }
  child.on('error', (error) => {
    refusal ??= error.message;
    end();
  });
  child.on('exit', giveUpAfterGrace);
  child.on('close', end);
}

function collect(stream: ChildProcess['stdout']): () => string {
  const chunks: Buffer[] = [];
  let left = outputLimitBytes;
  stream?.on('data', (chunk: Buffer) => {
    if (left > 0) chunks.push(chunk.subarray(0, left));
    left -= chunk.length;
  });
  stream?.on('error', () => undefined); // it ended without a word: its end is told
  return () => Buffer.concat(chunks).toString();
}

function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL'); // it has not become the leader of a group
  }
}

export type AttachedResult = SpawnSyncReturns<string>;

export interface AttachedOptions {
  /** Passed on as number 3. */
  readonly descriptor?: number;
  readonly limitMilliseconds?: number;
}

/** For what cannot wait for the event loop: a lock, a file half written. */
export function runAttached(
  command: string,
  args: readonly string[],
  { descriptor, limitMilliseconds = 60_000 }: AttachedOptions = {},
): AttachedResult {
  const more = descriptor === undefined ? [] : [descriptor];
  return spawnSync(command, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe', ...more],
    timeout: limitMilliseconds,
    killSignal: 'SIGKILL',
    maxBuffer: outputLimitBytes,
  });
}
