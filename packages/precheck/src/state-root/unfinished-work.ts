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
 * only a promise counts: files may be half installed. The rest can be neither finished nor do harm.
 */
export function hasUnfinishedWork({ disk, readOnly }: StateRoot): boolean {
  const transaction = disk.status(layout.transaction);
  if (readOnly) return transaction?.kind === 'directory' && isThere(disk, layout.journal);
  return (
    transaction !== undefined || isThere(disk, layout.lock) || unfinishedRotations(disk).length > 0
  );
}

function isThere(disk: Disk, path: string): boolean {
  return disk.status(path) !== undefined;
}

/** Names in epoch/ that an interrupted rotation left, ours or the original's. */
export function unfinishedRotations(disk: Disk): string[] {
  return (disk.list(layout.epochs) ?? [])
    .filter((name) => unfinishedName.test(name))
    .map((name) => `${layout.epochs}/${name}`);
}
