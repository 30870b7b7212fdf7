/**
 * The first gate: is this directory a state root that survives an OS replacement, and is it ours
 * alone (spec section 2, exit 2)? Writes nothing.
 */
import { posix } from 'node:path';
import {
  type BlockDevice,
  type DirectoryReport,
  type Disk,
  DiskError,
  type HeldLock,
  type Host,
  LockUnavailable,
  type Mount,
} from '@edged/host/host';
import { isWithin, mountOf } from '@edged/host/linux-mounts';
import { PrecheckError } from '@edged/model/failure';
import { layout } from '@edged/model/layout';
import { asFailure, diskDetail, refusingAs, stated } from './disk-failure.ts';
import type { Report } from '../event.ts';
import { silentMountOn } from './silent-mount.ts';

export interface StateRootOrder {
  readonly path: string;
  /** EDGE_STATE_ROOT_SKIP_MOUNT_CHECK=1. The pins below are not skipped. */
  readonly skipMountCheck: boolean;
  readonly allowRootFilesystem: boolean;
  readonly expectedUuid?: string;
  readonly expectedLabel?: string;
  /** How long to wait for another live precheck. */
  readonly lockWaitMilliseconds: number;
}

export interface StateRoot {
  /** Every symlink followed. */
  readonly path: string;
  /** The absolute names the state root goes by: as given, and canonical. */
  readonly names: readonly string[];
  readonly disk: Disk;
  readonly mountCheckSkipped: boolean;
  /** On a read-only mount nothing can be repaired or reconstructed. */
  readonly readOnly: boolean;
  readonly locked: () => boolean;
  /**
   * Waits for another live precheck, as long as the order says or this; throws `state_root.locked`,
   * `state_root.read_only`.
   */
  readonly lock: (waitMilliseconds?: number) => void;
  /** Releases the lock and closes the disk. Never changes a verdict. */
  readonly close: () => void;
}

const persistentFilesystems = new Set(
  'ext2 ext3 ext4 xfs btrfs f2fs zfs bcachefs ubifs jffs2'.split(' '),
);
/** Several trees of one such filesystem share a device: same device does not mean same tree. */
const manyTreeFilesystems = new Set(['btrfs', 'zfs', 'bcachefs']);

const lockPollMilliseconds = 20;

export function openStateRoot(order: StateRootOrder, host: Host, report: Report): StateRoot {
  return refusingAs('state_root.io_error', {}, () => {
    const { path, skipMountCheck } = order;
    if (skipMountCheck) report('edge.state_root.mount_check_skipped', { state_root: path });
    refuseSilentMount(order, host);
    const { canonicalPath, access } = requireDirectory(path, host);
    requirePersistentMount(order, canonicalPath, host);
    if (access === 'denied') {
      throw new PrecheckError('state_root.not_writable', { state_root: path });
    }
    const where = { state_root: order.path };
    const readOnly = access === 'read_only_mount';
    const mountLine = readOnly ? (mountOf(canonicalPath, host.system.mounts())?.line ?? '') : '';
    if (readOnly) report('edge.state_root.read_only', { mount: mountLine });
    const disk = openDisk(canonicalPath, host);
    let held: HeldLock | undefined;
    return {
      path: canonicalPath,
      names: [...new Set([trimSlash(path), canonicalPath])],
      disk,
      mountCheckSkipped: skipMountCheck,
      readOnly,
      locked: () => held !== undefined,
      lock(waitMilliseconds = order.lockWaitMilliseconds) {
        if (readOnly) throw new PrecheckError('state_root.read_only', { mount: mountLine });
        held ??= waitForLock(canonicalPath, waitMilliseconds, host, report);
        // renamed or mounted over since: the lock would be of another tree than what is written
        if (!disk.isAt(canonicalPath)) throw new PrecheckError('state_root.replaced', where);
      },
      close() {
        disk.close();
        if (held) release(held, report);
      },
    };
  });
}

/**
 * A filesystem that cannot hold a state root and may never answer is refused for its type. Asked
 * before anything in the state root is looked at, by whoever does so.
 */
export function refuseSilentMount(
  { path, skipMountCheck }: Pick<StateRootOrder, 'path' | 'skipMountCheck'>,
  host: Host,
): void {
  if (skipMountCheck || !path.startsWith('/')) return;
  // without a mount table there is a refusal of its own, behind those of the directory
  const mount = stated(() => silentMountOn(path, host));
  if (mount) requirePersistentFilesystem(path, mount);
}

function openDisk(path: string, host: Host): Disk {
  try {
    return host.openDisk(path);
  } catch (error) {
    if (!(error instanceof DiskError) || error.errno !== 'ENOPROC') throw error;
    throw new PrecheckError('state_root.proc_missing', { state_root: path }, error);
  }
}

/** What precheck asks of the directory itself; whether it is writable is told, not asked. */
export function requireDirectory(path: string, host: Host): DirectoryReport {
  const where = { state_root: path };
  if (!path.startsWith('/')) throw new PrecheckError('state_root.not_absolute', where);
  const found = host.inspectDirectory(path);
  if (!found) throw new PrecheckError('state_root.missing', where);
  const { canonicalPath, isDirectory, mode, owner, ownedByUsOrRoot } = found;
  if (!isDirectory) throw new PrecheckError('state_root.not_a_directory', where);
  if (canonicalPath === '/') throw new PrecheckError('state_root.is_filesystem_root', where);
  if (!ownedByUsOrRoot) throw new PrecheckError('state_root.wrong_owner', { ...where, owner });
  if (mode & 0o002) {
    throw new PrecheckError('state_root.world_writable', {
      ...where,
      mode: `0${mode.toString(8)}`,
    });
  }
  return found;
}

