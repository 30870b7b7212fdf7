/**
 * The port: everything that precheck may ask of the machine. `linux-host.ts` is the real adapter,
 * `testkit/src/simulation/sim-host.ts` the simulated one. No side effect of precheck goes past this
 * file.
 */

/** What an entry of a directory is, the last symlink not followed. */
export type EntryKind = 'file' | 'directory' | 'symlink' | 'other';

export interface EntryStatus {
  readonly kind: EntryKind;
  /** Permission bits, 0 to 0o7777. */
  readonly mode: number;
  readonly sizeBytes: number;
  /** Number of the device that holds the entry; btrfs has one for each subvolume. */
  readonly device: number;
  readonly owner: Owner;
  /** False: not ours, so that the kernel may refuse a second name (fs.protected_hardlinks). */
  readonly linkable: boolean;
}

export interface Owner {
  readonly userId: number;
  readonly groupId: number;
}

/**
 * The mode that a directory has from mkdir(2), which the umask cuts, until chmod(2): with a sticky
 * bit that nobody else gives to a directory of one user. Who finds one knows that whoever made it
 * was cut off in between.
 */
export const halfMadeMode = 0o1700;

export function isHalfMade({ kind, mode }: Pick<EntryStatus, 'kind' | 'mode'>): boolean {
  // the set-group-ID bit is inherited from the directory around it
  return kind === 'directory' && (mode & ~0o2000) === halfMadeMode;
}

export interface CopyOptions {
  /** Permission bits of the copy, from those of the source. */
  readonly modeFor: (sourceMode: number) => number;
  /** Sees every byte that was written, in order. Throwing ends the copy. */
  readonly observe: (chunk: Uint8Array) => void;
  /** Extended attributes of the copy, values in hex; refused with the operation `setxattr`. */
  readonly xattrs?: Readonly<Record<string, string>>;
}

/**
 * The state root as a disk of durable operations. Paths are relative to the state root, without
 * `.`, `..` or symlinks: an operation never follows a symlink and never leaves the state root.
 * Synchronous: a oneshot overlaps nothing, and every point at which the power may fail is a point
 * between two calls. All throw `DiskError`, and nothing else.
 */
export interface Disk {
  /**
   * The whole file; undefined when absent. Refuses (EFBIG) a file over the limit before reading it.
   */
  readFile(path: string, limitBytes: number): Uint8Array | undefined;
  /** Reads a regular file of any size once, in order. False when absent. */
  scanFile(path: string, observe: (chunk: Uint8Array) => void): boolean;
  status(path: string): EntryStatus | undefined;
  /**
   * Number of the mount that the entry is seen through, the last symlink not followed; undefined
   * when absent. No rename or link leads from one mount to another, be they of one filesystem.
   */
  mountId(path: string): number | undefined;
  /** Names in a directory, sorted; undefined when absent. */
  list(path: string): readonly string[] | undefined;
  /**
   * The path with every symlink followed, again relative to the state root; entries that do not
   * exist yet stay as they are. Undefined when it leads outside, in a circle, or through a dangling
   * link.
   */
  resolve(path: string): string | undefined;
  freeBytes(): number;

  /**
   * A new file with exactly these bytes, its content durable; its name is so after `syncDirectory`.
   */
  createFile(path: string, bytes: Uint8Array, mode: number): void;
  /** As `createFile`, from a regular file that is opened once and read once. Returns its size. */
  copyFile(from: string, to: string, options: CopyOptions): number;
  /** Durable, as the content of a file is. */
  changeOwner(path: string, owner: Owner): void;
  /** Takes these permission bits away from a file or a directory; durable. Never gives any. */
  removeRights(path: string, bits: number): void;
  /**
   * With exactly this mode, whatever the umask and the directory around it; it is durable after
   * `syncDirectory` of the new one. One that `isHalfMade` is finished, any other entry is EEXIST.
   */
  createDirectory(path: string, mode: number): void;
  /** A second name for a file. */
  link(from: string, to: string): void;
  /** Replaces a file at `to`; a directory there must be empty. */
  rename(from: string, to: string): void;
  removeFile(path: string): void;
  removeDirectory(path: string): void;
  /** Makes the names in this directory durable. */
  syncDirectory(path: string): void;
  /** Whether this name still leads to the directory that was opened as the root. */
  isAt(path: string): boolean;
  close(): void;
}

/** A disk operation that the machine refused. */
export class DiskError extends Error {
  override readonly name = 'DiskError';
  readonly operation: string;
  readonly path: string;
  /**
   * Errno name, such as `ENOSPC`. `ESHORT`: fewer bytes on disk than written. `ECHANGED`: the file
   * changed while it was read. `ENOPROC`: /proc is not mounted, through which a disk is seen.
   */
  readonly errno: string;

  constructor(operation: string, path: string, errno: string, cause?: unknown) {
    super(`${operation} ${path}: ${errno}`, cause === undefined ? undefined : { cause });
    this.operation = operation;
    this.path = path;
    this.errno = errno;
  }
}

