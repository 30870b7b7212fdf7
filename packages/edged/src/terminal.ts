/** The two output streams, written synchronously: nothing is lost when the process ends. */
import fs from 'node:fs';

export interface Terminal {
  /** What was asked for. */
  out(text: string): void;
  /** What is to be said. */
  error(text: string): void;
}

export const terminal: Terminal = {
  out: (text) => writeFully(1, text),
  error: (text) => writeFully(2, text),
};

function writeFully(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  let written = 0;
  while (written < bytes.length) {
    try {
      written += fs.writeSync(fd, bytes, written);
    } catch (error) {
      const errno = (error as NodeJS.ErrnoException).code;
      if (errno === 'EPIPE' || errno === 'EIO') return; // nobody reads on; the exit code still tells
      if (errno !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}
