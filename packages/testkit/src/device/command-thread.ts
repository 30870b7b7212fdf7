/**
 * The thread behind `command-in-thread.ts`: runs one command after the other, as the process would
 * from its arguments to its exit code. What the process alone has (descriptors 1 and 2, signals, a
 * user id, the last resort of an error while it is loaded) is not here.
 */
import { type MessagePort, workerData } from 'node:worker_threads';
import { linuxHost } from '@edged/host/linux-host';
import type { AskWorker } from '@edged/host/linux-worker';
import { runChecks } from 'edged/checks/inspection';
import { CommandRun } from 'edged/run';
import { type Settings, readSettings } from 'edged/settings';

export interface ThreadRequest {
  readonly args: readonly string[];
  /** All of it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface ThreadData {
  readonly port: MessagePort;
  /** One word: 1 as soon as the answer is there. */
  readonly answered: Int32Array;
  /** For a command that starts itself again as a worker. */
  readonly commandFile: string;
}

export interface ThreadAnswer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const { port, answered, commandFile } = workerData as ThreadData;
process.argv[1] = commandFile;

port.on('message', (request: ThreadRequest) => {
  void answer(request).then((result) => {
    port.postMessage(result);
    Atomics.store(answered, 0, 1);
    Atomics.notify(answered, 0);
  });
});

async function answer({ args, environment }: ThreadRequest): Promise<ThreadAnswer> {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, environment);
  let stdout = '';
  let stderr = '';
  const terminal = {
    out: (text: string) => void (stdout += text),
    error: (text: string) => void (stderr += text),
    status: () => undefined,
  };
  const surroundings = { host: linuxHost(), settings: settings(), terminal, askWorker };
  const command = new CommandRun(surroundings);
  return { exitCode: await command.run(args), stdout, stderr };
}

/** The checks here, one after the other: with real time limits where a process is asked for. */
const askWorker: AskWorker = async ({ input, line }) => {
  try {
    await runChecks(input, settings(), (text) => line(text.trimEnd()));
    return { kind: 'ended', complaint: '' };
  } catch (error) {
    return { kind: 'ended', complaint: String((error as Error).stack) };
  }
};

/** Those of a process whose streams are pipes. */
function settings(): Settings {
  return {
    ...readSettings({ ...process.env, JOURNAL_STREAM: undefined }),
    stdoutStyle: () => ({ color: false, columns: 80 }),
    stderrIsTerminal: () => false,
  };
}
