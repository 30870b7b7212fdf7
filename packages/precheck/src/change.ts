/**
 * One change of the state root, from journal to end. The order is the protocol (spec I1 to I4):
 *
 *   commit journal   the promise; before it nothing is visible, after it all will be, or nothing
 *   install files    old or new, each whole
 *   rotate evidence  before the fingerprint: a matching fingerprint ends all questions
 *   save history
 *   save fingerprint the point of no return: the next boot matches from here on
 *   save boot count  where the manifest limits its boots
 *   end transaction  what was set aside, then the journal
 *
 * Up to the fingerprint all of it can be taken back, and is when a step fails: exit 5, with the
 * files and records of before. After it there is only forward; what cannot be swept is no failure.
 * First run, repair and reconstruction differ only in what the journal says.
 */
import { type Clock, type Disk, DiskError } from '@edged/host/host';
import { requireNoMountPoint } from '@edged/host/mount-borders';
import { bootCountToJson, forgets } from '@edged/model/acceptance';
import { type Found, type Records, present } from '@edged/model/decision';
import { type EpochEvidence, sameEpoch } from '@edged/model/epoch-evidence';
import { serializeEpochHistory } from '@edged/model/epoch-history';
import { serializeJson } from '@edged/model/json-reader';
import { layout, stateRootDirectories } from '@edged/model/layout';
import { serializeOsFingerprint } from '@edged/model/os-fingerprint';
import { PrecheckError } from '@edged/model/failure';
import { diskDetail, failuresOf, refusingAs } from './state-root/disk-failure.ts';
import { ensureDirectory, parentOf, removeTree } from './state-root/durable.ts';
import { restoreEvidence, rotateEvidence, sweepUnfinished } from './epoch/epoch-rotation.ts';
import type { Report } from './event.ts';
import { install, uninstall } from './install/install-commit.ts';
import {
  type Change,
  type Journal,
  beginTransaction,
  commitJournal,
  endTransaction,
  transaction,
} from './state-root/journal.ts';
import { memoryOf, readRecords } from './state-root/records.ts';

/** For records and directories, beside what is staged. */
const recordAllowanceBytes = 256 * 1024;

/**
 * Creates the seven directories where they are missing (spec section 2). Where something else than
 * a directory is on the way, such as a link to a larger disk in place of `edge`, it is left alone.
 */
export function bootstrapDirectories(disk: Disk): void {
  for (const directory of stateRootDirectories) {
    const parent = disk.status(parentOf(directory));
    if (!parent || parent.kind === 'directory') ensureDirectory(disk, directory);
  }
}

export function hasSpace(disk: Disk, stagedBytes: number): boolean {
  return disk.freeBytes() >= stagedBytes + recordAllowanceBytes;
}

/** Refuses before the first write what the disk has no room for. */
export function requireSpace(disk: Disk, stagedBytes: number): void {
  const needed = stagedBytes + recordAllowanceBytes;
  const free = disk.freeBytes();
  if (!hasSpace(disk, stagedBytes)) {
    throw new PrecheckError('reconstruction.no_space', { needed_bytes: needed, free_bytes: free });
  }
}

/** What a change renames to or away: something mounted there would refuse that. */
const replacedRecords = [
  layout.transaction,
  layout.fingerprint,
  layout.history,
  layout.bootCount,
  layout.currentEpoch,
  layout.previousEpoch,
];

/**
 * Carries a change through. `prepare` fills the new transaction directory and says what is to
 * happen; whatever it throws leaves nothing behind.
 */
export function carryOut(disk: Disk, clock: Clock, report: Report, prepare: () => Change): Journal {
  return refusingAs('reconstruction.io_error', {}, () => {
    let committed = false;
    try {
      ensureDirectory(disk, parentOf(layout.transaction));
      replacedRecords.forEach((path) => requireNoMountPoint(disk, 'rename', path));
      beginTransaction(disk);
      const { current, previous, history } = readRecords(disk);
      const journal = { ...prepare(), before: { current, previous, history } };
      bootstrapDirectories(disk);
      commitJournal(disk, journal);
      committed = true;
      finish(journal, disk, clock, report);
      return journal;
    } catch (error) {
      if (!committed) endTransaction(disk);
      throw error;
    }
  });
}

/**
 * Does what the journal says, from wherever an earlier run was cut off. A step that fails before
 * the fingerprint is saved takes all of it back.
 */
