/** Other programs of the machine, run without a shell; a GET over HTTP. */
import { spawnSync } from 'node:child_process';
import type { ToolResult, Tools } from './host.ts';

const outputLimitBytes = 1024 * 1024;

export const linuxTools: Tools = { run, httpStatus };

function run(command: string, args: readonly string[], timeoutMilliseconds: number): ToolResult {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: timeoutMilliseconds,
    maxBuffer: outputLimitBytes,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const complaint = error?.message ?? stderr.trim().split('\n')[0] ?? '';
  return {
    exitCode: error ? undefined : (status ?? undefined),
    stdout: stdout ?? '',
    problem: complaint || `exit ${status ?? 'by a signal'}`,
  };
}

async function httpStatus(url: string, timeoutMilliseconds: number): Promise<number | string> {
  try {
    const signal = AbortSignal.timeout(timeoutMilliseconds);
    const response = await fetch(url, { signal, redirect: 'manual' });
    await response.body?.cancel();
    return response.status;
  } catch (error) {
    const { message, cause } = error as Error;
    return cause instanceof Error && cause.message ? cause.message : message;
  }
}
