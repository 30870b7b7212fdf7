/**
 * Staging and committing of a plan: all or nothing (spec section 6, I4). Staging reads each byte
 * once, hashes it while it is copied, and touches nothing visible. Committing happens under the
 * journal: link the old files aside, rename the new ones into place, sync. It can be done again
 * after any interruption, and undone as long as the journal stands.
 */
import { type CopyOptions, type Disk, DiskError } from '@edged/host/host';
import type { Digest } from '@edged/model/digest';
import { PrecheckError } from '@edged/model/failure';
import { digestOfFile, ensureDirectory, parentOf, removeTree } from '../state-root/durable.ts';
import type { Progress } from '../event.ts';
import type { InstallPlan, PlannedOperation, PlannedTarget } from './install-plan.ts';
import { type Installation, type Journal, transaction } from '../state-root/journal.ts';
import { type PlaceToRun, SourceJudge, type Verdict } from './source-judge.ts';

const permissionBits = 0o777;

export interface StagedFiles {
  readonly installations: readonly Installation[];
  /** Digest of every src that was read, by path relative to the state root. */
  readonly digests: ReadonlyMap<string, Digest>;
}

/** Is told of every operation whose src was read and judged. */
export type Judged = (operation: PlannedOperation, verdict: Verdict) => void;

/** Reads every src once; copies go to `staged/N`. Throws as `SourceJudge` does, and `DiskError`. */
export function stage(
  plan: InstallPlan,
  disk: Disk,
  place: PlaceToRun,
  staged: Judged,
  progress: Progress = () => undefined,
): StagedFiles {
  let copied = 0;
  const installations: Installation[] = [];
  const digests = new Map<string, Digest>();
  for (const operation of plan.operations) {
    const verdict = judge(operation, disk, place, (observe) => {
      if (!operation.target) return scan(operation, disk, observe);
      const options = copyOptions(operation.target, (chunk) => {
        observe(chunk);
        copied += chunk.length;
        progress(copied, plan.copiedBytes);
      });
      disk.copyFile(operation.src, transaction.staged(installations.length), options);
    });
    if (operation.target) {
      const { dst, replaces } = operation.target;
      installations.push({ dst, digest: verdict.digest, replaces });
    }
    digests.set(operation.src, verdict.digest);
    staged(operation, verdict);
  }
  return { installations, digests };
}

/** As `stage`, but only reads: what `edged verify` and a dry run ask. */
export function judgeSources(
  plan: InstallPlan,
  disk: Disk,
  place: PlaceToRun,
  judged: Judged,
): void {
  for (const operation of plan.operations) {
    judged(
      operation,
      judge(operation, disk, place, (observe) => scan(operation, disk, observe)),
    );
  }
}

/** False when a file is whole in neither place, staged or installed: not to be continued. */
export function isContinuable(journal: Journal, disk: Disk): boolean {
  return journal.installations.every(({ dst, digest }, index) => {
    const staged = transaction.staged(index);
    return digestOfFile(disk, disk.status(staged) ? staged : dst) === digest;
  });
}

/** Brings every staged file to its dst, durably. */
export function install(journal: Journal, disk: Disk): void {
  journal.newDirectories.forEach((path) => ensureDirectory(disk, path));
  journal.installations.forEach(({ dst }) => ensureDirectory(disk, parentOf(dst)));
  journal.installations.forEach(({ dst, replaces }, index) => {
    const pending = disk.status(transaction.staged(index));
    if (!pending || !replaces || disk.status(transaction.undo(index)) || !disk.status(dst)) return;
    setAside(dst, transaction.undo(index), disk);
  });
  if (journal.installations.length > 0) disk.syncDirectory(transaction.undoing);
  journal.installations.forEach(({ dst }, index) => {
    if (disk.status(transaction.staged(index))) disk.rename(transaction.staged(index), dst);
  });
  const parents = new Set(journal.installations.map(({ dst }) => parentOf(dst)));
  for (const parent of parents) disk.syncDirectory(parent);
}

/** What link(2) says of a file that is whole and ours to replace, but not to give a second name. */
const linkRefused = new Set(['EPERM', 'EACCES', 'EMLINK', 'ENOTSUP']);

/**
 * A second name for the old file; where none may be given (fs.protected_hardlinks guards those of
 * other users) a copy, which has the name that counts only when it is whole.
 */
function setAside(dst: string, undo: string, disk: Disk): void {
  try {
    disk.link(dst, undo);
  } catch (error) {
    if (!(error instanceof DiskError) || !linkRefused.has(error.errno)) throw error;
    const copy = `${undo}.copy`;
    removeTree(disk, copy);
    const modeFor = (mode: number): number => mode & permissionBits;
    disk.copyFile(dst, copy, { modeFor, observe: () => undefined });
    disk.rename(copy, undo);
  }
}

/**
 * What puts back what `install` replaced and removes what it added, a step for each file; again,
 * where it was cut off. Once one file is put back the journal is not continuable any more.
 */
export function uninstall(journal: Journal, disk: Disk): (() => void)[] {
  const files = journal.installations.map((installation, index) => () => {
    putBack(installation, index, disk);
  });
  const directories = journal.newDirectories.toReversed().map((path) => () => {
    if (disk.list(path)?.length !== 0) return;
    disk.removeDirectory(path);
    disk.syncDirectory(parentOf(path));
  });
  return [...files, ...directories];
}

function putBack({ dst, digest, replaces }: Installation, index: number, disk: Disk): void {
  const undo = transaction.undo(index);
  if (disk.status(undo)?.kind === 'file') {
    // in a directory that refuses renames it is the same file still
    ensureDirectory(disk, parentOf(dst));
    if (digestOfFile(disk, undo) !== digestOfFile(disk, dst)) disk.rename(undo, dst);
  } else if (!replaces && digestOfFile(disk, dst) === digest) disk.removeFile(dst);
  if (disk.status(parentOf(dst))) disk.syncDirectory(parentOf(dst));
}

function scan(
  { index, src }: PlannedOperation,
  disk: Disk,
  observe: (chunk: Uint8Array) => void,
): void {
  if (disk.scanFile(src, observe)) return;
  throw new PrecheckError('operation.src_missing', { operation: index, src });
}

function judge(
  operation: PlannedOperation,
  disk: Disk,
  place: PlaceToRun,
  read: (observe: (chunk: Uint8Array) => void) => void,
): Verdict {
  const source = new SourceJudge(operation, place);
  try {
    read((chunk) => source.observe(chunk));
  } catch (error) {
    source.abandon();
    throw asRefusal(error, operation);
  }
  const mode = operation.target?.mode ?? disk.status(operation.src)?.mode ?? 0;
  return source.verdict(mode & permissionBits);
}

/** What a failed copy says of the operation rather than of the disk. */
function asRefusal(error: unknown, { index, src }: PlannedOperation): unknown {
  if (!(error instanceof DiskError)) return error;
  const where = { operation: index, src };
  if (error.errno === 'ECHANGED') return new PrecheckError('operation.src_changed', where, error);
  if (error.operation !== 'setxattr') return error;
  const detail = { ...where, xattr: error.path, errno: error.errno };
  return new PrecheckError('operation.xattr_refused', detail, error);
}

/** Setuid, setgid and sticky bits are never installed, whatever the source carries. */
function copyOptions(
  { mode, xattrs }: PlannedTarget,
  observe: (chunk: Uint8Array) => void,
): CopyOptions {
  return { modeFor: (sourceMode) => (mode ?? sourceMode) & permissionBits, observe, xattrs };
}
