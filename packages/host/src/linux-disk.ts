/**
 * `Disk` on a Linux filesystem. Every path is walked from a descriptor of the state root, one
 * name at a time and without following symlinks (`/proc/self/fd/N/name` is what Node has for
 * openat), so that a directory swapped for a symlink between check and use is an error, not a way
 * out. State is written here, with `atomic-file.ts` and `linux-xattr.ts` below it; `linux-lock.ts`
 * makes and removes the visible lock.
 */
import fs from 'node:fs';
import {
  type CopyOptions,
  type Disk,
  DiskError,
  type EntryKind,
  type EntryStatus,
  type Owner,
  halfMadeMode,
  isHalfMade,
} from './host.ts';
import { writing } from './writing.ts';

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = fs.constants;
/** O_PATH, which Node does not name: opens any entry and touches none. */
const openPath = 0o10000000;
const chunkBytes = 1024 * 1024;

/** Throws `DiskError`, as all that it opens does. */
export function openLinuxDisk(root: string): Disk {
  const fd = openRoot(root);
  if (isSeenInProc(fd)) return new LinuxDisk(root, fd);
  fs.closeSync(fd);
  throw new DiskError('open', root, 'ENOPROC');
}

/** Without /proc every file would be one that is not there. */
function isSeenInProc(fd: number): boolean {
  const opened = fs.fstatSync(fd);
  const seen = fs.statSync(`/proc/self/fd/${fd}`, { throwIfNoEntry: false });
  return seen?.dev === opened.dev && seen.ino === opened.ino;
}

/** A descriptor of the state root itself. Throws `DiskError`. */
export function openRoot(root: string): number {
  try {
    return fs.openSync(root, O_RDONLY | O_DIRECTORY);
  } catch (error) {
    throw new DiskError('open', root, (error as NodeJS.ErrnoException).code ?? 'EIO', error);
  }
}

class LinuxDisk implements Disk {
  readonly #root: string;
  readonly #rootFd: number;

  constructor(root: string, rootFd: number) {
    this.#root = root;
    this.#rootFd = rootFd;
  }

