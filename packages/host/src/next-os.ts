/**
 * The machine as it will be when it has booted another OS: that OS's files, kernel and
 * architecture; state root, clock and disks are those of now.
 */
import { DiskError, type Host, type Mount } from './host.ts';
import { linuxHost, resolveInside } from './linux-host.ts';
import { isWithin, mountOf } from './linux-mounts.ts';

export interface NextOs {
  /** Where it is mounted. Undefined: only its os-release file is known. */
  readonly root: string | undefined;
  /** Path of an os-release file that stands for both of the OS. */
  readonly osRelease: string | undefined;
  readonly kernelRelease: string;
  /** As `process.arch`; undefined: that of this machine. */
  readonly architecture: string | undefined;
}

/** Gone with the OS, wherever they are mounted. */
const passing = new Set('tmpfs ramfs overlay squashfs erofs rootfs devtmpfs proc sysfs'.split(' '));

/** On a partition of its own beside the root: it is there under the next OS as well. */
function isKeptMount(path: string, mounts: readonly Mount[]): boolean {
  const mount = mountOf(path, mounts);
  const root = mountOf('/', mounts);
  return mount !== undefined && mount.mountId !== root?.mountId && !passing.has(mount.fsType);
}

/** Files below `kept` are those of now, as are those on other partitions than the root's. */
export function nextOsHost(next: NextOs, kept: readonly string[]): Host {
  const { root = '/', osRelease, kernelRelease, architecture } = next;
  const now = linuxHost();
  const host = linuxHost({
    osRoot: root.replace(/\/+$/, '') || '/',
    kernelRelease,
    kernelCommandLine: '', // what the boot loader will pass is not known
    ...(architecture === undefined ? {} : { architecture }),
  });
  const there = (path: string): string => {
    const stays = root === '/' || kept.some((place) => isWithin(path, place));
    return stays || isKeptMount(path, now.system.mounts()) ? path : resolveInside(root, path);
  };
  return {
    ...host,
    readFile: (path, limitBytes) => now.readFile(there(path), limitBytes),
    listDirectory: (path) => now.listDirectory(there(path)),
    fileMode: (path) => now.fileMode(there(path)),
    inspectDirectory: (path) => now.inspectDirectory(there(path)),
    system: {
      ...host.system,
      bootId: () => 'the next boot', // none that is on record
      readImageFile(path, limitBytes) {
        const isOsRelease = path === '/etc/os-release' || path === '/usr/lib/os-release';
        if (osRelease === undefined || !isOsRelease) {
          return host.system.readImageFile(path, limitBytes);
        }
        const bytes = now.readFile(osRelease, limitBytes);
        if (!bytes) throw new DiskError('read', osRelease, 'ENOENT');
        return bytes;
      },
    },
  };
}
