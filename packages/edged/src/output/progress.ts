/** Shows how far a reconstruction is, to a person who has waited for more than a second. */
import type { Clock } from '@edged/host/host';
import type { Progress } from '@edged/precheck/event';
import type { Terminal } from './terminal.ts';

const patienceNanoseconds = 1_000_000_000n;
const intervalNanoseconds = 100_000_000n;

/** Prints nothing where stderr is no terminal, and nothing in the first second. */
export function showProgress(terminal: Terminal, clock: Clock): Progress {
  const started = clock.monotonicNanoseconds();
  let next = started + patienceNanoseconds;
  return (doneBytes, totalBytes) => {
    const isDone = doneBytes >= totalBytes;
    if (isDone) return terminal.status('');
    const now = clock.monotonicNanoseconds();
    if (now < next) return;
    next = now + intervalNanoseconds;
    const percent = Math.floor((doneBytes / totalBytes) * 100);
    const seconds = Number((now - started) / 1_000_000_000n);
    terminal.status(`copying: ${percent} % of ${megabytes(totalBytes)} MB, ${seconds} s`);
  };
}

function megabytes(bytes: number): string {
  return (bytes / 1_000_000).toFixed(0);
}
