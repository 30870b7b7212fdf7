/**
 * Real OS replacements: two root disks with different os-release, two kernels, one data disk, each
 * boot from power-on to power-off. VM_KILLS (default 1) is how many times the plug is pulled.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect } from '@jest/globals';
import { debianPackageIn } from '@edged/packaging/from-sources';
import {
  type BootReport,
  exitOf,
  linesOf,
  readReport,
  reportScript,
  reportUnit,
  stateOf,
} from '@edged/testkit/boot/boot-report';
import { noteBootRow } from '@edged/testkit/boot/boot-table';
import { fillPartition } from '@edged/testkit/boot/data-partition';
import {
  bootDirectory,
  debianRoot,
  installEdged,
  stateVersion,
} from '@edged/testkit/boot/root-image';
import {
  type Kernel,
  type MachineBoot,
  type MachineReport,
  bootMachine,
  debianKernels,
  makeRootDisk,
  machineNeeds,
} from '@edged/testkit/boot/virtual-machine';
import { testWith } from '@edged/testkit/needs';
import { testDirectory } from '@edged/testkit/test-directory';

const onMachine = testWith(...machineNeeds);
const commandLine = 'root=/dev/nvme0n1 rw console=ttyS0 panic=-1 quiet systemd.show_status=0';
const kills = Number(process.env['VM_KILLS'] ?? 1);
const directory = testDirectory('vm');
const [diskA, diskB, data, mounted] = ['a.img', 'b.img', 'data.img', 'mounted'].map((name) =>
  path.join(directory, name),
) as [string, string, string, string];
let older: Kernel;
let newer: Kernel;
let edgeBefore = '';
let boots = 0;

/** A root with edged, the report, and a mount of the data disk that may be missing. */
function makeRoots(debian: string): void {
  const root = path.join(directory, 'root');
  installEdged(debianRoot('container', []), debian, root);
  const mount = 'LABEL=persistent /data ext4 nofail,x-systemd.device-timeout=5s 0 2';
  fs.writeFileSync(path.join(root, 'etc/fstab'), `${mount}\n`);
  const units = path.join(root, 'usr/local/lib/systemd/system');
  fs.mkdirSync(path.join(units, 'multi-user.target.wants'), { recursive: true });
  fs.writeFileSync(path.join(units, 'report.service'), reportUnit('/data/case'));
  fs.symlinkSync('../report.service', path.join(units, 'multi-user.target.wants/report.service'));
  const dropIn = path.join(units, 'edged-precheck.service.d');
  fs.mkdirSync(dropIn);
  const lines = '[Service]\nStandardError=journal+console\n';
  fs.writeFileSync(path.join(dropIn, 'console.conf'), lines);
  for (const [version, disk] of [
    ['A', diskA],
    ['B', diskB],
  ] as const) {
    stateVersion(root, version);
    makeRootDisk(root, disk);
  }
}

function onDataDisk<Result>(look: () => Result): Result {
  execFileSync('mount', ['-o', 'loop', data, mounted]);
  try {
    return look();
  } finally {
    execFileSync('umount', [mounted]);
  }
}

const inside = (relative: string): string => path.join(mounted, 'edged', relative);
const json = (relative: string): Record<string, unknown> =>
  JSON.parse(fs.readFileSync(inside(relative), 'utf8')) as Record<string, unknown>;
const epochOf = (which: 'current' | 'previous'): unknown =>
  (json(`epoch/${which}/evidence.json`)['os_fingerprint'] as Record<string, unknown>)['boot_epoch'];
const digestOfEdge = (): string =>
  execFileSync('sh', ['-c', 'find segments relay/relay.db -type f -exec b3sum {} +'], {
    cwd: inside('edge'),
    encoding: 'utf8',
  });

interface Booted extends BootReport {
  readonly machine: MachineReport;
  readonly epoch: unknown;
  readonly current: unknown;
  readonly previous: unknown;
  readonly kind: unknown;
}

async function boot(
  name: string,
  rootDisk: string,
  kernel: Kernel,
  how: Partial<MachineBoot> = {},
): Promise<Booted> {
  boots += 1;
  onDataDisk(() => {
    fs.rmSync(path.join(mounted, 'case'), { recursive: true, force: true });
    fs.mkdirSync(path.join(mounted, 'case'));
    fs.writeFileSync(path.join(mounted, 'case/report'), reportScript('/data/case'));
    fs.writeFileSync(path.join(mounted, 'case/act'), '');
  });
  const number = String(boots).padStart(2, '0');
  const log = path.join(bootDirectory, 'console', `${number}-${name.replaceAll(/\W+/g, '-')}.log`);
  const start = { kernel, commandLine };
  const machine = await bootMachine({ start, disks: { root: rootDisk, data }, log, ...how });
  const seen = onDataDisk(() => ({
    ...readReport(path.join(mounted, 'case')),
    epoch: json('bootstrap/os_fingerprint.json')['boot_epoch'],
    current: fs.existsSync(inside('epoch/current')) && epochOf('current'),
    previous: fs.existsSync(inside('epoch/previous')) && epochOf('previous'),
    kind: fs.existsSync(inside('epoch/current')) && json('epoch/current/evidence.json')['kind'],
    edge: digestOfEdge(),
  }));
  const agent = seen.units['edged.service']?.['ActiveState'];
  noteBootRow(
    {
      scene: `${number} ${name} (${kernel.release})`,
      precheck: machine.killed
        ? 'plug pulled'
        : `exit ${exitOf(seen)}, epoch ${String(seen.epoch)}`,
      agent: machine.killed ? '' : String(agent),
      seconds: machine.seconds,
    },
    process.env['BOOT_TABLE'],
  );
  expect(seen.edge).toBe(edgeBefore);
  return { ...seen, machine };
}

