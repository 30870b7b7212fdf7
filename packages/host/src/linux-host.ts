/** The real machine. Reads no environment variable: what may vary comes as an argument. */
import fs from 'node:fs';
import os from 'node:os';
import {
  type BlockDevice,
  type Clock,
  type DirectoryReport,
  DiskError,
  type Host,
  type Mount,
  type OperatingSystem,
} from './host.ts';
import { openLinuxDisk, readUpTo, withDescriptor } from './linux-disk.ts';
import { parseMountInfo } from './linux-mounts.ts';
import { loadWriting, writing } from './writing.ts';

/** Parts of the machine that a caller may put in the place of the real ones. */
export interface HostOverrides {
  /** Directory under which the files of the OS are read; default `/`. */
  readonly osRoot?: string;
  readonly kernelRelease?: string;
  /** As `process.arch`. */
  readonly architecture?: string;
  readonly kernelCommandLine?: string;
  /** Directory of efivarfs. */
  readonly efiVariables?: string;
}

export function linuxHost(overrides: HostOverrides = {}): Host {
  return {
    clock: linuxClock,
    system: linuxSystem(overrides),
    readFile,
    listDirectory,
    inspectDirectory,
    readLink: linkTarget,
    fileMode,
    openDisk: openLinuxDisk,
    prepareToWrite: loadWriting,
    tryLock: (stateRoot, visibleLock) => writing().tryLinuxLock(stateRoot, visibleLock),
    isLocked: (stateRoot) => writing().isLinuxLocked(stateRoot, readMounts()),
  };
}

const linuxClock: Clock = {
  wallMilliseconds: () => Date.now(),
  monotonicNanoseconds: () => process.hrtime.bigint(),
  sleep: (milliseconds) => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
  },
};

function linuxSystem({
  osRoot = '/',
  kernelRelease = os.release(),
  kernelCommandLine,
  architecture = process.arch,
  efiVariables = '/sys/firmware/efi/efivars',
}: HostOverrides): OperatingSystem {
  const inImage = (path: string): string => (osRoot === '/' ? path : resolveInside(osRoot, path));
  return {
    readImageFile: (path, limitBytes) => readFile(inImage(path), limitBytes),
    listImageDirectory: (path) => listDirectory(inImage(path)),
    modifiedAt: (path) => modifiedAt(inImage(path)),
    bootId,
    kernelRelease: () => kernelRelease,
    kernelCommandLine: () => kernelCommandLine ?? readLine('/proc/cmdline'),
    efiVariable: (name) => readEfiVariable(`${efiVariables}/${name}`),
    architecture: () => architecture,
    mounts: readMounts,
    fileSystemNumber,
    blockDevice,
  };
}

/** As the kernel allows at most on one way (path_resolution(7)). */
const mostSymlinks = 40;

/**
 * Where a path of an OS lies that is mounted at `root`: its symlinks are followed as that OS would
 * follow them, so that an absolute one stays inside. What does not exist stays as it is. Throws
 * `DiskError` ELOOP: a link that is not followed here, the kernel would follow to the outside.
 */
export function resolveInside(root: string, path: string): string {
  const todo = path.split('/');
  const done: string[] = [];
  let left = mostSymlinks;
  for (let name = todo.shift(); name !== undefined; name = todo.shift()) {
    if (name === '' || name === '.') continue;
    if (name === '..') {
      done.pop();
      continue;
    }
    const target = linkTarget([root, ...done, name].join('/'));
    if (target === undefined) {
      done.push(name);
      continue;
    }
    if (left === 0) throw new DiskError('resolve', path, 'ELOOP');
    left -= 1;
    if (target.startsWith('/')) done.length = 0;
    todo.unshift(...target.split('/'));
  }
  return [root, ...done].join('/');
}

function linkTarget(path: string): string | undefined {
  try {
    return fs.readlinkSync(path);
  } catch {
    return undefined; // no link, or nothing there: what reads it will say so
  }
}

function readFile(path: string, limitBytes: number): Uint8Array | undefined {
  try {
    // before it is opened: a device may take that for an order, a pipe reads like an empty file
    requireRegularFile(fs.statSync(path));
    const flags = fs.constants.O_RDONLY | fs.constants.O_NONBLOCK;
    return withDescriptor(fs.openSync(path, flags), (fd) => {
      requireRegularFile(fs.fstatSync(fd));
      return readUpTo(fd, limitBytes);
    });
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code;
    if (errno === 'ENOENT') return undefined;
    throw new DiskError('read', path, errno ?? 'EIO', error);
  }
}