  readFile(path: string, limitBytes: number): Uint8Array | undefined {
    return this.#ifPresent('read', path, (name) =>
      withDescriptor(openRegularFile(name), (fd) => {
        const { size } = fs.fstatSync(fd);
        if (size > limitBytes) throw errnoError('EFBIG');
        return readUpTo(fd, limitBytes);
      }),
    );
  }

  scanFile(path: string, observe: (chunk: Uint8Array) => void): boolean {
    const scanned = this.#ifPresent('read', path, (name) =>
      withDescriptor(openRegularFile(name), (fd) => {
        readUnchanged(fd, observe);
        return true;
      }),
    );
    return scanned ?? false;
  }

  status(path: string): EntryStatus | undefined {
    return this.#ifPresent('status', path, (name) => {
      return statusOf(fs.lstatSync(name));
    });
  }

  mountId(path: string): number | undefined {
    return this.#ifPresent('status', path, (name) =>
      withDescriptor(fs.openSync(name, openPath | O_NOFOLLOW), (fd) => {
        const told = fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'); // proc_pid_fdinfo(5)
        return Number(/^mnt_id:\s*(\d+)$/m.exec(told)?.[1]);
      }),
    );
  }

  list(path: string): readonly string[] | undefined {
    return this.#ifPresent('list', path, (name) =>
      withDescriptor(openDirectory(name), (fd) => fs.readdirSync(`/proc/self/fd/${fd}`).sort()),
    );
  }

  resolve(path: string): string | undefined {
    return this.#wrap('resolve', path, () => {
      const missing: string[] = [];
      let existing = path;
      for (;;) {
        const absolute = existing === '' ? this.#root : `${this.#root}/${existing}`;
        try {
          return this.#relative([fs.realpathSync.native(absolute), ...missing].join('/'));
        } catch (error) {
          if (isErrno(error, 'ELOOP')) return undefined;
          // ENOTDIR: a parent is a file, which is for the caller to find
          if (!isErrno(error, 'ENOENT') && !isErrno(error, 'ENOTDIR')) throw error;
          if (isErrno(error, 'ENOENT') && isEntry(absolute)) return undefined; // dangling link
        }
        const slash = existing.lastIndexOf('/');
        missing.unshift(existing.slice(slash + 1));
        existing = existing.slice(0, Math.max(slash, 0));
      }
    });
  }

  freeBytes(): number {
    return this.#wrap('statfs', '', () => {
      const { bavail, bsize } = fs.statfsSync(`/proc/self/fd/${this.#rootFd}`);
      return bavail * bsize;
    });
  }

  createFile(path: string, bytes: Uint8Array, mode: number): void {
    this.#at('create', path, (name) => writing().writeWholeFile(name, bytes, mode));
  }

  copyFile(from: string, to: string, options: CopyOptions): number {
    return this.#at('copy', from, (source) =>
      withDescriptor(openRegularFile(source), (input) =>
        this.#at('create', to, (target) => {
          const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
          return withDescriptor(fs.openSync(target, flags, 0o600), (output) => {
            let written = 0;
            const size = readUnchanged(input, (chunk) => {
              if (!isHole(chunk)) writeFully(output, chunk, written);
              written += chunk.length;
              options.observe(chunk);
            });
            if (fs.fstatSync(output).size < size) fs.ftruncateSync(output, size);
            if (fs.fstatSync(output).size !== size) throw errnoError('ESHORT');
            writing().setXattrs(`/proc/${process.pid}/fd/${output}`, options.xattrs ?? {});
            fs.fchmodSync(output, options.modeFor(fs.fstatSync(input).mode & 0o7777));
            fs.fsyncSync(output);
            return size;
          });
        }),
      ),
    );
  }

  changeOwner(path: string, { userId, groupId }: Owner): void {
    this.#at('chown', path, (name) =>
      withDescriptor(openRegularFile(name), (fd) => {
        fs.fchownSync(fd, userId, groupId);
        fs.fsyncSync(fd);
      }),
    );
  }

  removeRights(path: string, bits: number): void {
    this.#at('chmod', path, (name) =>
      withDescriptor(fs.openSync(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK), (fd) => {
        const status = fs.fstatSync(fd);
        if (!status.isFile() && !status.isDirectory()) throw errnoError('EINVAL');
        fs.fchmodSync(fd, status.mode & 0o7777 & ~bits);
        fs.fsyncSync(fd);
      }),
    );
  }

  createDirectory(path: string, mode: number): void {
    this.#at('mkdir', path, (name) => {
      const found = fs.lstatSync(name, { throwIfNoEntry: false });
      if (!found || !isHalfMade(statusOf(found))) fs.mkdirSync(name, { mode: halfMadeMode });
      withDescriptor(openDirectory(name), (fd) => fs.fchmodSync(fd, mode));
    });
  }

  link(from: string, to: string): void {
    this.#at('link', from, (source) =>
      this.#at('link', to, (target) => fs.linkSync(source, target)),
    );
  }

  rename(from: string, to: string): void {
    this.#at('rename', from, (source) =>
      this.#at('rename', to, (target) => fs.renameSync(source, target)),
    );
  }

  removeFile(path: string): void {
    this.#at('unlink', path, (name) => fs.unlinkSync(name));
  }

  removeDirectory(path: string): void {
    this.#at('rmdir', path, (name) => fs.rmdirSync(name));
  }

  syncDirectory(path: string): void {
    this.#at('fsync', path, (name) =>
      withDescriptor(openDirectory(name), (fd) => fs.fsyncSync(fd)),
    );
  }

  isAt(path: string): boolean {
    const opened = fs.fstatSync(this.#rootFd);
    const found = fs.statSync(path, { throwIfNoEntry: false });
    return found?.dev === opened.dev && found.ino === opened.ino;
  }

  close(): void {
    fs.closeSync(this.#rootFd);
  }

  /** Runs `act` with a name of the entry that cannot be redirected: its parent is held open. */
  #at<Result>(operation: string, path: string, act: (name: string) => Result): Result {
    return this.#wrap(operation, path, () => {
      const names = path === '' ? ['.'] : path.split('/');
      if (path !== '' && names.some((name) => /^\.{0,2}$/.test(name))) {
        throw Object.assign(new Error('leads elsewhere'), { code: 'EINVAL' });
      }
      const last = names.pop() ?? '.';
      let fd = this.#rootFd;
      try {
        for (const name of names) {
          const next = openDirectory(`/proc/self/fd/${fd}/${name}`);
          if (fd !== this.#rootFd) fs.closeSync(fd);
          fd = next;
        }
        return act(`/proc/self/fd/${fd}/${last}`);
      } finally {
        if (fd !== this.#rootFd) fs.closeSync(fd);
      }
    });
  }

  #ifPresent<Result>(
    operation: string,
    path: string,
    act: (name: string) => Result,
  ): Result | undefined {
    try {
      return this.#at(operation, path, act);
    } catch (error) {
      if (error instanceof DiskError && error.errno === 'ENOENT') return undefined;
      throw error;
    }
  }

  #wrap<Result>(operation: string, path: string, act: () => Result): Result {
    try {
      return act();
    } catch (error) {
      const errno = (error as NodeJS.ErrnoException).code;
      if (error instanceof DiskError || !/^E[A-Z0-9]+$/.test(errno ?? '')) throw error;
      throw new DiskError(operation, path, errno ?? '', error);
    }
  }

  #relative(absolute: string): string | undefined {
    if (absolute === this.#root) return '';
    return absolute.startsWith(`${this.#root}/`)
      ? absolute.slice(this.#root.length + 1)
      : undefined;
  }
}

