/** Programs that tests compare ours with, and the Debian packages that bring them. */

interface ToolSource {
  /** A command that tells whether it is there. */
  readonly probe: readonly string[];
  /** It must also end with 0: the tool may be there and not allowed. */
  readonly mustSucceed?: true;
  readonly debian: string;
}

export const tools = {
  b3sum: { probe: ['b3sum', '--version'], debian: 'b3sum' },
  openssl: { probe: ['openssl', 'version'], debian: 'openssl' },
  jq: { probe: ['jq', '--version'], debian: 'jq' },
  setfattr: { probe: ['setfattr', '--version'], debian: 'attr' },
  strace: { probe: ['strace', '-o', '/dev/null', 'true'], mustSucceed: true, debian: 'strace' },
  faketime: { probe: ['faketime', '--version'], debian: 'faketime' },
  'systemd-analyze': { probe: ['systemd-analyze', '--version'], debian: 'systemd' },
  lintian: { probe: ['lintian', '--version'], debian: 'lintian' },
  man: { probe: ['man', '--version'], debian: 'man-db' },
  groff: { probe: ['groff', '--version'], debian: 'groff-base' },
  mandoc: { probe: ['mandoc', '-l', '/dev/null'], debian: 'mandoc' },
  bash: { probe: ['bash', '--version'], debian: 'bash' },
  zsh: { probe: ['zsh', '--version'], debian: 'zsh' },
  fish: { probe: ['fish', '--version'], debian: 'fish' },
  script: { probe: ['script', '--version'], debian: 'bsdutils' },
  flock: { probe: ['flock', '--version'], debian: 'util-linux' },
  mkfifo: { probe: ['mkfifo', '--version'], debian: 'coreutils' },
  mount: { probe: ['mount', '--version'], debian: 'mount' },
  unshare: { probe: ['unshare', '--version'], debian: 'util-linux' },
  'mkfs.ext4': { probe: ['mkfs.ext4', '-V'], debian: 'e2fsprogs' },
  'dpkg-deb': { probe: ['dpkg-deb', '--version'], debian: 'dpkg' },
  readelf: { probe: ['readelf', '--version'], debian: 'binutils' },
  promtool: { probe: ['promtool', '--version'], debian: 'prometheus' },
} as const satisfies Record<string, ToolSource>;

export type Tool = keyof typeof tools;
