/**
 * This very program once more, as a worker that answers line by line: what may hang for ever (a
 * disk that does not answer) hangs there, and whoever asked goes on without it.
 */
import { spawn } from 'node:child_process';

export interface WorkerOrder {
  readonly args: readonly string[];
  /** What the worker reads on its standard input. */
  readonly input: string;
  readonly line: (text: string) => void;
  /** How long the next line may take; asked after every line. */
  readonly patienceMilliseconds: () => number;
}

/** `silent`: it was given up, and ended if the kernel lets it end. */
export type WorkerEnd = { readonly kind: 'ended' | 'silent'; readonly complaint: string };

export type AskWorker = (order: WorkerOrder) => Promise<WorkerEnd>;

export function askWorker(order: WorkerOrder): Promise<WorkerEnd> {
  const [program, ...first] = ourselves();
  const child = spawn(program, [...first, ...order.args], { stdio: ['pipe', 'pipe', 'pipe'] });
  return new Promise((resolve, reject) => {
    let unread = '';
    let complaint = '';
    let timer = setTimeout(giveUp, order.patienceMilliseconds());
    function end(kind: WorkerEnd['kind']): void {
      clearTimeout(timer);
      resolve({ kind, complaint: complaint.trim() });
    }
    function giveUp(): void {
      child.kill('SIGKILL');
      // a process in the kernel's hands dies when the kernel lets it; nobody waits for that
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
      child.unref();
      end('silent');
    }
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on('close', () => end('ended'));
    child.stdin.on('error', () => undefined); // it ended without reading: its end is told
    child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
    child.stdout.on('data', (chunk: Buffer) => {
      const lines = `${unread}${chunk.toString()}`.split('\n');
      unread = lines.pop() ?? '';
      for (const line of lines) {
        order.line(line);
        clearTimeout(timer);
        timer = setTimeout(giveUp, order.patienceMilliseconds());
      }
    });
    child.stdin.end(order.input);
  });
}

/** A single executable carries its script inside, under a path that exists only there. */
function ourselves(): readonly [string, ...string[]] {
  const script = process.argv[1] ?? '';
  if (script === '' || script.startsWith('/$bunfs/')) return [process.execPath];
  return [process.execPath, ...process.execArgv, script];
}
