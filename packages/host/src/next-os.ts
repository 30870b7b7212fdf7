/**
 * The machine as it will be when it has booted another OS: that OS's files, kernel and
 * architecture; state root, clock and disks are those of now.
 */
import { type Host, DiskError } from './host.ts';
import { linuxHost, resolveInside } from './linux-host.ts';

export interface NextOs {
  /** Where it is mounted. Undefined: only its os-release file is known. */
  readonly root: string | undefined;
  /** Path of an os-release file that stands for both of the OS. */
  readonly osRelease: string | undefined;
  readonly kernelRelease: string;
  /** As `process.arch`; undefined: that of this machine. */
  readonly architecture: string | undefined;
}

/** Files below `kept` are those of now: the state root survives. */
export function nextOsHost(next: NextOs, kept: string): Host {
  const { root = '/', osRelease, kernelRelease, architecture } = next;
  const now = linuxHost();
  const host = linuxHost({
    osRoot: root.replace(/\/+$/, '') || '/',
    kernelRelease,
    kernelCommandLine: '', // what the boot loader will pass is not known
    ...(architecture === undefined ? {} : { architecture }),
  });
  const there = (path: string): string => {
    const stays = root === '/' || path === kept || path.startsWith(`${kept}/`);
    return stays ? path : resolveInside(root, path);
  };
  return {
    ...host,
    readFile: (path, limitBytes) => now.readFile(there(path), limitBytes),
    listDirectory: (path) => now.listDirectory(there(path)),
    fileMode: (path) => now.fileMode(there(path)),
    inspectDirectory: (path) => now.inspectDirectory(there(path)),
    system: {
      ...host.system,
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
