/**
 * Cuts the power in a recording: brings a copy of the device to what may be on it, mounts it,
 * boots,
 * and collects what is wrong.
 *
 * Three kinds of cut: at every flush (`flush`), after any write (`write`), and with everything up
 * to
 * the last flush plus a random part of what was written after it, in any order (`reorder`).
 */
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { CommandLibrary } from '../mutants.ts';
import { type Recording, mounted } from './power-rig.ts';
import { objectionsAfterCut, promisedBy } from './power-workload.ts';
import { type LogEntry, applyEntry } from './write-log.ts';

export interface Cut {
  readonly kind: 'flush' | 'write' | 'reorder';
  /** Entries that had been made when the power failed. */
  readonly count: number;
  /** Seed of the random part; 0 for the other kinds. */
  readonly seed: number;
}

/** Every cut of a recording; `samples` random parts for each write. */
export function allCuts(recording: Recording, samples: number): Cut[] {
  return recording.entries.flatMap((entry, index) => {
    const count = index + 1;
    const whole: Cut = { kind: entry.flush ? 'flush' : 'write', count, seed: 0 };
    if (entry.flush) return [whole];
    const parts = Array.from({ length: samples }, (_, sample): Cut => {
      return { kind: 'reorder', count, seed: count * 1000 + sample + 1 };
    });
    return [whole, ...parts];
  });
}

/** What is wrong after this cut. */
export async function replay(
  recording: Recording,
  cut: Cut,
  directory: string,
  replacements: number,
  library: CommandLibrary,
  withCheck: boolean,
): Promise<string[]> {
  const image = path.join(directory, 'cut.img');
  const mountPoint = path.join(directory, 'mount');
  execFileSync('cp', ['--sparse=always', recording.baseImage, image]);
  const acknowledged = bringTo(image, recording, cut);
  const promised = promisedBy(acknowledged);
  // every other cut comes back with the OS that ran before
  const sameOs = cut.count % 2 === 1;
  const where = `${recording.fileSystem.name}, ${cut.kind} cut at ${cut.count} (seed ${cut.seed})`;
  let objections: string[];
  try {
    objections = await mounted(image, mountPoint, () =>
      objectionsAfterCut(mountPoint, promised, replacements, sameOs, library),
    );
  } catch (error) {
    objections = [`cannot be mounted or read: ${(error as Error).message}`];
  }
  if (withCheck) {
    const [tool = '', ...args] = recording.fileSystem.check;
    const { status, stdout } = spawnSync(tool, [...args, image], { encoding: 'utf8' });
    if (status !== 0) objections.push(`the filesystem is damaged: ${stdout.slice(-200)}`);
  }
  return objections.map((objection) => `${where}: ${objection}`);
}

/**
 * Writes to the image what the cut leaves; the newest acknowledgement that is on it, -1 if none.
 */
function bringTo(image: string, { entries, acknowledgementSector }: Recording, cut: Cut): number {
  const fd = fs.openSync(image, 'r+');
  let acknowledged = -1;
  try {
    for (const entry of survivors(entries.slice(0, cut.count), cut)) {
      applyEntry(fd, entry);
      if (entry.data && entry.sector === acknowledgementSector) {
        acknowledged = Buffer.from(entry.data).readUInt32LE() - 1;
      }
    }
  } finally {
    fs.closeSync(fd);
  }
  return acknowledged;
}

function survivors(made: readonly LogEntry[], { kind, seed }: Cut): LogEntry[] {
  if (kind !== 'reorder') return [...made];
  const lastFlush = made.findLastIndex(({ flush }) => flush);
  const random = generator(seed);
  const lost = new Set(
    made.filter((entry, index) => index > lastFlush && !entry.forced && random() % 2 === 0),
  );
  return made.filter((entry) => !lost.has(entry));
}

function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 16;
  };
}
