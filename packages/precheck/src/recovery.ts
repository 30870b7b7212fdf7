/**
 * Puts right what a crash left, before anything is decided (spec section 5, step 1.2).
 *
 * With a journal the change is carried to its end, whatever OS is running now: the promise was
 * durable. A journal that installs files is followed only if the manifest kept beside it still
 * verifies and asks for just these files (I5); once its fingerprint is saved nothing is installed
 * any more. A journal that may not be followed, or contradicts the records, is taken back, files
 * and records, and the decision starts afresh.
 *
 * Without a journal, complete evidence that was never renamed into place (the original daemon
 * leaves this) is rolled forward, whatever its name, and everything else that is unfinished is
 * removed. What cannot be removed is no reason to refuse.
 */
import { type Clock, type Disk, DiskError, type Host } from '@edged/host/host';
import { forgets } from '@edged/model/acceptance';
import { type Records, isWithoutTrace, newestWitness, present } from '@edged/model/decision';
import { acceptanceOf } from '@edged/model/epoch-evidence';
import { PrecheckError } from '@edged/model/failure';
import { layout } from '@edged/model/layout';
import { finish, isSaved, withdraw } from './change.ts';
import { diskDetail, refusingAs } from './state-root/disk-failure.ts';
import { parentOf } from './state-root/durable.ts';
import { rotateEvidence, sweepUnfinished } from './epoch/epoch-rotation.ts';
import type { Report } from './event.ts';
import { isContinuable } from './install/install-commit.ts';
import { resolveDestination } from './install/install-plan.ts';
import { type Journal, endTransaction, readJournal, transaction } from './state-root/journal.ts';
import { memoryOf, readEvidence, readRecords } from './state-root/records.ts';
import type { StateRoot } from './state-root/state-root.ts';
import type { TrustOrder } from './trust/trust-anchor.ts';
import { isForeign, unfinishedRotations } from './state-root/unfinished-work.ts';

/**
 * Takes the lock, recovers, and reads the records again: what any change begins with. Throws as
 * `recover` does, and `state_root.locked`, `state_root.read_only`.
 */
export async function lockAndRecover(
  stateRoot: StateRoot,
  trust: TrustOrder,
  host: Host,
  report: Report,
): Promise<Records> {
  await host.prepareToWrite();
  stateRoot.lock();
  await recover(stateRoot, trust, host, report);
  return readRecords(stateRoot.disk);
}

/**
 * Needs the lock. Throws `manifest.verify_key_*` and `trust.*` when a journal cannot be verified
 * for lack of a key.
 */
export async function recover(
  stateRoot: StateRoot,
  trust: TrustOrder,
  host: Host,
  report: Report,
): Promise<void> {
  const { clock } = host;
  const { disk } = stateRoot;
  const journal = readJournal(disk);
  if (journal === 'absent') {
    if (disk.status(layout.transaction)) discard(disk, report, 'it was never committed');
  } else if (journal === 'damaged') {
    refusingAs('reconstruction.io_error', {}, () => discardDamaged(disk, report));
  } else {
    await resume(journal, stateRoot, trust, host, report);
  }
  rollForwardEvidence(disk, clock, report);
}

async function resume(
  journal: Journal,
  stateRoot: StateRoot,
  trust: TrustOrder,
  host: Host,
  report: Report,
): Promise<void> {
  const { disk } = stateRoot;
  const isDone = isSaved(journal, disk);
  const objection =
    objectionToRecords(journal, disk) ??
    (isDone ? undefined : await objectionToInstallations(journal, stateRoot, trust, host));
  refusingAs('reconstruction.io_error', {}, () => {
    if (objection === undefined) {
      report('edge.os.reconstruction_resumed', { boot_epoch: journal.goal.fingerprint.bootEpoch });
      return finish(journal, disk, host.clock, report);
    }
    report('edge.state_root.journal_discarded', { found: objection });
    if (isDone) return endTransaction(disk);
    const [failure] = withdraw(journal, disk, host.clock, report);
    if (failure) throw failure;
  });
}

/**
 * A journal that cannot be read, and under which nothing was set aside. Where it is the last trace
 * of an earlier epoch it stays, as a damaged record: no boot takes the device for a new one.
 */
function discardDamaged(disk: Disk, report: Report): void {
  report('edge.state_root.journal_discarded', { found: 'it cannot be read' });
  if (isWithoutTrace(readRecords(disk))) {
    disk.rename(transaction.journal, layout.history);
    disk.syncDirectory(parentOf(layout.history));
  }
  endTransaction(disk);
}

