/**
 * Extended attributes by setfattr(1): Node has no setxattr. No shell; the value goes as hex.
 */
import { DiskError } from './host.ts';
import { runAttached } from './linux-tools.ts';

/** Throws `DiskError` with the operation `setxattr`. */
export function setXattrs(path: string, xattrs: Readonly<Record<string, string>>): void {
  for (const [name, hex] of Object.entries(xattrs)) {
    const args = ['-n', name, '-v', `0x${hex}`, '--', path];
    const { status, error, stderr } = runAttached('setfattr', args);
    if (error) throw new DiskError('setxattr', name, 'ENOSYS', error);
    if (status === 0) continue;
    const isUnsupported = stderr.includes('not supported');
    throw new DiskError('setxattr', name, isUnsupported ? 'ENOTSUP' : 'EPERM', new Error(stderr));
  }
}