/** Where the mount check is skipped, the pins of the disk are asked all the same. */
export function requirePersistentMount(order: StateRootOrder, path: string, host: Host): void {
  const isPinned = (order.expectedUuid ?? order.expectedLabel) !== undefined;
  if (order.skipMountCheck && !isPinned) return;
  const mounts = readMounts(path, host);
  const mount = requireMount(path, path, mounts);
  if (!order.skipMountCheck) requirePersistentFilesystem(path, mount);
  if (!order.skipMountCheck && !order.allowRootFilesystem) {
    // a process in a chroot may see no mount at /
    const root = requireMount('/', path, mounts);
    if (isSameTree(path, mount, root, host)) {
      const where = { state_root: path, mount: mount.line };
      throw new PrecheckError('state_root.on_root_filesystem', where);
    }
  }
  requireExpectedDisk(order, mount, host);
}

function readMounts(path: string, { system }: Host): readonly Mount[] {
  try {
    return system.mounts();
  } catch (error) {
    // the kernel has always had a table where there is a /proc
    const isThere = !(error instanceof DiskError) || error.errno !== 'ENOENT';
    if (isThere) throw asFailure('state_root.mounts_unreadable', error);
    throw new PrecheckError('state_root.proc_missing', { state_root: path }, error);
  }
}

function requireMount(of: string, stateRoot: string, mounts: readonly Mount[]): Mount {
  const mount = mountOf(of, mounts);
  if (mount) return mount;
  throw new PrecheckError('state_root.mounts_unreadable', { state_root: stateRoot });
}

function requirePersistentFilesystem(path: string, { fsType, line }: Mount): void {
  if (persistentFilesystems.has(fsType)) return;
  throw new PrecheckError('state_root.ephemeral_filesystem', {
    state_root: path,
    mount: line,
    filesystem: fsType,
    allowed: [...persistentFilesystems].join(' '),
  });
}

/**
 * Whether an OS replacement that wipes what is mounted at `/` wipes the path as well: also where a
 * bind mount, such as systemd's ReadWritePaths= makes, gives a directory of it a mount of its own.
 * A subvolume inside the tree is a tree of its own; bcachefs does not tell it from a directory.
 */
function isSameTree(path: string, mount: Mount, root: Mount, { system }: Host): boolean {
  if (mount.mountId === root.mountId) return true;
  if (mount.device !== root.device) return false;
  if (!manyTreeFilesystems.has(mount.fsType)) return true;
  const isSameSubvolume = system.fileSystemNumber(path) === system.fileSystemNumber('/');
  return isSameSubvolume && isWithin(placeInFilesystem(path, mount), root.tree);
}

/** Where the path lies seen from the top of its file system, whichever tree of it is mounted. */
function placeInFilesystem(path: string, { mountPoint, tree }: Mount): string {
  return posix.join(tree, posix.relative(mountPoint, path));
}

function requireExpectedDisk(order: StateRootOrder, mount: Mount, host: Host): void {
  for (const [by, value] of [
    ['uuid', order.expectedUuid],
    ['label', order.expectedLabel],
  ] as const) {
    if (value === undefined) continue;
    const expected = host.system.blockDevice(by, value);
    if (expected && isMounted(expected, mount, host)) continue;
    const found = `${mount.source} (${mount.device})`;
    const wanted = expected ? `${expected.path} (${expected.device})` : 'no such disk attached';
    throw new PrecheckError('state_root.wrong_disk', { [by]: value, expected: wanted, found });
  }
}

/** A mount of btrfs has a number of its own; its source may be one name of many (LUKS, LVM). */
function isMounted({ device }: BlockDevice, mount: Mount, { system }: Host): boolean {
  return device === mount.device || device === system.blockDevice('path', mount.source)?.device;
}

function waitForLock(path: string, waitMilliseconds: number, host: Host, report: Report): HeldLock {
  const started = host.clock.monotonicNanoseconds();
  let announced = false;
  for (;;) {
    const held = tryLock(path, host);
    if (held) return held;
    const waited = Number((host.clock.monotonicNanoseconds() - started) / 1_000_000n);
    if (waited >= waitMilliseconds) {
      throw new PrecheckError('state_root.locked', {
        state_root: path,
        waited_seconds: waited / 1000,
      });
    }
    if (!announced) report('edge.state_root.lock_waiting', { state_root: path });
    announced = true;
    host.clock.sleep(lockPollMilliseconds);
  }
}

function tryLock(path: string, host: Host): HeldLock | undefined {
  try {
    return host.tryLock(path, layout.lock);
  } catch (error) {
    if (!(error instanceof LockUnavailable)) throw error;
    throw new PrecheckError('state_root.lock_unavailable', { found: error.message }, error);
  }
}

/** The kernel lets go of it in any case; the visible lock is removed by its next holder. */
function release(held: HeldLock, report: Report): void {
  try {
    held.release();
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    report('edge.state_root.lock_left', diskDetail(error));
  }
}

function trimSlash(path: string): string {
  return path.replace(/\/+$/, '');
}
