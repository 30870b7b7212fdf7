/**
 * Rotates the evidence (spec section 7): `epoch/current` becomes the new epoch's,
 * `epoch/previous` the one before it. Called only under a journal that carries both documents in
 * full, and free to be called again after any interruption: it looks at what stands there and
 * does the rest.
 *
 *   write   epoch_T.tmp/evidence.json   file synced, directory synced, epoch/ synced
 *   rename  previous     → epoch_T.old  (a directory that is not empty cannot be renamed over)
 *   rename  current      → previous     epoch/ synced
 *   rename  epoch_T.tmp  → current      epoch/ synced: the commit point of the rotation
 *   remove  *.tmp, epoch_*.old         once the fingerprint is saved: until then it can be undone
 *
 * A cut between the renames leaves no `current/`; the journal is still there then, and the next
 * boot comes through here again. epoch/ is synced between the renames, so that no filesystem may
 * make a later one durable before an earlier one.
 */
import type { Clock, Disk } from '@edged/host/host';
import { type EpochEvidence, sameEpoch, serializeEpochEvidence } from '@edged/model/epoch-evidence';
import { evidenceName, layout } from '@edged/model/layout';
import { present } from '@edged/model/decision';
import { failuresOf } from '../state-root/disk-failure.ts';
import { removeTree } from '../state-root/durable.ts';
import type { EpochGoal } from '../state-root/journal.ts';
import { readEvidence } from '../state-root/records.ts';
import { unfinishedRotations } from '../state-root/unfinished-work.ts';

export function rotateEvidence(
  disk: Disk,
  clock: Clock,
  evidence: EpochEvidence,
  previous: EpochEvidence | undefined,
): void {
  if (!holds(disk, layout.currentEpoch, evidence)) {
    const written = writeEvidence(disk, clock, evidence);
    if (previous && holds(disk, layout.currentEpoch, previous)) {
      setAside(disk, clock, layout.previousEpoch);
      disk.rename(layout.currentEpoch, layout.previousEpoch);
      disk.syncDirectory(layout.epochs);
    } else {
      setAside(disk, clock, layout.currentEpoch);
    }
    disk.rename(written, layout.currentEpoch);
    disk.syncDirectory(layout.epochs);
  }
  if (previous && !holds(disk, layout.previousEpoch, previous)) {
    const written = writeEvidence(disk, clock, previous);
    setAside(disk, clock, layout.previousEpoch);
    disk.rename(written, layout.previousEpoch);
    disk.syncDirectory(layout.epochs);
  }
}

/**
 * Undoes a rotation from wherever it has come to: `current` and `previous` are again what they were
 * before it, undefined being nothing that could be read. Nothing of the new evidence stays, so that
 * no later boot takes it for evidence that was never renamed.
 */
export function restoreEvidence(
  disk: Disk,
  clock: Clock,
  goal: Pick<EpochGoal, 'evidence' | 'previous'>,
  before: { readonly current?: EpochEvidence; readonly previous?: EpochEvidence },
): void {
  const [failure] = failuresOf([
    () => put(disk, clock, layout.currentEpoch, before.current, goal.evidence),
    () => put(disk, clock, layout.previousEpoch, before.previous, goal.previous),
  ]);
  if (failure) throw failure; // what was set aside may be all that is left of it
  sweepUnfinished(disk);
}

/** Brings `wanted` to this directory; without it, only takes `unwanted` away. */
function put(
  disk: Disk,
  clock: Clock,
  directory: string,
  wanted: EpochEvidence | undefined,
  unwanted: EpochEvidence | undefined,
): void {
  if (wanted === undefined) {
    if (unwanted && holds(disk, directory, unwanted)) setAside(disk, clock, directory);
    return;
  }
  if (holds(disk, directory, wanted)) return;
  const places = [layout.previousEpoch, ...unfinishedRotations(disk)];
  const found = places.find((place) => place !== directory && holds(disk, place, wanted));
  const source = found ?? writeEvidence(disk, clock, wanted);
  setAside(disk, clock, directory);
  disk.rename(source, directory);
  disk.syncDirectory(layout.epochs);
}

/** Sweeps all that can be; throws the first `DiskError` of what cannot. */
export function sweepUnfinished(disk: Disk): void {
  const leftovers = unfinishedRotations(disk);
  const sweeps = leftovers.map((leftover) => () => removeTree(disk, leftover));
  if (leftovers.length > 0) sweeps.push(() => disk.syncDirectory(layout.epochs));
  const [failure] = failuresOf(sweeps);
  if (failure) throw failure;
}

function holds(disk: Disk, directory: string, wanted: EpochEvidence): boolean {
  const found = present(readEvidence(disk, directory));
  return (
    found !== undefined &&
    sameEpoch(found.osFingerprint, wanted.osFingerprint) &&
    found.rotatedAt === wanted.rotatedAt
  );
}

function writeEvidence(disk: Disk, clock: Clock, evidence: EpochEvidence): string {
  const directory = freshName(disk, clock, 'tmp');
  disk.createDirectory(directory, 0o755);
  disk.createFile(`${directory}/${evidenceName}`, serializeEpochEvidence(evidence), 0o644);
  disk.syncDirectory(directory);
  disk.syncDirectory(layout.epochs);
  return directory;
}

function setAside(disk: Disk, clock: Clock, path: string): void {
  if (!disk.status(path)) return;
  disk.rename(path, freshName(disk, clock, 'old'));
  disk.syncDirectory(layout.epochs);
}

/** `epoch/epoch_<nanoseconds since 1970>.<suffix>`, a name that nothing has yet. */
function freshName(disk: Disk, clock: Clock, suffix: 'tmp' | 'old'): string {
  for (let nanoseconds = BigInt(clock.wallMilliseconds()) * 1_000_000n; ; nanoseconds += 1n) {
    const name = `${layout.epochs}/epoch_${nanoseconds}.${suffix}`;
    if (!disk.status(name)) return name;
  }
}
