/** The mount rules over mount tables of machines that are not this one. */
import { describe, expect, test } from '@jest/globals';
import { type Disk, DiskError, type Host } from '@edged/host/host';
import { parseMountInfo } from '@edged/host/linux-mounts';
import { PrecheckError } from '@edged/model/failure';
import { type StateRootOrder, openStateRoot } from '@edged/precheck/state-root/state-root';

const order: StateRootOrder = {
  path: '/data/edged',
  skipMountCheck: false,
  allowRootFilesystem: false,
  lockWaitMilliseconds: 0,
};

function hostWith(
  mounts: string,
  disks: Record<string, { device: string; path: string }> = {},
  subvolumes: Record<string, number> = {},
): Host {
  return {
    clock: { wallMilliseconds: () => 0, monotonicNanoseconds: () => 0n, sleep: () => undefined },
    system: {
      readImageFile: () => undefined,
      listImageDirectory: () => undefined,
      modifiedAt: () => undefined,
      bootId: () => 'a boot',
      kernelRelease: () => '',
      kernelCommandLine: () => '',
      efiVariable: () => undefined,
      architecture: () => 'x64',
      mounts: () => parseMountInfo(mounts),
      fileSystemNumber: (path) => subvolumes[path] ?? 1,
      blockDevice: (by, value) => disks[`${by}=${value}`],
    },
    readFile: () => undefined,
    listDirectory: () => undefined,
    inspectDirectory: (path) => ({
      canonicalPath: path,
      isDirectory: true,
      mode: 0o755,
      owner: 0,
      ownedByUsOrRoot: true,
      access: 'writable',
    }),
    openDisk: () => ({ isAt: () => true, close: () => undefined }) as unknown as Disk,
    prepareToWrite: async () => undefined,
    tryLock: () => undefined,
    isLocked: () => false,
    readLink: () => undefined,
    fileMode: () => undefined,
  };
}

function verdict(
  mounts: string,
  changes: Partial<StateRootOrder> = {},
  host = hostWith(mounts),
): string {
  try {
    openStateRoot({ ...order, ...changes }, host, () => undefined).close();
    return 'ok';
  } catch (error) {
    if (error instanceof PrecheckError) return error.code;
    throw error;
  }
}

const root = '1 0 8:1 / / rw - ext4 /dev/sda1 rw';

describe('filesystems', () => {
  test.each('ext2 ext3 ext4 xfs btrfs f2fs zfs bcachefs ubifs jffs2'.split(' '))(
    '%s is allowed',
    (type) => {
      expect(verdict(`${root}\n2 1 8:2 / /data rw - ${type} /dev/sda2 rw`)).toBe('ok');
    },
  );

  test.each(
    'tmpfs ramfs overlay squashfs erofs rootfs proc sysfs devtmpfs nfs nfs4 cifs 9p virtiofs fuse.sshfs vfat unheard'.split(
      ' ',
    ),
  )('%s is refused', (type) => {
    expect(verdict(`${root}\n2 1 8:2 / /data rw - ${type} x rw`)).toBe(
      'state_root.ephemeral_filesystem',
    );
  });
});

describe('the mount of /', () => {
  test('is refused', () => expect(verdict(root)).toBe('state_root.on_root_filesystem'));
  test('unless allowed', () => expect(verdict(root, { allowRootFilesystem: true })).toBe('ok'));
  test('is refused in the shape of a bind mount', () => {
    expect(verdict(`${root}\n2 1 8:1 /x /data rw - ext4 /dev/sda1 rw`)).toBe(
      'state_root.on_root_filesystem',
    );
  });
  test('another subvolume of the same btrfs is another tree', () => {
    const mounts =
      '1 0 0:30 /@a / rw - btrfs /dev/sda1 rw\n2 1 0:30 /@data /data rw - btrfs /dev/sda1 rw';
    expect(verdict(mounts)).toBe('ok');
  });
  describe.each(['btrfs', 'zfs', 'bcachefs'])('on %s, as a bind mount of its own', (type) => {
    const verdictOn = (rootTree: string, tree: string, subvolume = 1): string => {
      const bind = `2 1 0:30 ${tree} /data/edged rw - ${type} /dev/sda1 rw`;
      const mounts = `1 0 0:30 ${rootTree} / rw - ${type} /dev/sda1 rw\n${bind}`;
      return verdict(mounts, {}, hostWith(mounts, {}, { '/data/edged': subvolume }));
    };
    test.each([
      ['/@', '/@/data/edged'],
      ['/', '/data/edged'],
      ['/@', '/@'],
    ])('with / at %s the directory %s is refused', (...trees) => {
      expect(verdictOn(...trees)).toBe('state_root.on_root_filesystem');
    });
    test.each([
      ['a subvolume beside it', '/@', '/@data', 2],
      ['a subvolume inside it', '/', '/@data/edged', 2],
      ['a directory beside it, as OSTree has', '/ostree/deploy/os/deploy/1.0', '/ostree/var', 1],
    ])('%s is another tree', (_what, rootTree, tree, subvolume) => {
      expect(verdictOn(rootTree, tree, subvolume)).toBe('ok');
    });
  });
  test.each([
    ['/top/@/state/sr', 1, 'state_root.on_root_filesystem'],
    ['/top/@', 1, 'state_root.on_root_filesystem'],
    ['/top/@/state/sr', 2, 'ok'],
    ['/top/@data/sr', 2, 'ok'],
    ['/top/@data', 1, 'ok'],
  ])('by way of the top of a btrfs: %s, of subvolume %d, is %s', (path, subvolume, expected) => {
    const mounts = '1 0 0:30 /@ / rw - btrfs /dev/sda1 rw\n2 1 0:30 / /top rw - btrfs /dev/sda1 rw';
    expect(verdict(mounts, { path }, hostWith(mounts, {}, { [path]: subvolume }))).toBe(expected);
  });
  test('a tmpfs over the data mount is what counts', () => {
    const mounts = `${root}\n2 1 8:2 / /data rw - ext4 /dev/sda2 rw\n3 2 0:40 / /data rw - tmpfs tmpfs rw`;
    expect(verdict(mounts)).toBe('state_root.ephemeral_filesystem');
  });
});

