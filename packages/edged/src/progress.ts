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

/** For people, in powers of ten: `512 bytes`, `1.2 kB`, `740 MB`. */
export function sizeText(bytes: number): string {
  const units = ['kB', 'MB', 'GB', 'TB'];
  let size = bytes;
  let unit = 'bytes';
  while (size >= 1000 && units.length > 0) {
    size /= 1000;
    unit = units.shift() ?? unit;
  }
  const digits = unit === 'bytes' || size >= 100 ? 0 : 1;
  return `${size.toFixed(digits)} ${unit}`;
}
