/**
 * Did an earlier run leave something? Looks at names only, and is all that a matching boot loads of
 * the recovery.
 */
import type { Disk } from '@edged/host/host';
import { layout } from '@edged/model/layout';
import type { StateRoot } from './state-root.ts';

const ourName = /^epoch_\d+\.(?:tmp|old)$/;

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

/**
 * What an interrupted rotation left in epoch/, ours or the original's, and what any other writer
 * left there under a name that ends in `.tmp`.
 */
export function unfinishedRotations(disk: Disk): string[] {
  return (disk.list(layout.epochs) ?? [])
    .filter((name) => ourName.test(name) || name.endsWith('.tmp'))
    .map((name) => `${layout.epochs}/${name}`)
    .filter((path) => isThere(disk, path)); // a name that is no UTF-8 cannot be asked for again
}

/** Neither this release nor the original gives such a name. */
export function isForeign(path: string): boolean {
  return !ourName.test(path.slice(layout.epochs.length + 1));
}
