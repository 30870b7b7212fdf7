/**
 * Where the fresh roots are made. What can be used again, by any checkout, lies in one directory of
 * the user below the temporary one; the roots themselves in a part of it that is removed at the end
 * of the run, and by the next run if this one is killed. Logs are kept in dist/fresh.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export interface Places {
  /** Base roots and packages, as tarballs. */
  readonly cache: string;
  /** Of this run alone. */
  readonly work: string;
  readonly logs: string;
}

/** Throws when the directory in the temporary one belongs to somebody else. */
export function openPlaces(): Places {
  const owner = process.getuid?.();
  const cache = path.join(os.tmpdir(), `edged-fresh-${owner}`);
  fs.mkdirSync(cache, { recursive: true, mode: 0o700 });
  const found = fs.lstatSync(cache);
  if (!found.isDirectory() || found.uid !== owner || (found.mode & 0o022) !== 0) {
    throw new Error(`${cache} is not a directory that only this user can write: remove it`);
  }
  for (const entry of fs.readdirSync(cache)) {
    const [, pid] = /^work-(\d+)$/.exec(entry) ?? [];
    if (pid !== undefined && !fs.existsSync(`/proc/${pid}`)) remove(path.join(cache, entry));
  }
  const work = path.join(cache, `work-${process.pid}`);
  remove(work);
  fs.mkdirSync(work);
  return { cache, work, logs: path.resolve('dist/fresh') };
}

export function closePlaces({ work }: Places): void {
  remove(work);
}

/** Nothing is mounted there but in namespaces that have ended. */
function remove(directory: string): void {
  fs.rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
}

/** In use below a directory, as du(1) counts. */
export function megabytesBelow(directory: string): number {
  const blocks = fs
    .readdirSync(directory, { recursive: true, withFileTypes: true })
    .map((entry) => fs.lstatSync(path.join(entry.parentPath, entry.name)).blocks);
  return Math.round(blocks.reduce((sum, each) => sum + each, 0) / 2048);
}
