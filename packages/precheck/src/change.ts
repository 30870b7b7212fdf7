/**
 * One change of the state root, from journal to end. The order is the protocol (spec I1 to I4):
 *
 *   commit journal   the promise; before it nothing is visible, after it everything will be
 *   install files    old or new, each whole
 *   rotate evidence  before the fingerprint: a matching fingerprint ends all questions
 *   save boot count, where the manifest limits its boots
 *   save history
 *   save fingerprint the next boot matches from here on
 *   end transaction  the journal goes last
 *
 * First run, repair and reconstruction differ only in what the journal says.
 */
import type { Clock, Disk } from '@edged/host/host';
import { bootCountToJson } from '@edged/model/acceptance';
import { serializeEpochHistory } from '@edged/model/epoch-history';
import { serializeJson } from '@edged/model/json-reader';
import { layout, stateRootDirectories } from '@edged/model/layout';
import { serializeOsFingerprint } from '@edged/model/os-fingerprint';
import { PrecheckError } from '@edged/model/failure';
import { refusingAs } from './disk-failure.ts';
import { ensureDirectory, parentOf, removeTree } from './durable.ts';
import { rotateEvidence } from './epoch-rotation.ts';
import { install, uninstall } from './install-commit.ts';
import {
  type Journal,
  beginTransaction,
  commitJournal,
  endTransaction,
  transaction,
} from './journal.ts';

/** For records and directories, beside what is staged. */
const recordAllowanceBytes = 256 * 1024;

/** Creates the seven directories where they are missing (spec section 2). */
export function bootstrapDirectories(disk: Disk): void {
  for (const directory of stateRootDirectories) ensureDirectory(disk, directory);
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

/**
 * Carries a change through. `prepare` fills the new transaction directory and says what is to
 * happen; whatever it throws leaves nothing behind.
 */
export function carryOut(disk: Disk, clock: Clock, prepare: () => Journal): Journal {
  return refusingAs('reconstruction.io_error', {}, () => {
    let committed = false;
    try {
      ensureDirectory(disk, parentOf(layout.transaction));
      beginTransaction(disk);
      const journal = prepare();
      commitJournal(disk, journal);
      committed = true;
      finish(journal, disk, clock);
      return journal;
    } catch (error) {
      if (!committed) endTransaction(disk);
      throw error;
    }
  });
}

/**
 * Does what the journal says, from wherever an earlier run was cut off. When the files cannot be
 * installed they are put back and the promise is withdrawn; later failures leave the journal for
 * the next run.
 */
export function finish(journal: Journal, disk: Disk, clock: Clock): void {
  try {
    install(journal, disk);
  } catch (error) {
    uninstall(journal, disk);
    endTransaction(disk);
    throw error;
  }
  bootstrapDirectories(disk);
  rotateEvidence(disk, clock, journal.goal.evidence, journal.goal.previous);
  const { history, fingerprint, bootCount } = journal.goal;
  if (bootCount) {
    const bytes = serializeJson(bootCountToJson(bootCount));
    replaceRecord(disk, transaction.bootCount, layout.bootCount, bytes);
  }
  replaceRecord(disk, transaction.history, layout.history, serializeEpochHistory(history));
  replaceRecord(
    disk,
    transaction.fingerprint,
    layout.fingerprint,
    serializeOsFingerprint(fingerprint),
  );
  endTransaction(disk);
}

/** The durable replacement of one file: new file, synced; rename; directory, synced. */
export function replaceRecord(disk: Disk, staging: string, path: string, bytes: Uint8Array): void {
  removeTree(disk, staging);
  if (disk.status(path)?.kind === 'directory') removeTree(disk, path);
  disk.createFile(staging, bytes, 0o644);
  disk.rename(staging, path);
  disk.syncDirectory(parentOf(path));
}