export function finish(journal: Journal, disk: Disk, clock: Clock, report: Report): void {
  const { evidence, previous, history, fingerprint, bootCount } = journal.goal;
  try {
    bootstrapDirectories(disk);
    if (!isSaved(journal, disk)) install(journal, disk);
    rotateEvidence(disk, clock, evidence, previous);
    replaceRecord(disk, transaction.history, layout.history, serializeEpochHistory(history));
    const bytes = serializeOsFingerprint(fingerprint);
    replaceRecord(disk, transaction.fingerprint, layout.fingerprint, bytes);
  } catch (error) {
    if (!isSaved(journal, disk)) withdraw(journal, disk, clock, report);
    throw error;
  }
  if (bootCount) {
    const bytes = serializeJson(bootCountToJson(bootCount));
    replaceRecord(disk, transaction.bootCount, layout.bootCount, bytes);
  }
  tidyUp(disk, report);
}

/**
 * The point of no return is behind: the stored fingerprint is the one of this change. For a repair
 * it is so from the start; there is only forward then.
 */
export function isSaved({ goal }: Journal, disk: Disk): boolean {
  const stored = present(readRecords(disk).fingerprint);
  return (
    stored !== undefined &&
    sameEpoch(stored, goal.fingerprint) &&
    stored.capturedAt === goal.fingerprint.capturedAt
  );
}

/**
 * Takes the change back: records and files as they were before, then the promise. One thing that
 * the disk refuses to take back keeps nothing else from it; it is said and returned, and the
 * promise stays, so that the next boot goes on. Free to be called again after any interruption. Not
 * for a change whose fingerprint is saved.
 */
export function withdraw(
  journal: Journal,
  disk: Disk,
  clock: Clock,
  report: Report,
): readonly DiskError[] {
  const refused = failuresOf([
    () => bootstrapDirectories(disk),
    () => restoreRecords(journal, disk, clock),
    ...uninstall(journal, disk),
  ]);
  if (refused.length === 0) refused.push(...failuresOf([() => endTransaction(disk)]));
  for (const failure of refused) report('edge.os.not_taken_back', diskDetail(failure));
  return refused;
}

function restoreRecords(journal: Journal, disk: Disk, clock: Clock): void {
  if (!mayRestore(journal, readRecords(disk))) return;
  const [failure] = failuresOf([
    () => restoreEvidence(disk, clock, journal.goal, evidenceBefore(journal)),
    () => restoreHistory(journal, disk),
  ]);
  if (failure) throw failure;
}

/**
 * A journal may be forged: what it says stood before must make the device forget nothing that it
 * knows without this change.
 */
function mayRestore({ goal, before }: Journal, found: Records): boolean {
  const { bootEpoch } = goal.fingerprint;
  const stored = present(found.fingerprint);
  if (stored && stored.bootEpoch >= bootEpoch) return false;
  const settled = stored?.bootEpoch ?? bootEpoch - 1;
  const isSettled = (evidence: Found<EpochEvidence>): boolean =>
    (present(evidence)?.osFingerprint.bootEpoch ?? settled) <= settled;
  const known = memoryOf({
    ...found,
    current: isSettled(found.current) ? found.current : 'absent',
    previous: isSettled(found.previous) ? found.previous : 'absent',
    history: (present(found.history) ?? []).filter((entry) => entry.bootEpoch <= settled),
  });
  return !forgets(memoryOf({ ...found, ...before }), known);
}

/** Evidence that was damaged comes back as what is known of the epoch before. */
function evidenceBefore({ goal, before }: Journal): Parameters<typeof restoreEvidence>[3] {
  const current = before.current === 'damaged' ? goal.previous : present(before.current);
  const previous = present(before.previous);
  return { ...(current ? { current } : {}), ...(previous ? { previous } : {}) };
}

function restoreHistory({ goal, before }: Journal, disk: Disk): void {
  const written = serializeEpochHistory(goal.history);
  const found = present(readRecords(disk).history);
  if (!found || !same(serializeEpochHistory(found), written)) return; // it was not saved yet
  if (before.history === 'absent') {
    disk.removeFile(layout.history);
    return disk.syncDirectory(parentOf(layout.history));
  }
  const { bootEpoch } = goal.fingerprint;
  const rest = goal.history.filter((entry) => entry.bootEpoch !== bootEpoch);
  const bytes = serializeEpochHistory(present(before.history) ?? rest);
  replaceRecord(disk, transaction.history, layout.history, bytes);
}

function same(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

/** Everything promised is durable: what cannot be swept now the next boot sweeps. */
export function tidyUp(disk: Disk, report: Report): void {
  try {
    sweepUnfinished(disk);
    endTransaction(disk);
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    report('edge.state_root.leftovers_kept', diskDetail(error));
  }
}

/** The durable replacement of one file: new file, synced; rename; directory, synced. */
export function replaceRecord(disk: Disk, staging: string, path: string, bytes: Uint8Array): void {
  removeTree(disk, staging);
  if (disk.status(path)?.kind === 'directory') removeTree(disk, path);
  disk.createFile(staging, bytes, 0o644);
  disk.rename(staging, path);
  disk.syncDirectory(parentOf(path));
}
