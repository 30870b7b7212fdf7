/**
 * From a verified manifest to a plan: every rule that needs the disk, for every operation, before
 * anything is written (spec section 6). Reads names and types only; contents are judged by
 * `SourceJudge` (source-judge.ts) while they are read, once.
 */
import type { Disk, EntryStatus } from '@edged/host/host';
import { isOneMount } from '@edged/host/mount-borders';
import type { Digest } from '@edged/model/digest';
import { PrecheckError } from '@edged/model/failure';
import {
  type InstallOperation,
  checkOperationPaths,
  relativeToRoot,
  requireAllowedDestination,
  requireAllowedSource,
} from '@edged/model/install-operation';
import { foldName, layout } from '@edged/model/layout';
import { parentOf } from '../state-root/durable.ts';

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
  /** Of the old file, where it can only be set aside as a copy. */
  readonly keptBytes: number;
  /** Parents that do not exist yet, outermost first. */
  readonly missing: readonly string[];
}

export interface InstallPlan {
  readonly operations: readonly PlannedOperation[];
  /** Missing parents of dsts, outermost first. */
  readonly newDirectories: readonly string[];
  /** Sum of what is to be staged. */
  readonly copiedBytes: number;
  /** Room for that, and for old files that can only be set aside as a copy. */
  readonly neededBytes: number;
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
  const copies = planned.filter(({ target }) => target);
  const copiedBytes = copies.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const keptBytes = copies.reduce((sum, { target }) => sum + (target?.keptBytes ?? 0), 0);
  const neededBytes = copiedBytes + keptBytes;
  return { operations: planned, newDirectories: [...newDirectories], copiedBytes, neededBytes };
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
  const replaced = missing.length === 0 ? requireReplaceable(dst, index, disk) : undefined;
  const keptBytes = replaced && !replaced.linkable ? replaced.sizeBytes : 0;
  const { mode, executable, xattrs } = operation;
  const replaces = replaced !== undefined;
  return { ...planned, target: { dst, mode, executable, xattrs, replaces, keptBytes, missing } };
}

/** What stands at dst: a regular file, or nothing. */
function requireReplaceable(dst: string, index: number, disk: Disk): EntryStatus | undefined {
  const status = disk.status(dst);
  if (!status) return undefined;
  const where = { operation: index, dst };
  if (status.kind !== 'file') {
    throw new PrecheckError('operation.dst_unusable', { ...where, found: status.kind });
  }
  if (!isBesideStaging(dst, disk)) {
    throw new PrecheckError('operation.dst_unusable', { ...where, found: anotherMount });
  }
  return status;
}

const aroundStaging = parentOf(layout.transaction);
const anotherMount = `another mount or filesystem than ${aroundStaging}/`;

/** A rename leads there from where files are staged: to be known before anything is promised. */
function isBesideStaging(path: string, disk: Disk): boolean {
  return isOneMount(disk, path, disk.status(aroundStaging) ? aroundStaging : '');
}

/** From the outermost in, so that a file in the way is found before anything below it is asked. */
function missingParents(dst: string, index: number, disk: Disk): string[] {
  const parents = parentsOf(dst);
  const refuse = (parent: string, found: string): PrecheckError =>
    new PrecheckError('operation.dst_unusable', { operation: index, dst, parent, found });
  let innermost = '';
  for (const path of parents) {
    const status = disk.status(path);
    if (!status) break;
    if (status.kind !== 'directory') throw refuse(path, status.kind);
    innermost = path;
  }
  if (!isBesideStaging(innermost, disk)) throw refuse(innermost || '.', anotherMount);
  return parents.slice(innermost === '' ? 0 : parents.indexOf(innermost) + 1);
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
