import fs from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { mountOf, parseMountInfo } from '@edged/host/linux-mounts';
import fc from 'fast-check';

const root = '1 0 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw';

describe('a line of mountinfo', () => {
  test('without, with one and with several optional fields', () => {
    for (const optional of ['', 'shared:1 ', 'shared:1 master:2 propagate_from:3 ']) {
      const line = `36 21 8:2 /sub /data rw,noatime ${optional}- xfs /dev/sda2 rw,attr2`;
      expect(parseMountInfo(line)).toEqual([
        {
          mountId: 36,
          parentId: 21,
          device: '8:2',
          tree: '/sub',
          mountPoint: '/data',
          fsType: 'xfs',
          source: '/dev/sda2',
          readOnly: false,
          noExec: false,
          line,
        },
      ]);
    }
  });

  test('octal escapes: space, tab, newline, backslash; bytes of UTF-8', () => {
    const [mount] = parseMountInfo(
      '1 0 8:1 / /a\\040b\\011c\\012d\\134e rw - ext4 /dev/x\\040y rw',
    );
    expect(mount).toMatchObject({ mountPoint: '/a b\tc\nd\\e', source: '/dev/x y' });
    const [umlaut] = parseMountInfo('1 0 8:1 / /d\\303\\244ta rw - ext4 x rw');
    expect(umlaut?.mountPoint).toBe('/däta');
  });

  test('read-only by mount or by superblock', () => {
    const lines = ['1 0 8:1 / / ro - ext4 x rw', '1 0 8:1 / / rw - ext4 x ro,errors=x', root];
    expect(parseMountInfo(lines.join('\n')).map(({ readOnly }) => readOnly)).toEqual([
      true,
      true,
      false,
    ]);
  });

  test('what is no such line is left out, and nothing throws', () => {
    expect(parseMountInfo('\n\nnonsense\n1 2 3\n36 21 8:2 /\n')).toEqual([]);
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(Array.isArray(parseMountInfo(text))).toBe(true);
      }),
    );
  });
});

describe('the mount of a path', () => {
  const point = (path: string, ...lines: string[]): string | undefined =>
    mountOf(path, parseMountInfo([root, ...lines].join('\n')))?.source;

  test('is the longest one', () => {
    const lines = ['2 1 8:2 / /data rw - ext4 b rw', '3 2 8:3 / /data/deep rw - ext4 c rw'];
    expect(point('/data/deep/x', ...lines)).toBe('c');
    expect(point('/data/deep', ...lines)).toBe('c');
    expect(point('/data/deeper', ...lines)).toBe('b');
    expect(point('/database', ...lines)).toBe('/dev/sda1');
    expect(point('/', ...lines)).toBe('/dev/sda1');
  });

  test('of several on one point is the last', () => {
    expect(
      point('/data', '2 1 8:2 / /data rw - ext4 b rw', '3 2 0:9 / /data rw - tmpfs c rw'),
    ).toBe('c');
  });

  test('is what covers it, not the longer one below', () => {
    const data = '2 1 8:2 / /m/data/p rw - ext4 b rw';
    const cover = '3 1 0:40 / /m/data rw - tmpfs c rw';
    const inside = '4 3 8:3 / /m/data/p rw - ext4 d rw';
    for (const lines of [
      [data, cover],
      [cover, data],
    ]) {
      expect(point('/m/data/p/sr', ...lines)).toBe('c');
      expect(point('/m/data/p/sr', inside, ...lines)).toBe('d');
    }
    expect(
      point(
        '/m/data/p',
        data,
        '3 2 8:3 / /m/data/p/x rw - ext4 x rw',
        '4 1 0:9 / /m rw - tmpfs over rw',
      ),
    ).toBe('over');
  });

  test('is nothing that was mounted over the root of the process, as stat finds it', () => {
    const over = ['2 1 0:9 / / rw - tmpfs over rw', '3 2 8:2 / /data rw - ext4 hidden rw'];
    expect(point('/', ...over)).toBe('/dev/sda1');
    expect(point('/data', ...over)).toBe('/dev/sda1');
    expect(point('/data', ...over, '4 1 8:3 / /data rw - ext4 b rw')).toBe('b');
  });

  test('is what was mounted over an initramfs, and nothing over that', () => {
    const lines = [
      '1 1 0:2 / / rw - rootfs none rw',
      '2 1 8:1 / / rw - ext4 a rw',
      '3 2 8:2 / /data rw - ext4 b rw',
      '4 2 0:9 / / rw - tmpfs over rw',
    ];
    const mounts = parseMountInfo(lines.join('\n'));
    expect(mountOf('/', mounts)?.source).toBe('a');
    expect(mountOf('/data/x', mounts)?.source).toBe('b');
  });

  test('of a process whose root directory is no mount point, and of a first root', () => {
    const mounts = parseMountInfo('30 29 8:2 / /data rw - ext4 b rw');
    expect(mountOf('/data/x', mounts)?.source).toBe('b');
    expect(mountOf('/', mounts)).toBeUndefined();
    const initial = parseMountInfo(
      '1 1 0:2 / / rw - rootfs none rw\n2 1 8:2 / /data rw - ext4 b rw',
    );
    expect(mountOf('/data/x', initial)?.source).toBe('b');
  });

  test('ends on a table that holds together nowhere', () => {
    const circle = '2 1 8:2 / / rw - ext4 b rw\n1 2 8:3 / / rw - ext4 c rw\n';
    expect(mountOf('/data', parseMountInfo(`${root}\n${circle}`))).toBeDefined();
    expect(mountOf('/data', parseMountInfo(circle))).toBeUndefined();
  });

  test('is found on this machine', () => {
    const mounts = parseMountInfo(fs.readFileSync('/proc/self/mountinfo', 'utf8'));
    expect(mountOf('/proc/self', mounts)?.fsType).toBe('proc');
    expect(mountOf('/', mounts)).toBeDefined();
  });
});
