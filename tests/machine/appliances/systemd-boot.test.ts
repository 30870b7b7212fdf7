/**
 * The reference appliance with systemd-boot: boot counting, two root slots under dm-verity, one
 * `/var` for both. v1; v2 is good and commits itself; v3 is bad and is taken back after its tries,
 * with no operator.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect } from '@jest/globals';
import { debianPackageIn } from '@edged/packaging/from-sources';
import { applianceNeeds, applianceRoot, epochOf, onPartition } from '@edged/testkit/boot/appliance';
import { noteBootRow } from '@edged/testkit/boot/boot-table';
import { fillPartition } from '@edged/testkit/boot/data-partition';
import { bootDirectory } from '@edged/testkit/boot/root-image';
import {
  bootMachine,
  debianKernels,
  freshFirmwareVariables,
} from '@edged/testkit/boot/virtual-machine';
import { testWith } from '@edged/testkit/needs';
import { testDirectory } from '@edged/testkit/test-directory';

const onAppliance = testWith(...applianceNeeds('veritysetup'));
const here = path.resolve('tests/machine/appliances');
const directory = testDirectory('appliance');
const file = (name: string): string => path.join(directory, name);
const esp = `${file('esp.img')}@@1M`;
const mounted = file('mounted');
const slots = { a: '/dev/nvme1n1', b: '/dev/nvme2n1' } as const;

function sh(script: string, ...args: readonly string[]): void {
  execFileSync('sh', [path.join(here, script), ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** What an updater does: the image into the slot that is not running, its entry onto the ESP. */
function install(version: string, slot: keyof typeof slots, entry: string): void {
  fs.renameSync(file(`v${version}/slot.img`), file(`slot-${slot}.img`));
  const text = fs.readFileSync(file(`v${version}/entry.conf`), 'utf8');
  fs.writeFileSync(file('entry.conf'), text.replace('@SLOT@', slots[slot]));
  execFileSync('mmd', ['-i', esp, `::/edge_${version}`]);
  for (const [from, to] of [
    [`v${version}/linux`, `edge_${version}/linux`],
    [`v${version}/initrd`, `edge_${version}/initrd`],
    ['entry.conf', `loader/entries/${entry}`],
  ] as const) {
    execFileSync('mcopy', ['-o', '-i', esp, file(from), `::/${to}`]);
  }
}

/** Ends the boot when bless has said yes; when it says no, the device reboots by itself. */
const script = `
while :; do
  state=$(systemctl show --property=ActiveState --value edged-bless.service)
  case $state in active | failed) break ;; esac
  sleep 0.5
done
. /usr/lib/os-release
echo "v$IMAGE_VERSION $state" >> /var/case/boots
[ "$state" = failed ] && exit 0
ls /efi/loader/entries > /var/case/entries
sync
systemctl poweroff --no-block
`;

interface Seen {
  readonly boots: readonly string[];
  readonly entries: readonly string[];
  readonly evidence: (of: 'current' | 'previous' | 'committed') => Record<string, unknown>;
  readonly console: string;
}

async function powerOn(name: string): Promise<Seen> {
  onPartition(file('data.img'), mounted, () => {
    fs.rmSync(path.join(mounted, 'case'), { recursive: true, force: true });
    fs.mkdirSync(path.join(mounted, 'case'));
    fs.writeFileSync(path.join(mounted, 'case/script'), script);
  });
  const disks = {
    esp: file('esp.img'),
    'slot-a': file('slot-a.img'),
    'slot-b': file('slot-b.img'),
    data: file('data.img'),
  };
  const log = path.join(bootDirectory, `console/systemd-boot-${name}.log`);
  const start = { firmwareVariables: file('vars.fd') };
  const machine = await bootMachine({ start, disks, timeoutSeconds: 900, log });
  return onPartition(file('data.img'), mounted, () => {
    const read = (relative: string): string =>
      fs.readFileSync(path.join(mounted, relative), 'utf8');
    const documents = new Map(
      ['current', 'previous', 'committed']
        .map((of) => [of, `lib/edged/epoch/${of}/evidence.json`] as const)
        .filter(([, relative]) => fs.existsSync(path.join(mounted, relative)))
        .map(([of, relative]) => [of, JSON.parse(read(relative)) as Record<string, unknown>]),
    );
    const boots = read('case/boots').trim().split('\n');
    noteBootRow(
      {
        scene: `systemd-boot: ${name}`,
        precheck: boots.join(', '),
        agent: String(documents.get('committed')?.['kind']),
        seconds: machine.seconds,
      },
      process.env['BOOT_TABLE'],
    );
    return {
      boots,
      entries: read('case/entries').trim().split('\n'),
      evidence: (of) => documents.get(of) ?? {},
      console: machine.console,
    };
  });
}

