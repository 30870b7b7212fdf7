/** Over mount tables of machines that are not this one: what is found, and what is not touched. */
import { describe, expect, test } from '@jest/globals';
import type { Host } from '@edged/host/host';
import { mountOf, parseMountInfo } from '@edged/host/linux-mounts';
import { silentMountOn } from '@edged/precheck/state-root/silent-mount';

const root = '1 0 8:1 / / rw - ext4 /dev/sda1 rw';
const data = '2 1 8:2 / /data rw - ext4 /dev/sda2 rw';
const dead = (mountPoint: string, type = 'fuse.sshfs'): string =>
  `9 1 0:9 / ${mountPoint} rw - ${type} there:/x rw`;

/** A host on which whoever touches anything on mount 9 waits for ever. */
function hostWith(table: string, links: Record<string, string> = {}): Host {
  const mounts = parseMountInfo(table);
  const readLink = (path: string): string | undefined => {
    if (mountOf(path, mounts)?.mountId === 9) throw new Error(`hangs at ${path}`);
    return links[path];
  };
  return { system: { mounts: () => mounts }, readLink } as unknown as Host;
}

const found = (path: string, ...rest: Parameters<typeof hostWith>): number | undefined =>
  silentMountOn(path, hostWith(...rest))?.mountId;

describe('what may never answer', () => {
  test.each(
    'fuse fuseblk fuse.sshfs fuse.glusterfs nfs nfs4 cifs smb3 9p virtiofs ceph'.split(' '),
  )('a mount of type %s is found and not touched', (type) => {
    expect(found('/data/edged', `${root}\n${dead('/data', type)}`)).toBe(9);
    expect(found('/data/edged', `${root}\n${dead('/data/edged', type)}`)).toBe(9);
  });

  test.each('ext4 xfs btrfs zfs overlay tmpfs squashfs proc autofs vfat'.split(' '))(
    'a mount of type %s may be looked at',
    (type) => {
      const table = `${root}\n2 1 8:2 / /data rw - ${type} /dev/sda2 rw`;
      expect(found('/data/edged', table)).toBeUndefined();
    },
  );

  test('the root filesystem answers, whatever it is: links on it are followed', () => {
    const table = `${dead('/').replace('9 1', '1 0')}\n${data}`;
    const host = hostWith(table, { '/state': '/data' });
    expect(silentMountOn('/state/edged', host)).toBeUndefined();
  });
});

describe('on the way', () => {
  test.each<[string, Record<string, string>]>([
    ['an absolute link', { '/state': '/mnt/dead' }],
    ['a relative one, with dots', { '/state': './usr/../mnt/dead' }],
    ['a link to a link', { '/state': '/other', '/other': 'mnt/dead/deep' }],
    ['a link in the middle', { '/data/x': '../mnt/dead' }],
  ])('%s is followed to it', (_what, links) => {
    const table = `${root}\n${data}\n${dead('/mnt/dead')}`;
    const path = '/data/x' in links ? '/data/x/edged' : '/state/edged';
    expect(found(path, table, links)).toBe(9);
  });

  test('a link that leads around it is followed, and a circle has an end', () => {
    const table = `${root}\n${data}\n${dead('/mnt/dead')}`;
    expect(found('/mnt/../state', table, { '/state': '/data' })).toBeUndefined();
    expect(found('/a', table, { '/a': '/b', '/b': '/a' })).toBeUndefined();
  });

  test('a partition that is mounted below it is reached without touching it', () => {
    const table = `${root}\n${dead('/mnt')}\n3 9 8:2 / /mnt/disk rw - ext4 /dev/sda2 rw`;
    expect(found('/mnt/disk/edged', table)).toBeUndefined();
    expect(found('/mnt/other/edged', table)).toBe(9);
  });

  test('of two mounts on one point the upper counts', () => {
    const upper = '3 9 8:2 / /data rw - ext4 /dev/sda2 rw';
    expect(found('/data/edged', `${root}\n${dead('/data')}\n${upper}`)).toBeUndefined();
    const below = `${root}\n${data}\n${dead('/data').replace('9 1', '9 2')}`;
    expect(found('/data/edged', below)).toBe(9);
  });

  test('what an automount point has mounted is asked for again', () => {
    const point = '2 1 0:5 / /data rw - autofs systemd-1 rw';
    const mounts = [
      `${root}\n${point}`,
      `${root}\n${point}\n${dead('/data').replace('9 1', '9 2')}`,
    ];
    const host = {
      system: { mounts: () => parseMountInfo(mounts.shift() ?? '') },
      readLink: () => undefined,
    } as unknown as Host;
    expect(silentMountOn('/data/edged/deep', host)?.mountId).toBe(9);
  });
});
