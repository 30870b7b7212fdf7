/** Compositions of disk operations that several steps of the protocol need. */
import type { Disk } from '@edged/host/host';
import { type Digest, createHasher } from '@edged/model/digest';

export function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0));
}

/** Makes the directory and its missing parents, each name durable. Modes 0755. */
export function ensureDirectory(disk: Disk, path: string): void {
  if (path === '' || disk.status(path)) return;
  ensureDirectory(disk, parentOf(path));
  disk.createDirectory(path, 0o755);
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
