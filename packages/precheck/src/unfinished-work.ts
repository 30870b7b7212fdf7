/**
 * Did an earlier run leave something? Looks at names only, and is all that a matching boot loads of
 * the recovery.
 */
import type { Disk } from '@edged/host/host';
import { layout } from '@edged/model/layout';
import type { StateRoot } from './state-root.ts';

const unfinishedName = /^epoch_\d+\.(?:tmp|old)$/;

/**
 * True when an earlier run was cut off, or another one is at work just now. On a read-only mount
 * nothing can be finished, so that nothing counts as unfinished.
 */
export function hasUnfinishedWork({ disk, readOnly }: StateRoot): boolean {
  if (readOnly) return false;
  return (
    disk.status(layout.transaction) !== undefined ||
    disk.status(layout.lock) !== undefined ||
    unfinishedRotations(disk).length > 0
  );
}

/** Names in epoch/ that an interrupted rotation left, ours or the original's. */
export function unfinishedRotations(disk: Disk): string[] {
  return (disk.list(layout.epochs) ?? [])
    .filter((name) => unfinishedName.test(name))
    .map((name) => `${layout.epochs}/${name}`);
}