beforeAll(async () => {
  const debian = await debianPackageIn(directory);
  const [, kernel] = debianKernels();
  const kernels = path.dirname(path.dirname(kernel.image));
  const base = [applianceRoot(), kernels, kernel.release, debian];
  for (const [version, health] of [
    ['1', 'good'],
    ['2', 'good'],
    ['3', 'bad'],
  ] as const) {
    sh('systemd-boot/build', ...base, version, health, file(`v${version}`));
  }
  const loader = file('systemd-bootx64.efi');
  const inRoot = './usr/lib/systemd/boot/efi/systemd-bootx64.efi';
  fs.writeFileSync(loader, execFileSync('tar', ['-xOf', applianceRoot(), inRoot]));
  sh('efi-disk', file('esp.img'), loader);
  execFileSync('mmd', ['-i', esp, '::/loader', '::/loader/entries']);
  fs.writeFileSync(file('loader.conf'), 'timeout 0\ndefault edge_*\neditor no\n');
  execFileSync('mcopy', ['-i', esp, file('loader.conf'), '::/loader/loader.conf']);
  fs.copyFileSync(freshFirmwareVariables, file('vars.fd'));
  execFileSync('truncate', ['-s', '512M', file('data.img')]);
  execFileSync('mkfs.ext4', ['-q', '-L', 'persistent', file('data.img')]);
  execFileSync('truncate', ['-s', '16M', file('slot-b.img')]);
  fs.mkdirSync(mounted);
  execFileSync('mount', ['-o', 'loop', file('data.img'), mounted]);
  await fillPartition(mounted, file('work'), { mountPoint: '/var', below: 'lib/' });
  execFileSync('umount', [mounted]);
}, 600_000);

describe('the appliance with systemd-boot', () => {
  onAppliance(
    'v1; good v2 commits; bad v3 falls back to v2 after its tries',
    async () => {
      install('1', 'a', 'edge_1.conf');
      const first = await powerOn('v1');
      expect(first.boots).toEqual(['v1 active']);
      expect(first.evidence('current')['slot']).toMatchObject({
        adapter: 'systemd-boot',
        trial: 'no',
      });
      expect(epochOf(first.evidence('committed'))).toBe(0);

      install('2', 'b', 'edge_2+3.conf');
      const second = await powerOn('v2');
      expect(second.boots).toEqual(['v2 active']);
      expect(second.evidence('current')['slot']).toMatchObject({ trial: 'yes', tries_left: 2 });
      expect(second.entries.toSorted()).toEqual(['edge_1.conf', 'edge_2.conf']);
      expect([epochOf(second.evidence('current')), epochOf(second.evidence('committed'))]).toEqual([
        1, 1,
      ]);

      execFileSync('mdel', ['-i', esp, '::/loader/entries/edge_1.conf']);
      install('3', 'a', 'edge_3+3.conf');
      const third = await powerOn('v3');
      expect(third.boots).toEqual(['v3 failed', 'v3 failed', 'v3 failed', 'v2 active']);
      expect(third.entries.toSorted()).toEqual(['edge_2.conf', 'edge_3+0-3.conf']);
      expect(third.console).toContain('edge.slot.rolling_back');
      expect(third.console).toContain('edge.os.rollback_detected');
      expect(third.evidence('current')['kind']).toBe('os_rolled_back');
      expect(epochOf(third.evidence('previous'))).toBe(2);
      expect(epochOf(third.evidence('committed'))).toBe(3);
    },
    3_000_000,
  );
});
