/**
 * A whole new file, or an error. The one importer of `write-file-atomic`.
 *
 * What the library does not do, and what stands here or above instead:
 * - it ignores a short write and renames the truncated file: size and bytes are read back;
 * - it opens its temporary file without O_EXCL, under a name that can be foretold, and follows a
 *   symlink at the target: callers only name entries of a directory made by this run, mode 0700,
 *   which `linux-disk.ts` holds open;
 * - it syncs no directory: `Disk.syncDirectory`;
 * - it never replaces anything here: the durable rename over the old file is `Disk.rename`.
 */
import fs from 'node:fs';
import writeFileAtomic from 'write-file-atomic';

/** Throws Node's errno errors, `EEXIST` for an entry that is there already, and `ESHORT`. */
export function writeWholeFile(name: string, bytes: Uint8Array, mode: number): void {
  if (fs.lstatSync(name, { throwIfNoEntry: false })) {
    throw Object.assign(new Error(`exists: ${name}`), { code: 'EEXIST' });
  }
  writeFileAtomic.sync(name, Buffer.from(bytes), { mode, fsync: true });
  if (!fs.readFileSync(name).equals(bytes)) {
    fs.unlinkSync(name);
    throw Object.assign(new Error(`short write: ${name}`), { code: 'ESHORT' });
  }
}
