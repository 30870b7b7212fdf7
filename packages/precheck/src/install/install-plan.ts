/**
 * From a verified manifest to a plan: every rule that needs the disk, for every operation, before
 * anything is written (spec section 6). Reads names and types only; contents are judged by
 * `SourceJudge` (source-judge.ts) while they are read, once.
 */
import type { Disk } from '@edged/host/host';
import type { Digest } from '@edged/model/digest';
import { PrecheckError } from '@edged/model/failure';
import {
  type InstallOperation,
  checkOperationPaths,
  relativeToRoot,
  requireAllowedDestination,
  requireAllowedSource,
} from '@edged/model/install-operation';
import { foldName } from '@edged/model/layout';

/** An operation whose src, relative to the state root, is a regular file; no symlinks are left. */
export interface PlannedOperation {
  /** Place in the manifest, from 0. */
  readonly index: number;
  readonly src: string;
  readonly sizeBytes: number;
  readonly expected: Digest | undefined;
  /** Undefined for `verify_config`. */
  readonly target: PlannedTarget | undefined;
}

export interface PlannedTarget {
  readonly dst: string;
  readonly mode: number | undefined;
  /** The manifest asks that it can be run. */
  readonly executable: boolean;
  /** Extended attributes, values in hex. */
  readonly xattrs: Readonly<Record<string, string>>;
  readonly replaces: boolean;
  /** Parents that do not exist yet, outermost first. */
  readonly missing: readonly string[];
}

export interface InstallPlan {
  readonly operations: readonly PlannedOperation[];
  /** Missing parents of dsts, outermost first. */
  readonly newDirectories: readonly string[];
  /** Sum of what is to be staged. */
  readonly copiedBytes: number;
}

export function planInstall(
  operations: readonly InstallOperation[],
  disk: Disk,
  rootNames: readonly string[],
): InstallPlan {
  operations.forEach((operation, index) => checkOperationPaths(operation, index, rootNames));
  const planned = operations.map((operation, index) =>
    planOperation(operation, index, disk, rootNames),
  );
  refuseOverlappingTargets(planned);
  const newDirectories = new Set(planned.flatMap(({ target }) => target?.missing ?? []));
  const copiedBytes = planned.reduce(
    (sum, { target, sizeBytes }) => sum + (target ? sizeBytes : 0),
    0,
  );
  return { operations: planned, newDirectories: [...newDirectories], copiedBytes };
}

/** Where the dst of a `copy_binary` really is, every symlink followed. Used by recovery as well. */
export function resolveDestination(
  dst: string,
  index: number,
  disk: Disk,
  rootNames: readonly string[],
): string {
  const relative = relativeToRoot(dst, rootNames);
  const resolved = relative === undefined ? undefined : disk.resolve(relative);
  return requireAllowedDestination(resolved, dst, index);
}

function planOperation(
  operation: InstallOperation,
  index: number,
  disk: Disk,
  rootNames: readonly string[],
): PlannedOperation {
  const where = { operation: index, op: operation.op, src: operation.src };
  const relative = requireAllowedSource(relativeToRoot(operation.src, rootNames), operation, index);
  const src = requireAllowedSource(disk.resolve(relative), operation, index);
  const status = disk.status(src);
  if (!status) throw new PrecheckError('operation.src_missing', where);
  if (status.kind !== 'file') {
    throw new PrecheckError('operation.src_unusable', { ...where, found: status.kind });
  }
  const { sizeBytes } = status;
  const planned = { index, src, sizeBytes, expected: operation.hash };
  if (operation.op === 'verify_config') return { ...planned, target: undefined };
  const dst = resolveDestination(operation.dst, index, disk, rootNames);
  const missing = missingParents(dst, index, disk);
  const replaces = missing.length === 0 && requireReplaceable(dst, index, disk);
  const { mode, executable, xattrs } = operation;
  return { ...planned, target: { dst, mode, executable, xattrs, replaces, missing } };
}

/** True when a regular file stands at dst. */
function requireReplaceable(dst: string, index: number, disk: Disk): boolean {
  const status = disk.status(dst);
  if (!status) return false;
  if (status.kind === 'file') return true;
  throw new PrecheckError('operation.dst_unusable', { operation: index, dst, found: status.kind });
}

/** From the outermost in, so that a file in the way is found before anything below it is asked. */
function missingParents(dst: string, index: number, disk: Disk): string[] {
  const parents = parentsOf(dst);
  for (const [depth, path] of parents.entries()) {
    const status = disk.status(path);
    if (!status) return parents.slice(depth);
    const refuse = (found: string): PrecheckError =>
      new PrecheckError('operation.dst_unusable', { operation: index, dst, parent: path, found });
    if (status.kind !== 'directory') throw refuse(status.kind);
    if (status.device !== disk.status('')?.device) throw refuse('another filesystem');
  }
  return [];
}

/** `a/b/c` has the parents `a` and `a/b`. */
export function parentsOf(path: string): string[] {
  const names = path.split('/').slice(0, -1);
  return names.map((_, depth) => names.slice(0, depth + 1).join('/'));
}

/** Names that some filesystem takes for one count as one. */
function refuseOverlappingTargets(operations: readonly PlannedOperation[]): void {
  const seen = new Set<string>();
  for (const { target } of operations) {
    if (!target) continue;
    const folded = foldName(target.dst);
    if (seen.has(folded)) throw new PrecheckError('operation.dst_duplicate', { dst: target.dst });
    seen.add(folded);
  }
  for (const { target } of operations) {
    const inside = parentsOf(foldName(target?.dst ?? '')).find((parent) => seen.has(parent));
    if (inside !== undefined) throw new PrecheckError('operation.dst_duplicate', { dst: inside });
  }
}
