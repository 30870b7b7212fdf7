/**
 * One typed, shell-free operation of a manifest and the rules for its paths that can be judged
 * from the text alone (spec section 6). What needs the disk (symlinks, types) is judged in
 * `precheck/src/install/install-plan.ts`.
 */
import type { Digest } from './digest.ts';
import { PrecheckError } from './failure.ts';
import { isAgentData, isProtected, layout } from './layout.ts';

export type InstallOperation =
  | {
      readonly op: 'copy_binary';
      readonly src: string;
      readonly dst: string;
      readonly hash: Digest | undefined;
      /** Permission bits 0 to 0o777; undefined: those of src. */
      readonly mode: number | undefined;
      /** The manifest asks that dst can be run; otherwise that is only looked at. */
      readonly executable: boolean;
      /** Extended attributes, values in hex. */
      readonly xattrs: Readonly<Record<string, string>>;
    }
  | { readonly op: 'verify_config'; readonly src: string; readonly hash: Digest | undefined };

/**
 * Shell metacharacters and control characters: rejected in every path (spec section 6). Of Unicode,
 * what is not seen (format characters: zero width, direction), what breaks a line, and lone
 * surrogates, which no file name can carry.
 */
const forbidden = /[;|$`&><(){}[\]*?!#~'"\\\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/** The longest name that ext4, XFS, btrfs and f2fs take, in bytes. */
const longestNameBytes = 255;
/** Far from PATH_MAX, and from a walk that takes seconds: each name of a path is opened in turn. */
const longestPathBytes = 1024;
const mostNames = 32;

/**
 * The path relative to the state root, without `.` and `..`, or undefined when it leads outside.
 * `rootNames` are the absolute names that the state root goes by.
 */
export function relativeToRoot(path: string, rootNames: readonly string[]): string | undefined {
  if (!path.startsWith('/')) return normalize(path);
  for (const root of rootNames) {
    if (path === root) return '';
    if (path.startsWith(`${root}/`)) return normalize(path.slice(root.length + 1));
  }
  return undefined;
}

/** Refuses what the text of the paths alone forbids. */
export function checkOperationPaths(
  operation: InstallOperation,
  index: number,
  rootNames: readonly string[],
): void {
  const where = { operation: index, op: operation.op };
  const paths = operation.op === 'copy_binary' ? [operation.src, operation.dst] : [operation.src];
  for (const path of paths) {
    const character = forbidden.exec(path)?.[0];
    if (character !== undefined) {
      throw new PrecheckError('operation.path_forbidden', { ...where, path, character });
    }
    if (isTooLong(path)) {
      const limit = `more than ${longestPathBytes} bytes or ${mostNames} names`;
      const start = `${path.slice(0, 80)}...`;
      throw new PrecheckError('operation.path_forbidden', { ...where, path: start, found: limit });
    }
    if (hasTooLongName(path)) {
      const limit = `a name over ${longestNameBytes} bytes`;
      throw new PrecheckError('operation.path_forbidden', { ...where, path, character: limit });
    }
  }
  requireAllowedSource(relativeToRoot(operation.src, rootNames), operation, index);
  if (operation.op === 'copy_binary') {
    requireAllowedDestination(relativeToRoot(operation.dst, rootNames), operation.dst, index);
  }
}

export function isTooLong(path: string): boolean {
  return Buffer.byteLength(path) > longestPathBytes || path.split('/').length > mostNames;
}

export function hasTooLongName(path: string): boolean {
  return path.split('/').some((name) => Buffer.byteLength(name) > longestNameBytes);
}

/** Refuses a src, given relative to the state root, that lies outside its directory. */
export function requireAllowedSource(
  relative: string | undefined,
  { op, src }: InstallOperation,
  index: number,
): string {
  const isCopy = op === 'copy_binary';
  const inside = isCopy
    ? relative?.startsWith(`${layout.binaries}/`)
    : relative !== undefined && !isAgentData(relative);
  if (inside && relative) return relative;
  const allowed = isCopy ? `${layout.binaries}/` : 'the state root, without edge/';
  throw new PrecheckError('operation.src_outside', { operation: index, op, src, allowed });
}

/** Refuses a dst, given relative to the state root, that is outside or reserved. */
export function requireAllowedDestination(
  relative: string | undefined,
  dst: string,
  index: number,
): string {
  const where = { operation: index, op: 'copy_binary', dst };
  if (relative === undefined) throw new PrecheckError('operation.dst_outside', where);
  if (isProtected(relative)) throw new PrecheckError('operation.dst_protected', where);
  return relative;
}

function normalize(relative: string): string | undefined {
  const names: string[] = [];
  for (const name of relative.split('/')) {
    if (name === '' || name === '.') continue;
    if (name !== '..') names.push(name);
    else if (names.pop() === undefined) return undefined;
  }
  return names.join('/');
}