const names = (report: BootReport): string[] => linesOf(report).map(([, name]) => name);
const messages = ({ journal }: BootReport): string =>
  journal.map(({ message }) => message).join('\n');

beforeAll(async () => {
  [older, newer] = debianKernels();
  makeRoots(await debianPackageIn(directory));
  fs.mkdirSync(mounted);
  execFileSync('truncate', ['-s', '512M', data]);
  execFileSync('mkfs.ext4', ['-q', '-L', 'persistent', data]);
  execFileSync('mount', ['-o', 'loop', data, mounted]);
  const device = await fillPartition(mounted, path.join(directory, 'work'));
  fs.writeFileSync(inside('edge/relay/relay.db'), device.read('edge.crt'));
  edgeBefore = digestOfEdge();
  execFileSync('umount', [mounted]);
}, 600_000);

describe('an OS replacement on a machine', () => {
  onMachine(
    'A, A again, B with another kernel, B with the old kernel, back to A',
    async () => {
      const first = await boot('A, first boot', diskA, older);
      expect(names(first)).toEqual(['edge.os.fingerprint_initialized']);
      expect(stateOf(first, 'edged.service')).toBe('active/running');
      expect([first.epoch, first.current, first.previous]).toEqual([0, 0, false]);

      const again = await boot('A again', diskA, older);
      expect(names(again)).toEqual([]);
      expect([again.epoch, stateOf(again, 'edged.service')]).toEqual([0, 'active/running']);

      onDataDisk(() => fs.rmSync(inside('runtime/bin/edge-agent')));
      const replaced = await boot('B, another kernel, agent wiped', diskB, newer);
      expect(names(replaced)).toEqual([
        'edge.os.update_detected',
        'edge.os.reconstruction_started',
        'edge.os.reconstruction_completed',
      ]);
      expect(messages(replaced)).toContain('changed="os_release,uname_release"');
      expect(stateOf(replaced, 'edged.service')).toBe('active/running');
      expect([replaced.epoch, replaced.current, replaced.previous]).toEqual([1, 1, 0]);

      const kernelOnly = await boot('B, the old kernel', diskB, older);
      expect(messages(kernelOnly)).toContain('changed="uname_release"');
      expect([kernelOnly.epoch, kernelOnly.current, kernelOnly.previous]).toEqual([2, 2, 1]);

      const back = await boot('back to A', diskA, older);
      expect(names(back)).toContain('edge.os.rollback_detected');
      expect([back.epoch, back.current, back.previous, back.kind]).toEqual([
        3,
        3,
        2,
        'os_rolled_back',
      ]);
    },
    600_000,
  );

  onMachine(
    'a clock without battery, and one far ahead: a good certificate stays good, and it is said',
    async () => {
      for (const clock of ['1970-01-01', '2099-01-01']) {
        const report = await boot(`A, the clock says ${clock}`, diskA, older, { clock });
        expect([exitOf(report), stateOf(report, 'edged.service')]).toEqual([0, 'active/running']);
        expect(report.epoch).toBe(3);
        if (clock > '2027') expect(names(report)).toContain('edge.clock.implausible');
      }
    },
    600_000,
  );

  onMachine(
    'the data disk is missing, its mount is nofail: no agent, no first run, and the console says so',
    async () => {
      const log = path.join(bootDirectory, 'console/no-data-disk.log');
      const kill = { after: 'Nothing is rebooted', delayMilliseconds: 2000 };
      const start = { kernel: older, commandLine };
      const machine = await bootMachine({ start, disks: { root: diskA }, kill, log });
      expect(machine.console).toContain('edged: this device does not start its agent');
      expect(machine.console).toMatch(/Precheck left no verdict|state root/);
      expect(machine.console).not.toContain('fingerprint_initialized');
      expect(machine.console).not.toContain('Started edged.service');
      noteBootRow(
        { scene: 'no data disk', precheck: 'held', agent: 'inactive', seconds: machine.seconds },
        process.env['BOOT_TABLE'],
      );
    },
    600_000,
  );

  onMachine(
    'the plug is pulled in the middle of precheck: the next boot finishes, one epoch further',
    async () => {
      let epoch = 3;
      for (let index = 0; index < kills; index += 1) {
        const disk = index % 2 === 0 ? diskB : diskA;
        const delayMilliseconds = Math.round((index * 2000) / kills);
        const kill = { after: 'edge.os.reconstruction_started', delayMilliseconds };
        const pulled = await boot(`plug after ${delayMilliseconds} ms`, disk, newer, { kill });
        expect(pulled.machine.killed).toBe(true);
        expect([epoch, epoch + 1]).toContain(pulled.epoch);
        const healed = await boot('healed', disk, newer);
        epoch += 1;
        expect([exitOf(healed), stateOf(healed, 'edged.service')]).toEqual([0, 'active/running']);
        expect([healed.epoch, healed.current, healed.previous]).toEqual([epoch, epoch, epoch - 1]);
      }
    },
    120_000 + kills * 60_000,
  );
});