function requireRegularFile(stats: fs.Stats): void {
  if (stats.isFile()) return;
  const code = stats.isDirectory() ? 'EISDIR' : 'EINVAL';
  throw Object.assign(new Error('no regular file'), { code });
}

function listDirectory(path: string): readonly string[] | undefined {
  try {
    return fs.readdirSync(path).sort();
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code;
    if (errno === 'ENOENT') return undefined;
    throw new DiskError('list', path, errno ?? 'EIO', error);
  }
}

function modifiedAt(path: string): number | undefined {
  try {
    return fs.statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  } catch (error) {
    throw new DiskError('stat', path, (error as NodeJS.ErrnoException).code ?? 'EIO', error);
  }
}

function fileMode(path: string): number | undefined {
  try {
    const mode = fs.statSync(path, { throwIfNoEntry: false })?.mode;
    return mode === undefined ? undefined : mode & 0o7777;
  } catch (error) {
    throw new DiskError('stat', path, (error as NodeJS.ErrnoException).code ?? 'EIO', error);
  }
}

function bootId(): string {
  return readLine('/proc/sys/kernel/random/boot_id');
}

/** Four bytes of attributes, then UTF-16 with a NUL at its end. */
function readEfiVariable(path: string): string | undefined {
  const bytes = readFile(path, 64 * 1024);
  return bytes && Buffer.from(bytes.subarray(4)).toString('utf16le').replace(/\0+$/, '');
}

function readLine(path: string): string {
  const bytes = readFile(path, 64 * 1024);
  if (!bytes) throw new DiskError('read', path, 'ENOENT');
  return Buffer.from(bytes).toString().trim();
}

function readMounts(): Mount[] {
  const path = '/proc/self/mountinfo';
  try {
    return parseMountInfo(fs.readFileSync(path, 'utf8'));
  } catch (error) {
    throw new DiskError('read', path, (error as NodeJS.ErrnoException).code ?? 'EIO', error);
  }
}

function fileSystemNumber(path: string): number {
  try {
    return fs.statSync(path).dev;
  } catch (error) {
    throw new DiskError('stat', path, (error as NodeJS.ErrnoException).code ?? 'EIO', error);
  }
}

/** udev writes ASCII that does not suit a file name as \xNN, and leaves other UTF-8 as it is. */
export function udevName(value: string): string {
  return value.replace(/[^\w#+\-.:=@\u0080-\u{10ffff}]/gu, (character) => {
    const digits = character.charCodeAt(0).toString(16).padStart(2, '0');
    return `\\x${digits}`;
  });
}

function blockDevice(by: 'uuid' | 'label' | 'path', value: string): BlockDevice | undefined {
  if (by === 'path' && !value.startsWith('/')) return undefined; // a pool, or no disk at all
  try {
    const link = by === 'path' ? value : `/dev/disk/by-${by}/${udevName(value)}`;
    const path = fs.realpathSync.native(link);
    const stats = fs.statSync(path);
    if (!stats.isBlockDevice()) return undefined;
    const { rdev } = stats;
    // glibc's encoding of major and minor
    const major = ((rdev >>> 8) & 0xfff) | (Math.floor(rdev / 2 ** 32) & ~0xfff);
    const minor = (rdev & 0xff) | ((rdev >>> 12) & ~0xff);
    return { device: `${major}:${minor}`, path };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new DiskError('stat', value, (error as NodeJS.ErrnoException).code ?? 'EIO', error);
  }
}

function inspectDirectory(path: string): DirectoryReport | undefined {
  try {
    const canonicalPath = fs.realpathSync.native(path);
    const stats = fs.statSync(canonicalPath);
    return {
      canonicalPath,
      isDirectory: stats.isDirectory(),
      mode: stats.mode & 0o7777,
      owner: stats.uid,
      ownedByUsOrRoot: stats.uid === 0 || stats.uid === process.geteuid?.(),
      access: accessTo(canonicalPath),
    };
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code;
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return undefined;
    throw new DiskError('stat', path, errno ?? 'EIO', error);
  }
}

function accessTo(path: string): DirectoryReport['access'] {
  try {
    fs.accessSync(path, fs.constants.W_OK | fs.constants.X_OK);
    return 'writable';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EROFS' ? 'read_only_mount' : 'denied';
  }
}
