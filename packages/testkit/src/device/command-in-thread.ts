/**
 * The command without a process for each call: a thread loads the built program once, and the
 * caller waits for its answer. A call takes milliseconds instead of the quarter of a second that a
 * slow machine needs to start Node.js. One thread for a test file; `endCommandThread` ends it.
 */
import { fileURLToPath } from 'node:url';
import { MessageChannel, Worker, receiveMessageOnPort } from 'node:worker_threads';
import type { ThreadAnswer, ThreadData, ThreadRequest } from './command-thread.ts';

/** No command of a test takes longer, on the slowest machine. */
const patienceMilliseconds = 120_000;
const script = fileURLToPath(new URL('../../dist/device/command-thread.js', import.meta.url));

class CommandThread {
  readonly #worker: Worker;
  readonly #channel = new MessageChannel();
  readonly #answered = new Int32Array(new SharedArrayBuffer(4));

  constructor(commandFile: string) {
    const { port2: port } = this.#channel;
    const workerData: ThreadData = { port, answered: this.#answered, commandFile };
    this.#worker = new Worker(script, { workerData, transferList: [port] });
    this.#worker.unref();
    this.#channel.port1.unref();
  }

  /** Waits; nothing else of this process runs meanwhile, as with `spawnSync`. */
  ask(request: ThreadRequest): ThreadAnswer {
    Atomics.store(this.#answered, 0, 0);
    this.#channel.port1.postMessage(request);
    Atomics.wait(this.#answered, 0, 0, patienceMilliseconds);
    const received = receiveMessageOnPort(this.#channel.port1);
    if (!received) throw new Error(`no answer to: edged ${request.args.join(' ')}`);
    return received.message as ThreadAnswer;
  }

  async end(): Promise<void> {
    this.#channel.port1.close();
    await this.#worker.terminate();
  }
}

let thread: CommandThread | undefined;

export function askCommandThread(commandFile: string, request: ThreadRequest): ThreadAnswer {
  thread ??= new CommandThread(commandFile);
  return thread.ask(request);
}

export async function endCommandThread(): Promise<void> {
  const ending = thread;
  thread = undefined;
  await ending?.end();
}
