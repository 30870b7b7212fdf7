/**
 * Where a path leads, found in the mount table and without touching a filesystem that may never
 * answer: a dead network or FUSE mount holds for ever whoever asks it for a file. A boot is refused
 * for its type, before anything on it is looked at.
 */
import { posix } from 'node:path';
import type { Host, Mount } from '@edged/host/host';
import { isWithin, mountOf } from '@edged/host/linux-mounts';

/** Somebody else answers for it: another machine, or a process that may be gone. */
const ofSomebodyElse = new Set(
  (
    'nfs nfs4 cifs smbfs smb3 ncpfs 9p virtiofs ceph afs coda davfs glusterfs lustre gfs gfs2 ' +
    'ocfs2 orangefs gpfs beegfs'
  ).split(' '),
);

function mayStaySilent({ fsType }: Mount): boolean {
  return ofSomebodyElse.has(fsType) || /^fuse(?:blk)?(?:\.|$)/.test(fsType);
}

/** As the kernel follows at most on one way (path_resolution(7)). */
const mostSymlinks = 40;

/**
 * The mount of that kind that an absolute path leads to, symlinks on other mounts followed;
 * undefined when it leads to none. `/` answers: this program came from it. Throws `DiskError` when
 * the mounts cannot be read.
 */
export function silentMountOn(path: string, host: Host): Mount | undefined {
  let mounts = host.system.mounts();
  const todo = namesOf(path);
  const done: string[] = [];
  let left = mostSymlinks;
  for (let name = todo.shift(); name !== undefined; name = todo.shift()) {
    const here = posix.join('/', ...done, name);
    const mount = mountOf(posix.join(here, ...todo), mounts);
    if (mount && mount.mountPoint !== '/' && mayStaySilent(mount)) return mount;
    // above or at a mount point there is no symlink, and the way need not be touched
    const isOnWay = mounts.some(({ mountPoint }) => isWithin(mountPoint, here));
    const target = name === '..' || isOnWay ? undefined : host.readLink(here);
    // looking below an automount point has mounted something
    if (mount?.fsType === 'autofs') mounts = host.system.mounts();
    if (target !== undefined && left > 0) {
      left -= 1;
      if (target.startsWith('/')) done.length = 0;
      todo.unshift(...namesOf(target));
    } else if (name === '..') done.pop();
    else done.push(name);
  }
  return undefined;
}

function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}