/** The directory that is to be the state root, looked at before it is trusted. */
export interface DirectoryReport {
  /** Every symlink followed. */
  readonly canonicalPath: string;
  readonly isDirectory: boolean;
  readonly mode: number;
  /** User id. */
  readonly owner: number;
  readonly ownedByUsOrRoot: boolean;
  readonly access: 'writable' | 'read_only_mount' | 'denied';
}

export interface Mount {
  readonly mountId: number;
  /** Of the mount on which this one lies; not in the table for the topmost. */
  readonly parentId: number;
  /** `major:minor`, as the kernel prints it. */
  readonly device: string;
  /** The directory of the filesystem that is seen at the mount point; of btrfs by subvolumes. */
  readonly tree: string;
  readonly mountPoint: string;
  readonly fsType: string;
  readonly source: string;
  readonly readOnly: boolean;
  readonly noExec: boolean;
  /** The line of /proc/self/mountinfo, to be quoted. */
  readonly line: string;
}

export interface BlockDevice {
  readonly device: string;
  readonly path: string;
}

export interface Clock {
  /** Milliseconds since 1970, as the machine believes. May be wrong by decades. */
  wallMilliseconds(): number;
  /** Nanoseconds, only ever growing; measures durations. */
  monotonicNanoseconds(): bigint;
  sleep(milliseconds: number): void;
}

export interface OperatingSystem {
  /** Raw bytes of a file of the OS image, as `Host.readFile`. */
  readImageFile(path: string, limitBytes: number): Uint8Array | undefined;
  /** Names in a directory of the OS image, sorted; undefined when absent. Throws `DiskError`. */
  listImageDirectory(path: string): readonly string[] | undefined;
  /** When a file of the OS was last modified, ms; undefined when absent. Throws `DiskError`. */
  modifiedAt(path: string): number | undefined;
  /** Differs from boot to boot. Throws `DiskError`. */
  bootId(): string;
  /** `uname().release`. */
  kernelRelease(): string;
  /** What the boot loader passed to the kernel, one line. Throws `DiskError`. */
  kernelCommandLine(): string;
  /** Text of an EFI variable, `Name-vendor-uuid`; undefined when absent. Throws `DiskError`. */
  efiVariable(name: string): string | undefined;
  /** As `process.arch`. */
  architecture(): string;
  /** In the order of the kernel: of several on one point the last is on top. */
  mounts(): readonly Mount[];
  /** `st_dev` of what is there; btrfs has one for each subvolume. Throws `DiskError`. */
  fileSystemNumber(path: string): number;
  /**
   * The block device with this UUID, label or path, symlinks followed: `major:minor` and path;
   * undefined when there is none. Throws `DiskError`.
   */
  blockDevice(by: 'uuid' | 'label' | 'path', value: string): BlockDevice | undefined;
}

export interface ToolResult {
  /** Undefined when the tool could not be started, or did not end in time. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  /** The first line of what it complained of. */
  readonly problem: string;
}

/** Other programs and services of the machine; precheck itself asks none of them. */
export interface Tools {
  /**
   * Without a shell. Past the limit it is killed, and whatever it has started with it; nothing that
   * it does holds the caller longer than a second more.
   */
  run(command: string, args: readonly string[], timeoutMilliseconds: number): Promise<ToolResult>;
  /** The HTTP status of a GET, through no proxy; the reason as text where there is none. */
  httpStatus(url: string, timeoutMilliseconds: number): Promise<number | string>;
}

/** Held until released or until the process dies; the kernel frees it then. */
export interface HeldLock {
  release(): void;
}

export interface Host {
  readonly clock: Clock;
  readonly system: OperatingSystem;
  /**
   * A regular file by absolute path, wherever it lies, symlinks followed; undefined when absent.
   * Throws `DiskError`: `EISDIR` for a directory, `EINVAL` for a pipe, a device or a socket, which
   * is not opened.
   */
  readFile(path: string, limitBytes: number): Uint8Array | undefined;
  /** Names in a directory by absolute path, sorted; undefined when absent. Throws `DiskError`. */
  listDirectory(path: string): readonly string[] | undefined;
  /** Undefined when nothing is there. */
  inspectDirectory(path: string): DirectoryReport | undefined;
  /** What a symlink says, by absolute path; undefined for any other entry, and for none. */
  readLink(path: string): string | undefined;
  /** Permission bits of a file by absolute path; undefined when absent. Throws `DiskError`. */
  fileMode(path: string): number | undefined;
  openDisk(canonicalPath: string): Disk;
  /** Loads what only writing and locking need: to be awaited before the first of them. */
  prepareToWrite(): Promise<void>;
  /** One attempt, no waiting: undefined when another live process holds it. */
  tryLock(canonicalPath: string, visibleLock: string): HeldLock | undefined;
  /**
   * Whether a live process holds the lock; looks, and takes nothing. Asked after `prepareToWrite`.
   * Throws `LockUnavailable` where `tryLock` would.
   */
  isLocked(canonicalPath: string): boolean;
}

/** Neither flock(1) nor anything in its place: the state root cannot be locked. */
export class LockUnavailable extends Error {
  override readonly name = 'LockUnavailable';
}
