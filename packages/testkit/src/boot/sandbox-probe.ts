/**
 * A program that tries, one after the other, what the sandbox of edged-precheck.service forbids,
 * and what it must allow; run in the place of precheck, under the same unit. In Perl, since every
 * Debian root has it and it can make any system call. The numbers are those of x86-64.
 */

interface Attempt {
  readonly what: string;
  /** The directive that forbids it; undefined: allowed. */
  readonly forbiddenBy?: string;
  /** A Perl expression, true when it could be done. */
  readonly perl: string;
}

const write = (file: string): string => `open(my $f, '>', '${file}') or return 0; close($f)`;
const statusLacks = (pattern: string): string =>
  `my $l = ''; open(my $f, '<', '/proc/self/status'); $l .= $_ while <$f>; $l !~ /^${pattern}/m`;
const call = (number: number, ...args: readonly (string | number)[]): string =>
  `syscall(${[number, ...args].join(', ')}) >= 0`;

export const attempts: readonly Attempt[] = [
  { what: 'write in the state root', perl: write('/data/edged/bootstrap/probe') },
  { what: 'read the OS', perl: "open(my $f, '<', '/usr/lib/os-release')" },
  { what: 'read its mounts', perl: "open(my $f, '<', '/proc/self/mountinfo')" },
  { what: 'read the boot id', perl: "open(my $f, '<', '/proc/sys/kernel/random/boot_id')" },
  { what: 'lock', perl: "open(my $f, '<', '/data/edged') or return 0; flock($f, 6)" },
  { what: 'start flock(1)', perl: "system('flock', '--version') == 0" },

  ...['/etc', '/usr', '/var', '/data', '/boot', '/opt'].map((directory) => ({
    what: `write in ${directory}`,
    forbiddenBy: 'ProtectSystem',
    perl: write(`${directory}/probe`),
  })),
  { what: 'see /home', forbiddenBy: 'ProtectHome', perl: "-e '/root/of-the-host'" },
  { what: 'see files of /tmp', forbiddenBy: 'PrivateTmp', perl: "-e '/tmp/of-the-host'" },
  { what: 'open a disk', forbiddenBy: 'PrivateDevices', perl: "-e '/dev/kmsg' || -e '/dev/mem'" },
  {
    what: 'write a kernel tunable',
    forbiddenBy: 'ProtectKernelTunables',
    perl: "open(my $f, '>', '/proc/sys/kernel/printk')",
  },
  {
    what: 'write a control group',
    forbiddenBy: 'ProtectControlGroups',
    perl: 'mkdir("/sys/fs/cgroup/probe")',
  },
  { what: 'see other processes', forbiddenBy: 'ProtectProc', perl: "-d '/proc/1'" },
  ...[
    ['IPv4', 2, 1],
    ['IPv6', 10, 1],
    ['Unix', 1, 1],
    ['netlink', 16, 3],
    ['packet', 17, 3],
  ].map(([name, family, type]) => ({
    what: `open a socket: ${name}`,
    forbiddenBy: 'RestrictAddressFamilies',
    perl: call(41, family ?? 0, type ?? 0, 0),
  })),
  { what: 'another personality', forbiddenBy: 'LockPersonality', perl: call(135, 8) },
  {
    what: 'memory that is writable and executable',
    forbiddenBy: 'MemoryDenyWriteExecute',
    perl: call(9, 0, 4096, 7, 0x22, -1, 0),
  },
  {
    what: 'run in real time',
    forbiddenBy: 'RestrictRealtime',
    perl: `my $p = pack('i', 1); ${call(144, 0, 1, '$p')}`,
  },
  {
    what: 'make a file setuid',
    forbiddenBy: 'RestrictSUIDSGID',
    perl: `${write('/data/edged/bootstrap/suid')}; chmod(04755, '/data/edged/bootstrap/suid')`,
  },
  ...[
    ['mount', 165, 'SystemCallFilter', "my ($a, $b) = ('tmpfs', '/mnt')", '$a, $b, $a, 0, 0'],
    ['reboot', 169, 'SystemCallFilter', '1', '0, 0, 0, 0'],
    ['load a module', 175, 'ProtectKernelModules', '1', '0, 0, 0'],
    ['set the clock', 164, 'ProtectClock', "my $t = pack('qq', 0, 0)", '$t, 0'],
    ['set the hostname', 170, 'ProtectHostname', "my $n = 'probe'", '$n, 5'],
    ['read the kernel log', 103, 'ProtectKernelLogs', '1', '10, 0, 0'],
    ['trace', 101, 'SystemCallFilter', '1', '0, 0, 0, 0'],
    ['use the kernel keyring', 250, 'SystemCallFilter', '1', '0, -3, 0'],
    ['BPF', 321, 'SystemCallFilter', 'my $a = "\\0" x 64', '0, $a, 64'],
    ['become another user', 105, 'SystemCallFilter', '1', '1'],
    ['swap', 168, 'SystemCallFilter', "my $a = '/none'", '$a'],
    ['raw I/O', 172, 'SystemCallFilter', '1', '3'],
  ].map(([what, number, forbiddenBy, prepare, args]) => ({
    what: String(what),
    forbiddenBy: String(forbiddenBy),
    perl: `${prepare}; ${call(Number(number), String(args))}`,
  })),
  {
    what: 'gain privileges',
    forbiddenBy: 'NoNewPrivileges',
    perl: statusLacks('NoNewPrivs:\\s+1'),
  },
  {
    what: 'hold a capability beside CAP_DAC_OVERRIDE',
    forbiddenBy: 'CapabilityBoundingSet',
    perl: statusLacks('CapEff:\\s+0+2$'),
  },
  // last: whoever enters a namespace has lost what came before
  { what: 'a namespace', forbiddenBy: 'RestrictNamespaces', perl: call(272, 0x10000000) },
];

/** Prints `what: yes`, or `what: no` and the error, a line each. */
export const probe = `#!/usr/bin/perl
my @attempts = (${attempts.map(({ what, perl }) => `['${what}', sub { ${perl} }]`).join(',\n')});
for my $attempt (@attempts) {
  my ($what, $try) = @$attempt;
  $! = 0;
  my $could = eval { $try->() };
  print "$what: ", $could ? "yes\\n" : "no ($!)\\n";
}
`;
