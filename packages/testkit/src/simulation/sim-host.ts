/** A machine in memory around a `SimDisk`: one OS, one clock, one lock that is always free. */
import type { Host } from '@edged/host/host';
import type { SimDisk } from './sim-disk.ts';

export interface SimOs {
  readonly osRelease: string;
  readonly kernelRelease: string;
  /** What the clock shows at boot, milliseconds since 1970. */
  readonly wallMilliseconds: number;
}

export const simRoot = '/data/edged';

const mount = {
  mountId: 2,
  parentId: 1,
  device: '8:2',
  tree: '/',
  mountPoint: '/data',
  fsType: 'ext4',
  source: '/dev/sda2',
  readOnly: false,
  noExec: false,
  line: '2 1 8:2 / /data rw - ext4 /dev/sda2 rw',
};
const rootMount = {
  ...mount,
  mountId: 1,
  parentId: 0,
  device: '8:1',
  mountPoint: '/',
  source: '/dev/sda1',
};

/** `files` are those outside the state root, by absolute path. */
export function simHost(disk: SimDisk, os: SimOs, files: ReadonlyMap<string, Uint8Array>): Host {
  let nanoseconds = 0n;
  const osRelease = new TextEncoder().encode(os.osRelease);
  return {
    clock: {
      wallMilliseconds: () => os.wallMilliseconds,
      monotonicNanoseconds: () => (nanoseconds += 1_000_000n),
      sleep: () => undefined,
    },
    system: {
      readImageFile: () => osRelease,
      listImageDirectory: () => undefined,
      modifiedAt: () => undefined,
      bootId: () => String(os.wallMilliseconds),
      kernelRelease: () => os.kernelRelease,
      kernelCommandLine: () => '',
      efiVariable: () => undefined,
      architecture: () => 'x64',
      mounts: () => [rootMount, mount],
      fileSystemNumber: () => 0,
      blockDevice: () => undefined,
    },
    readFile: (path, limitBytes) =>
      path.startsWith(`${simRoot}/`)
        ? disk.readFile(path.slice(simRoot.length + 1), limitBytes)
        : files.get(path),
    listDirectory: () => undefined,
    inspectDirectory: (path) => {
      const inside = path === simRoot ? '' : path.slice(simRoot.length + 1);
      const isInside = path === simRoot || path.startsWith(`${simRoot}/`);
      if (!isInside || disk.status(inside)?.kind !== 'directory') return undefined;
      const common = { canonicalPath: path, isDirectory: true, ownedByUsOrRoot: true } as const;
      return { ...common, owner: 0, mode: 0o755, access: 'writable' };
    },
    readLink: () => undefined,
    fileMode: () => undefined,
    openDisk: () => disk,
    prepareToWrite: async () => undefined,
    tryLock: () => ({ release: () => undefined }),
    isLocked: () => false,
  };
}
