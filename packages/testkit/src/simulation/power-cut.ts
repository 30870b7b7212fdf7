/**
 * What a power failure may leave: for a prefix of the steps of a `SimDisk`, every state that its
 * fault model allows.
 *
 * A change of a name is pending until its directory is fsynced, data until its file is. Where few
 * changes are pending, every subset of them is tried; where many are, every subset that lacks or
 * keeps at most two of them, every prefix, and a seeded sample. What was left out is counted.
 */
import { type Inode, type NameChange, type SimDisk, type Tree, harvest } from './sim-disk.ts';

export interface CutOptions {
  /** Every subset up to this many pending changes. */
  readonly exhaustiveUpTo: number;
  /** Random subsets beyond that. */
  readonly sampled: number;
  /** A whole number below 2^31. */
  readonly seed: number;
}

export interface CutStates {
  readonly states: readonly Tree[];
  /** False where not every subset was tried. */
  readonly exhaustive: boolean;
}

interface PendingData {
  readonly inode: Inode;
  /** As last fsynced. */
  readonly durable: Uint8Array;
  readonly written: Uint8Array;
}

/** The states that a cut after the first `count` steps of this disk may leave. */
export function cutAfter(disk: SimDisk, count: number, options: CutOptions): CutStates {
  const { root, initialNames: initial } = disk;
  const durableNames: NameChange[] = [];
  let pendingNames: NameChange[] = [];
  const durableBytes = new Map(disk.initialBytes);
  const pendingData = new Map<Inode, PendingData>();
  for (const { changes, written, synced } of disk.steps.slice(0, count)) {
    pendingNames.push(...changes);
    if (written) {
      const durable = durableBytes.get(written.inode) ?? new Uint8Array();
      pendingData.set(written.inode, { inode: written.inode, durable, written: written.bytes });
    }
    if (!synced) continue;
    const data = pendingData.get(synced);
    if (data) durableBytes.set(synced, data.written);
    pendingData.delete(synced);
    durableNames.push(...pendingNames.filter(({ directory }) => directory === synced));
    pendingNames = pendingNames.filter(({ directory }) => directory !== synced);
  }
  // a departure whose arrival is not durable cannot be so either
  const early = durableNames.filter(({ after }) => after && pendingNames.includes(after));
  const durable = durableNames.filter((change) => !early.includes(change));
  const names = subsets([...early, ...pendingNames], options);
  const contents = dataVariants([...pendingData.values()]);
  const states = names.chosen.flatMap((kept) =>
    contents.map((bytes) => settle(root, initial, [...durable, ...kept], durableBytes, bytes)),
  );
  return { states, exhaustive: names.exhaustive };
}

function settle(
  root: Inode,
  initial: ReadonlyMap<Inode, ReadonlyMap<string, Inode>>,
  changes: readonly NameChange[],
  durableBytes: ReadonlyMap<Inode, Uint8Array>,
  torn: ReadonlyMap<Inode, Uint8Array>,
): Tree {
  const entries = new Map<Inode, Map<string, Inode>>();
  const entriesOf = (inode: Inode): Map<string, Inode> => {
    const known = entries.get(inode) ?? new Map(initial.get(inode));
    entries.set(inode, known);
    return known;
  };
  for (const { directory, name, to } of changes) {
    if (to) {
      // a directory has one name only
      if (to.entries) dropOtherNames(entriesOf, [root, ...entries.keys(), ...initial.keys()], to);
      entriesOf(directory).set(name, to);
    } else entriesOf(directory).delete(name);
  }
  return harvest(root, entriesOf, (inode) => torn.get(inode) ?? durableBytes.get(inode));
}

function dropOtherNames(
  entriesOf: (inode: Inode) => Map<string, Inode>,
  directories: readonly Inode[],
  child: Inode,
): void {
  for (const directory of new Set(directories)) {
    for (const [name, inode] of entriesOf(directory)) {
      if (inode === child) entriesOf(directory).delete(name);
    }
  }
}

/** Every combination of what may be on disk of data that was not fsynced. */
function dataVariants(pending: readonly PendingData[]): ReadonlyMap<Inode, Uint8Array>[] {
  let variants: Map<Inode, Uint8Array>[] = [new Map()];
  for (const { inode, durable, written } of pending) {
    const choices = [
      written,
      durable,
      new Uint8Array(),
      new Uint8Array(written.length),
      written.subarray(0, written.length >> 1),
    ];
    variants = variants
      .flatMap((variant) => choices.map((bytes) => new Map(variant).set(inode, bytes)))
      .slice(0, 625);
  }
  return variants;
}

function subsets(
  pending: readonly NameChange[],
  { exhaustiveUpTo, sampled, seed }: CutOptions,
): { readonly chosen: readonly (readonly NameChange[])[]; readonly exhaustive: boolean } {
  const count = pending.length;
  const masks = new Set<bigint>();
  const all = (1n << BigInt(count)) - 1n;
  if (count <= exhaustiveUpTo) {
    for (let mask = 0n; mask <= all; mask += 1n) masks.add(mask);
  } else {
    for (let one = 0; one <= count; one += 1) {
      masks.add((1n << BigInt(one)) - 1n); // every prefix
      for (let other = 0; other <= one; other += 1) {
        const two = ((1n << BigInt(one)) | (1n << BigInt(other))) & all;
        masks.add(two).add(all & ~two);
      }
    }
    const random = generator(seed + count);
    for (let round = 0; round < sampled; round += 1) {
      let mask = 0n;
      for (let bit = 0; bit < count; bit += 1) mask = (mask << 1n) | BigInt(random() & 1);
      masks.add(mask);
    }
  }
  const chosen = [...masks]
    .map((mask) => pending.filter((_, index) => ((mask >> BigInt(index)) & 1n) === 1n))
    .filter((kept) =>
      kept.every(({ after }) => !after || !pending.includes(after) || kept.includes(after)),
    );
  return { chosen, exhaustive: count <= exhaustiveUpTo };
}

/** A linear congruential generator (Numerical Recipes): the same seed, the same sample. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 16;
  };
}
