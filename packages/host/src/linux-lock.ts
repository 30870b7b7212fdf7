/**
 * Single flight (spec I6). Two locks, one truth:
 *
 * - The truth is an exclusive flock(2) on the state root directory itself. The kernel frees it
 *   when the process dies; nothing is created, no clock is asked, namespaces do not matter. Node
 *   has no flock, so flock(1) takes it on a descriptor that it inherits and that stays ours when
 *   flock(1) ends: the lock belongs to the open file description.
 * - `proper-lockfile` is the lock that people and other tools can see. Left by a kill or a power
 *   cut it is removed by the next holder of the truth, at once: its own staleness rule compares
 *   file times with the clock, waits two seconds, lets two processes take over together, and is
 *   held for ever by a time in the future. It is never asked.
 */
import fs from 'node:fs';
import { DiskError, type HeldLock, LockUnavailable, type Mount } from './host.ts';
import { openRoot } from './linux-disk.ts';
import { mountOf } from './linux-mounts.ts';
import { type AttachedResult, runAttached } from './linux-tools.ts';
import lockfile from 'proper-lockfile';

const heldElsewhere = 1;

/** Where flock(1) is looked for: by PATH, and else where distributions put it. */
export const flockPlaces = ['flock', '/usr/bin/flock', '/bin/flock'];

/** One attempt: undefined when another process holds it. Throws `LockUnavailable`, `DiskError`. */
export function tryLinuxLock(
  stateRoot: string,
  visibleLock: string,
  places: readonly string[] = flockPlaces,
): HeldLock | undefined {
  const fd = openRoot(stateRoot);
  try {
    if (!flock(fd, places)) {
      fs.closeSync(fd);
      return undefined;
    }
    const releaseVisible = takeVisibleLock(stateRoot, `/proc/self/fd/${fd}/${visibleLock}`);
    return {
      release() {
        try {
          releaseVisible();
        } finally {
          fs.closeSync(fd);
        }
      },
    };
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

/**
 * Whether a live process holds it, from what the kernel tells (proc_locks(5), proc_pid_fdinfo(5));
 * takes nothing. A process of another PID namespace, or of another user, may be missed.
 */
export function isLinuxLocked(stateRoot: string, mounts: readonly Mount[]): boolean {
  runFlock(['--version'], flockPlaces);
  const { dev, ino } = fs.statSync(stateRoot, { bigint: true });
  // stat(2) on btrfs names another device than the kernel's list and mountinfo do; mountinfo names
  // none in a chroot whose root is no mount point
  const device = mountOf(stateRoot, mounts)?.device ?? `${majorOf(dev)}:${minorOf(dev)}`;
  const place = [...device.split(':').map((part) => hex(Number(part))), ino].join(':');
  const lock = new RegExp(`: FLOCK +ADVISORY +WRITE +\\d+ ${place} `);
  return lock.test(readProc('/proc/locks')) || openDescriptors().some((text) => lock.test(text));
}

/**
 * What the kernel says of each descriptor of each process. In a container its list leaves out a
 * lock whose taker, flock(1), has ended; here it stands by the process that has it open.
 */
function openDescriptors(): readonly string[] {
  return listProc('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => `/proc/${pid}/fdinfo`)
    .flatMap((directory) => listProc(directory).map((name) => readProc(`${directory}/${name}`)));
}

/** Empty where the kernel does not tell: then nobody can be seen to hold it. */
function readProc(file: string): string {
  try {
    return fs.readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

function listProc(directory: string): readonly string[] {
  try {
    return fs.readdirSync(directory);
  } catch {
    return [];
  }
}

/** As makedev(3) packs them. */
function majorOf(device: bigint): bigint {
  return ((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn);
}

function minorOf(device: bigint): bigint {
  return (device & 0xffn) | ((device >> 12n) & ~0xffn);
}

function hex(number: number): string {
  return number.toString(16).padStart(2, '0');
}

function flock(fd: number, places: readonly string[]): boolean {
  const result = runFlock(['-n', '-x', '3'], places, fd);
  if (result.status === 0) return true;
  const complaint = result.stderr.trim();
  if (result.status === heldElsewhere && complaint === '') return false;
  throw new LockUnavailable(`flock(1) ended with ${result.status ?? result.signal}: ${complaint}`);
}

/** Of the first place where it starts. Throws `LockUnavailable`, with what the first place said. */
function runFlock(
  args: readonly string[],
  places: readonly string[],
  descriptor?: number,
): AttachedResult {
  let cause: Error | undefined;
  for (const place of places) {
    const result = runAttached(place, args, descriptor === undefined ? {} : { descriptor });
    if (!result.error) return result;
    cause ??= result.error;
  }
  throw new LockUnavailable('flock(1) did not start', { cause });
}

/** `lockfilePath` names the lock through the held descriptor, so that no symlink redirects it. */
function takeVisibleLock(stateRoot: string, lockfilePath: string): () => void {
  const options = { lockfilePath, realpath: false, stale: 60_000, onCompromised: () => undefined };
  try {
    removeEntry(lockfilePath);
    const release = lockfile.lockSync(stateRoot, options);
    return () => removing(lockfilePath, release);
  } catch (error) {
    const errno = errnoOf(error);
    // On a full disk the visible lock cannot be made; the truth is held, and the gate that
    // measures free space has the better words for it.
    if (errno === 'ENOSPC' || errno === 'EDQUOT') return () => undefined;
    throw new DiskError('lock', lockfilePath, errno, error);
  }
}

/** Whatever it is; nothing there is fine. `fs.rmSync` of Node.js 24.0 leaves a link to nowhere. */
function removeEntry(path: string): void {
  const found = fs.lstatSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory()) fs.rmSync(path, { recursive: true });
  else if (found) fs.unlinkSync(path);
}

function removing(lockfilePath: string, release: () => void): void {
  try {
    release();
  } catch (error) {
    throw new DiskError('unlock', lockfilePath, errnoOf(error), error);
  }
}

function errnoOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'EIO';
}
