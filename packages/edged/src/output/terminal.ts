/** The two output streams, written synchronously: nothing is lost when the process ends. */
import fs from 'node:fs';
import { PrecheckError } from '@edged/model/failure';

export interface Terminal {
  /** What was asked for. Throws `config.output_unusable` when it cannot be written. */
  out(text: string): void;
  /** What is to be said. Never throws: a full log disk is no reason for another exit code. */
  error(text: string): void;
  /** A line that stands until the next one takes its place; `''` removes it. For people only. */
  status(text: string): void;
}

/** `isPerson`: stderr is a terminal on which a line can be taken back. */
export function createTerminal(isPerson: () => boolean): Terminal {
  let shown = false;
  const status = (text: string): void => {
    if ((text === '' && !shown) || !isPerson()) return;
    say(`\r\u001b[K${text}`);
    shown = text !== '';
  };
  return {
    out(text) {
      try {
        writeFully(1, text);
      } catch (error) {
        const errno = String((error as NodeJS.ErrnoException).code);
        throw new PrecheckError('config.output_unusable', { file: 'stdout', errno }, error);
      }
    },
    error(text) {
      status('');
      say(text);
    },
    status,
  };
}

function say(text: string): void {
  try {
    writeFully(2, text);
  } catch {
    // where saying fails nothing can be said; the exit code still tells
  }
}

function writeFully(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  let written = 0;
  while (written < bytes.length) {
    try {
      written += fs.writeSync(fd, bytes, written);
    } catch (error) {
      const errno = (error as NodeJS.ErrnoException).code;
      if (errno === 'EPIPE' || errno === 'EBADF') return; // nobody reads (on)
      if (errno !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}