function discard(disk: Disk, report: Report, found: string): void {
  report('edge.state_root.leftovers_removed', { directory: layout.transaction, found });
  endTransaction(disk);
}

/** Why the records of this journal must not be saved; undefined when they must. */
function objectionToRecords(journal: Journal, disk: Disk): string | undefined {
  const records = readRecords(disk);
  const { bootEpoch } = journal.goal.fingerprint;
  const highest = highestOnRecord(records);
  if (bootEpoch < highest) return `it ends at epoch ${bootEpoch}, below ${highest} on record`;
  if (highest >= 0 && bootEpoch > highest + 1) {
    return `it ends at epoch ${bootEpoch}, far above ${highest} on record`;
  }
  const remembered = memoryOf(records);
  const kept = acceptanceOf(journal.goal.evidence);
  return forgets(kept, remembered) ? 'it forgets a serial or a keyring' : undefined;
}

/** Why the files of this journal must not be installed; undefined when they must. */
async function objectionToInstallations(
  journal: Journal,
  { disk, names, path }: StateRoot,
  trust: TrustOrder,
  host: Host,
): Promise<string | undefined> {
  if (journal.installations.length === 0) return undefined;
  const { loadTrust } = await import('./trust/trust-anchor.ts');
  const { readVerifiedManifest } = await import('./trust/verified-manifest.ts');
  try {
    const loaded = loadTrust(trust, host, disk, path, memoryOf(readRecords(disk)));
    const { manifest } = readVerifiedManifest(disk, loaded, transaction.manifest);
    const promised = journal.installations.values();
    for (const [index, operation] of manifest.operations.entries()) {
      if (operation.op !== 'copy_binary') continue;
      const dst = resolveDestination(operation.dst, index, disk, names);
      const { value: file } = promised.next();
      const matches = file?.dst === dst && (operation.hash ?? file.digest) === file.digest;
      if (!matches) return `it does not install what operation ${index} asks for`;
    }
    if (!promised.next().done) return 'it installs more than the manifest asks for';
  } catch (error) {
    if (!(error instanceof PrecheckError) || isForLackOfKey(error)) throw error;
    return `its manifest does not hold: ${error.code}`;
  }
  if (!isContinuable(journal, disk)) return 'a file it installs is lost';
  return undefined;
}

/** With the key restored the journal can still be followed: it must not be thrown away. */
function isForLackOfKey({ code }: PrecheckError): boolean {
  return code.startsWith('manifest.verify_key_') || code.startsWith('trust.');
}

function rollForwardEvidence(disk: Disk, clock: Clock, report: Report): void {
  const leftovers = unfinishedRotations(disk);
  if (leftovers.length === 0) return;
  const complete = leftovers
    .map((directory) => present(readEvidence(disk, directory)))
    .filter((evidence) => evidence !== undefined)
    .toSorted((one, other) => other.osFingerprint.bootEpoch - one.osFingerprint.bootEpoch)[0];
  const current = present(readEvidence(disk, layout.currentEpoch));
  const highest = highestOnRecord(readRecords(disk));
  const isNews =
    complete &&
    (current?.osFingerprint.bootEpoch ?? -1) < complete.osFingerprint.bootEpoch &&
    (highest < 0 || complete.osFingerprint.bootEpoch <= highest + 1);
  if (!isNews) return sweep(leftovers, disk, report);
  const { bootEpoch } = complete.osFingerprint;
  report('edge.epoch.evidence_rolled_forward', { boot_epoch: bootEpoch });
  rotateEvidence(
    disk,
    clock,
    complete,
    current ?? present(readEvidence(disk, layout.previousEpoch)),
  );
  sweep(leftovers, disk, report);
}

function sweep(leftovers: readonly string[], disk: Disk, report: Report): void {
  try {
    sweepUnfinished(disk);
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    return report('edge.state_root.leftovers_kept', diskDetail(error));
  }
  const found = 'neither edged nor the original gives such a name';
  for (const directory of leftovers.filter(isForeign)) {
    report('edge.state_root.leftovers_removed', { directory, found });
  }
}

/** -1 where no record speaks of an epoch. */
function highestOnRecord(records: Records): number {
  const stored = present(records.fingerprint);
  return Math.max(stored?.bootEpoch ?? -1, newestWitness(records)?.bootEpoch ?? -1);
}
