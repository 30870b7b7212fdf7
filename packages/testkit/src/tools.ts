/** Programs that tests compare ours with, and the Debian packages that bring them. */

interface ToolSource {
  /** A command that tells whether it is there. */
  readonly probe: readonly string[];
  /** It must also end with 0: it may be there and not allowed, or be another's of that name. */
  readonly mustSucceed?: true;
  readonly debian: string;
}

const version = (tool: string, debian = tool) => ({ probe: [tool, '--version'], debian });

export const tools = {
  b3sum: version('b3sum'),
  openssl: { probe: ['openssl', 'version'], debian: 'openssl' },
  jq: version('jq'),
  setfattr: version('setfattr', 'attr'),
  strace: { probe: ['strace', '-o', '/dev/null', 'true'], mustSucceed: true, debian: 'strace' },
  faketime: { probe: ['faketime', '-f', '+1d', 'true'], mustSucceed: true, debian: 'faketime' },
  'systemd-analyze': version('systemd-analyze', 'systemd'),
  lintian: version('lintian'),
  man: version('man', 'man-db'),
  groff: version('groff', 'groff-base'),
  mandoc: { probe: ['mandoc', '-l', '/dev/null'], debian: 'mandoc' },
  bash: version('bash'),
  zsh: version('zsh'),
  fish: version('fish'),
  script: { probe: ['script', '-qec', 'true', '/dev/null'], mustSucceed: true, debian: 'bsdutils' },
  flock: version('flock', 'util-linux'),
  mkfifo: version('mkfifo', 'coreutils'),
  timeout: version('timeout', 'coreutils'),
  sleep: version('sleep', 'coreutils'),
  setsid: version('setsid', 'util-linux'),
  mount: version('mount'),
  mknod: version('mknod', 'coreutils'),
  unshare: version('unshare', 'util-linux'),
  losetup: version('losetup', 'mount'),
  chattr: { probe: ['chattr'], debian: 'e2fsprogs' },
  mke2fs: { probe: ['mke2fs', '-V'], debian: 'e2fsprogs' },
  'mkfs.ext4': { probe: ['mkfs.ext4', '-V'], debian: 'e2fsprogs' },
  'mkfs.xfs': { probe: ['mkfs.xfs', '-V'], debian: 'xfsprogs' },
  'mkfs.btrfs': version('mkfs.btrfs', 'btrfs-progs'),
  'qemu-storage-daemon': version('qemu-storage-daemon', 'qemu-system-common'),
  fusermount3: version('fusermount3', 'fuse3'),
  'dpkg-deb': version('dpkg-deb', 'dpkg'),
  readelf: version('readelf', 'binutils'),
  promtool: version('promtool', 'prometheus'),
  'apt-get': version('apt-get', 'apt'),
  mmdebstrap: version('mmdebstrap'),
  'systemd-nspawn': version('systemd-nspawn', 'systemd-container'),
  'qemu-system-x86_64': version('qemu-system-x86_64', 'qemu-system-x86'),
  sfdisk: version('sfdisk', 'fdisk'),
  cpio: version('cpio'),
  depmod: version('depmod', 'kmod'),
  objcopy: version('objcopy', 'binutils'),
  mcopy: version('mcopy', 'mtools'),
  'mkfs.vfat': { probe: ['mkfs.vfat', '--help'], debian: 'dosfstools' },
  veritysetup: version('veritysetup', 'cryptsetup-bin'),
  mksquashfs: { probe: ['mksquashfs', '-version'], debian: 'squashfs-tools' },
  rauc: version('rauc'),
} as const satisfies Record<string, ToolSource>;

export type Tool = keyof typeof tools;