function openDirectory(name: string): number {
  return fs.openSync(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

/** O_NONBLOCK: a FIFO must not make us wait for a writer. */
function openRegularFile(name: string): number {
  const fd = fs.openSync(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (fs.fstatSync(fd).isFile()) return fd;
  fs.closeSync(fd);
  throw errnoError('EINVAL');
}

export function withDescriptor<Result>(fd: number, act: (fd: number) => Result): Result {
  try {
    return act(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** Reads to the end, whatever size was announced; refuses more than the limit. */
export function readUpTo(fd: number, limitBytes: number): Uint8Array {
  const chunks: Uint8Array[] = [];
  let total = 0;
  for (;;) {
    const chunk = new Uint8Array(Math.min(limitBytes - total + 1, 64 * 1024));
    const count = fs.readSync(fd, chunk);
    if (count === 0) return Buffer.concat(chunks);
    total += count;
    if (total > limitBytes) throw errnoError('EFBIG');
    chunks.push(chunk.subarray(0, count));
  }
}

/**
 * Reads to the end. Throws ECHANGED when the file is written to meanwhile, and as soon as it is
 * longer than it was: whoever appends as fast as we read would keep us for ever.
 */
function readUnchanged(fd: number, act: (chunk: Uint8Array) => void): number {
  const before = fs.fstatSync(fd, { bigint: true });
  let seen = 0n;
  const total = forEachChunk(fd, (chunk) => {
    seen += BigInt(chunk.length);
    if (seen > before.size) throw errnoError('ECHANGED');
    act(chunk);
  });
  const after = fs.fstatSync(fd, { bigint: true });
  if (before.mtimeNs !== after.mtimeNs || after.size !== seen) throw errnoError('ECHANGED');
  return total;
}

function forEachChunk(fd: number, act: (chunk: Uint8Array) => void): number {
  const buffer = new Uint8Array(chunkBytes);
  let total = 0;
  for (;;) {
    const count = fs.readSync(fd, buffer);
    if (count === 0) return total;
    act(buffer.subarray(0, count));
    total += count;
  }
}

function writeFully(fd: number, bytes: Uint8Array, position: number): void {
  let written = 0;
  while (written < bytes.length) {
    const rest = bytes.length - written;
    written += fs.writeSync(fd, bytes, written, rest, position + written);
  }
}

const hole = Buffer.alloc(chunkBytes);

/** A whole chunk of zeros takes no room in the copy, as it took none in a sparse source. */
function isHole(chunk: Uint8Array): boolean {
  return chunk.length === chunkBytes && chunk[0] === 0 && hole.equals(chunk);
}

function isEntry(name: string): boolean {
  return fs.lstatSync(name, { throwIfNoEntry: false }) !== undefined;
}

function statusOf(stats: fs.Stats): EntryStatus {
  const mode = stats.mode & 0o7777;
  const owner = { userId: stats.uid, groupId: stats.gid };
  const linkable = isOurs(stats);
  return { kind: kindOf(stats), mode, sizeBytes: stats.size, device: stats.dev, owner, linkable };
}

function isOurs({ uid }: fs.Stats): boolean {
  const ourselves = process.geteuid?.();
  return ourselves === 0 || ourselves === uid;
}

function kindOf(stats: fs.Stats): EntryKind {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  return stats.isSymbolicLink() ? 'symlink' : 'other';
}

function isErrno(error: unknown, errno: string): boolean {
  return (error as NodeJS.ErrnoException).code === errno;
}

function errnoError(errno: string): Error {
  return Object.assign(new Error(errno), { code: errno });
}
