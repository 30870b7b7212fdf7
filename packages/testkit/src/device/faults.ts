/**
 * Faults put between precheck and the real machine, for what cannot be arranged on every machine.
 */
import { type Disk, DiskError, type Host } from '@edged/host/host';

/** A host whose disk answers as told. */
export function withDisk(
  change: (disk: Disk, path: string) => Partial<Disk>,
): (host: Host) => Host {
  return (host) => ({
    ...host,
    openDisk: (path) => {
      const disk = host.openDisk(path);
      return overlay(disk, change(disk, path));
    },
  });
}

/**
 * The n-th call (from 0) of a disk operation fails with this errno, and every later one where the
 * fault stays; `happened` tells whether it did.
 */
export function failing(
  operation: 'createFile' | 'copyFile' | 'rename' | 'syncDirectory' | 'link' | 'removeFile',
  errno: string,
  at: number,
  stays = false,
): { readonly wrapHost: (host: Host) => Host; readonly happened: () => boolean } {
  let calls = 0;
  let happened = false;
  const wrapHost = withDisk((disk) => ({
    [operation]: (...args: unknown[]) => {
      const call = calls++;
      if (call === at || (stays && call > at)) {
        happened = true;
        throw new DiskError(operation, String(args[0]), errno);
      }
      return (disk[operation] as (...all: unknown[]) => unknown).apply(disk, args);
    },
  }));
  return { wrapHost, happened: () => happened };
}

const changing = [
  'createFile',
  'copyFile',
  'rename',
  'syncDirectory',
  'link',
  'removeFile',
] as const;

/** From the n-th rename (from 0) on the disk takes no change any more: as cut off there. */
export function failingFromRename(at: number): ReturnType<typeof failing> {
  let renames = 0;
  let happened = false;
  const wrapHost = withDisk((disk) =>
    Object.fromEntries(
      changing.map((operation) => [
        operation,
        (...args: unknown[]) => {
          happened ||= operation === 'rename' && renames++ >= at;
          if (happened) throw new DiskError(operation, String(args[0]), 'EIO');
          return (disk[operation] as (...all: unknown[]) => unknown).apply(disk, args);
        },
      ]),
    ),
  );
  return { wrapHost, happened: () => happened };
}

/** All methods of the disk, some replaced. */
function overlay(disk: Disk, replaced: Partial<Disk>): Disk {
  return new Proxy(disk, {
    get(target, name) {
      const value: unknown = Reflect.get(name in replaced ? replaced : target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