describe('the expected disk', () => {
  const mounts = `${root}\n2 1 8:2 / /data rw - ext4 /dev/sda2 rw`;
  const disks = {
    'uuid=right': { device: '8:2', path: '/dev/sda2' },
    'uuid=wrong': { device: '8:3', path: '/dev/sda3' },
    'label=data': { device: '8:2', path: '/dev/sda2' },
  };
  test.each([
    [{ expectedUuid: 'right' }, 'ok'],
    [{ expectedUuid: 'wrong' }, 'state_root.wrong_disk'],
    [{ expectedUuid: 'absent' }, 'state_root.wrong_disk'],
    [{ expectedLabel: 'data' }, 'ok'],
    [{ expectedUuid: 'right', expectedLabel: 'absent' }, 'state_root.wrong_disk'],
  ])('%j is %s', (pins, expected) => {
    expect(verdict(mounts, pins, hostWith(mounts, disks))).toBe(expected);
    const skipping = { ...pins, skipMountCheck: true };
    expect(verdict(mounts, skipping, hostWith(mounts, disks))).toBe(expected);
  });
});

test('the expected disk is known by each of its names', () => {
  const mounts = `${root}\n2 1 0:45 / /data rw - btrfs /dev/mapper/data rw`;
  const unlocked = { device: '254:0', path: '/dev/dm-0' };
  const other = { device: '254:1', path: '/dev/dm-1' };
  const verdictOn = (mounted?: typeof unlocked): string => {
    const disks = { 'uuid=right': unlocked, ...(mounted && { 'path=/dev/mapper/data': mounted }) };
    return verdict(mounts, { expectedUuid: 'right' }, hostWith(mounts, disks));
  };
  expect(verdictOn(unlocked)).toBe('ok');
  expect(verdictOn(other)).toBe('state_root.wrong_disk');
  expect(verdictOn()).toBe('state_root.wrong_disk');
});

test.each([
  ['of another user', { owner: 7, ownedByUsOrRoot: false }, 'state_root.wrong_owner', { owner: 7 }],
  ['world-writable', { mode: 0o777 }, 'state_root.world_writable', { mode: '0777' }],
])('a directory %s is refused, and a skipped check said', (_what, changes, code, named) => {
  const host = hostWith('');
  const inspectDirectory: Host['inspectDirectory'] = (path) => {
    const found = host.inspectDirectory(path);
    return found && { ...found, ...changes };
  };
  const reported: string[] = [];
  const report = (name: string): void => void reported.push(name);
  const skipping = { ...order, skipMountCheck: true };
  expect(() => openStateRoot(skipping, { ...host, inspectDirectory }, report)).toThrow(
    expect.objectContaining({ code, details: [expect.objectContaining(named)] }),
  );
  expect(reported).toEqual(['edge.state_root.mount_check_skipped']);
});

test('no mount table at all', () => expect(verdict('')).toBe('state_root.mounts_unreadable'));

test.each([
  [{}, 'state_root.mounts_unreadable'],
  [{ allowRootFilesystem: true }, 'ok'],
  [{ skipMountCheck: true, expectedUuid: 'right' }, 'ok'],
  [{ skipMountCheck: true, expectedUuid: 'absent' }, 'state_root.wrong_disk'],
])('in a chroot without a mount at /, with %j: %s', (changes, expected) => {
  const mounts = '30 29 8:2 / /data rw - ext4 /dev/sda2 rw';
  const disks = { 'uuid=right': { device: '8:2', path: '/dev/sda2' } };
  expect(verdict(mounts, changes, hostWith(mounts, disks))).toBe(expected);
});

describe('a lock that cannot be removed', () => {
  const failing = (error: Error): Host => ({
    ...hostWith(''),
    tryLock: () => ({
      release() {
        throw error;
      },
    }),
  });
  const lockAndClose = (error: Error): string[] => {
    const reported: string[] = [];
    const report = (name: string, attributes = {}): void => {
      reported.push(`${name} ${JSON.stringify(attributes)}`);
    };
    const stateRoot = openStateRoot({ ...order, skipMountCheck: true }, failing(error), report);
    stateRoot.lock();
    stateRoot.close();
    return reported.slice(1);
  };

  test('is said, and takes the place of no verdict', () => {
    expect(lockAndClose(new DiskError('unlock', 'bootstrap/lock', 'EIO'))).toEqual([
      'edge.state_root.lock_left {"failed_call":"unlock","file":"bootstrap/lock","errno":"EIO"}',
    ]);
  });

  test('but a defect stays a defect', () => {
    expect(() => lockAndClose(new TypeError('not a function'))).toThrow(TypeError);
  });
});
