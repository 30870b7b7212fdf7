/** Compositions of disk operations that several steps of the protocol need. */
import { type Disk, isHalfMade } from '@edged/host/host';
import { type Digest, createHasher } from '@edged/model/digest';

export function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0));
}

/**
 * Makes the directory and its missing parents, each name and mode durable: 0755, whatever the
 * umask. One that was cut off between mkdir and chmod is finished; the mode of any other is its
 * owner's business.
 */
export function ensureDirectory(disk: Disk, path: string): void {
  const found = disk.status(path);
  if (path === '' || (found && !isHalfMade(found))) return;
  ensureDirectory(disk, parentOf(path));
  disk.createDirectory(path, 0o755);
  disk.syncDirectory(path);
  disk.syncDirectory(parentOf(path));
}

/** Removes whatever stands there, without following symlinks. Absent is fine. Not yet durable. */
export function removeTree(disk: Disk, path: string): void {
  const status = disk.status(path);
  if (!status) return;
  if (status.kind !== 'directory') return disk.removeFile(path);
  for (const name of disk.list(path) ?? []) removeTree(disk, `${path}/${name}`);
  disk.removeDirectory(path);
}

/** Undefined where no regular file stands. */
export function digestOfFile(disk: Disk, path: string): Digest | undefined {
  if (disk.status(path)?.kind !== 'file') return undefined;
  const hasher = createHasher();
  disk.scanFile(path, (chunk) => hasher.update(chunk));
  return hasher.digestHex();
}
