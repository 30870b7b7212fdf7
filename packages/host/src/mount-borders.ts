/**
 * What rename(2), link(2) and unlink(2) refuse of entries that may well be read and written: asked
 * of the names alone, before anything is done.
 */
import { type Disk, DiskError } from './host.ts';

export function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0));
}

/**
 * Throws EXDEV where what is seen at `from`, if anything, cannot be named `to`. Mounts are
 * compared, since a bind mount of the same filesystem is another one; and devices, since a
 * subvolume of btrfs is seen through the same mount and has its own.
 */
export function requireOneMount(disk: Disk, operation: string, from: string, to: string): void {
  if (!disk.status(from) || isOneMount(disk, from, parentOf(to))) return;
  throw new DiskError(operation, to, 'EXDEV');
}

export function isOneMount(disk: Disk, one: string, other: string): boolean {
  return (
    disk.mountId(one) === disk.mountId(other) &&
    disk.status(one)?.device === disk.status(other)?.device
  );
}

/** Throws EBUSY where something is mounted at the entry. */
export function requireNoMountPoint(disk: Disk, operation: string, path: string): void {
  const found = disk.mountId(path);
  const isMountPoint = found !== undefined && found !== disk.mountId(parentOf(path));
  if (isMountPoint) throw new DiskError(operation, path, 'EBUSY');
}

/** As `requireNoMountPoint`; and EPERM where a sticky directory keeps what is not this user's. */
export function requireRemovable(
  disk: Disk,
  operation: string,
  path: string,
  userId: number,
): void {
  const [found, around] = [disk.status(path), disk.status(parentOf(path))];
  if (!found || !around) return;
  const isSticky = (around.mode & 0o1000) !== 0;
  const isOurs = [0, found.owner.userId, around.owner.userId].includes(userId);
  if (isSticky && !isOurs) throw new DiskError(operation, path, 'EPERM');
  requireNoMountPoint(disk, operation, path);
}
