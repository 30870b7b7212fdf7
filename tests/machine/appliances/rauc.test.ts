/**
 * The reference appliance with RAUC: signed bundles, two squashfs slots under a tmpfs, a persistent
 * partition. The images share os-release and kernel and differ in a file, which only
 * `fingerprint.profile: image` sees. v1; good v2 commits itself; v4, which could not start precheck,
 * is refused before it is activated; bad v3 is taken back.
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

const stub = '/usr/lib/systemd/boot/efi/linuxx64.efi.stub';
const tools = ['rauc', 'mksquashfs', 'objcopy', 'openssl'] as const;
const stubPackage = { obstacle: fs.existsSync(stub) ? undefined : 'systemd-boot-efi' };
const onAppliance = testWith(...applianceNeeds(...tools, stubPackage));
const here = path.resolve('tests/machine/appliances');
const directory = testDirectory('rauc');
const file = (name: string): string => path.join(directory, name);
const mounted = file('mounted');
const identity = '/usr/lib/edge/version';

function sh(script: string, ...args: readonly string[]): void {
  execFileSync('sh', [path.join(here, script), ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** As each boot has gone, a line; `then` is what follows a boot that was blessed. */
const script = (then: string): string => `
while :; do
  state=$(systemctl show --property=ActiveState --value edged-bless.service)
  case $state in active | failed) break ;; esac
  sleep 0.5
done
slot=$(sed 's/.*rauc.slot=\\([AB]\\).*/\\1/' /proc/cmdline)
echo "$slot v$(cat ${identity}) $state" >> /data/case/boots
[ "$state" = failed ] && exit 0
{ ${then}
} >> /data/case/out 2>&1
sync
systemctl poweroff --no-block
`;

/** Once: what is installed must be blessed in the boot after. */
const installAndReboot = `
  if [ ! -e /data/case/installed ]; then
    touch /data/case/installed
    rauc install /data/update.raucb && sync && systemctl reboot --no-block && exit 0
    journalctl -b -u rauc -o cat
  fi
`;

/** The bundle's own hook asks precheck, and the slot is not activated. */
const refuseFirst = `
  if [ ! -e /data/case/refused ]; then
    touch /data/case/refused
    rauc install /data/unfit.raucb && echo 'an unfit slot was activated'
    journalctl -b -u rauc -o cat
  fi
`;

interface Seen {
  readonly boots: readonly string[];
  readonly out: string;
  readonly console: string;
  readonly evidence: (of: 'current' | 'previous' | 'committed') => Record<string, unknown>;
  readonly fingerprint: Record<string, unknown>;
}

async function powerOn(name: string, then: string, bundle?: string): Promise<Seen> {
  onPartition(file('data.img'), mounted, () => {
    fs.rmSync(path.join(mounted, 'case'), { recursive: true, force: true });
    fs.mkdirSync(path.join(mounted, 'case'));
    fs.writeFileSync(path.join(mounted, 'case/script'), script(then));
    if (bundle) fs.copyFileSync(file(bundle), path.join(mounted, 'update.raucb'));
    fs.copyFileSync(file('v4.raucb'), path.join(mounted, 'unfit.raucb'));
  });
  const disks = {
    esp: file('esp.img'),
    a: file('a.img'),
    b: file('b.img'),
    data: file('data.img'),
  };
  const log = path.join(bootDirectory, `console/rauc-${name}.log`);
  const start = { firmwareVariables: file('vars.fd') };
  const machine = await bootMachine({ start, disks, timeoutSeconds: 900, log });
  return onPartition(file('data.img'), mounted, () => {
    const read = (relative: string): string => {
      const found = path.join(mounted, relative);
      return fs.existsSync(found) ? fs.readFileSync(found, 'utf8') : '{}';
    };
    const json = (relative: string): Record<string, unknown> =>
      JSON.parse(read(relative)) as Record<string, unknown>;
    const documents = new Map(
      ['current', 'previous', 'committed'].map((of) => [
        of,
        json(`edged/epoch/${of}/evidence.json`),
      ]),
    );
    const boots = read('case/boots').trim().split('\n');
    noteBootRow(
      {
        scene: `rauc: ${name}`,
        precheck: boots.join(', '),
        agent: String(documents.get('committed')?.['kind']),
        seconds: machine.seconds,
      },
      process.env['BOOT_TABLE'],
    );
    return {
      boots,
      out: read('case/out'),
      console: machine.console,
      evidence: (of) => documents.get(of) ?? {},
      fingerprint: json('edged/bootstrap/os_fingerprint.json'),
    };
  });
}

beforeAll(async () => {
  const debian = await debianPackageIn(directory);
  const [, kernel] = debianKernels();
  const kernels = path.dirname(path.dirname(kernel.image));
  fs.mkdirSync(file('keys'));
  sh('rauc/keys', file('keys'));
  const base = [applianceRoot(), kernels, kernel.release, debian];
  sh('rauc/build', ...base, file('keys/ca.pem'), stub, file('image'));
  const hook = file('image/root/usr/lib/edged/rauc-slot-hook');
  for (const [version, health] of [
    ['1', 'good'],
    ['2', 'good'],
    ['3', 'bad'],
    ['4', 'unfit'],
  ] as const) {
    sh('rauc/slot', file('image/root'), version, health, file(`v${version}.img`));
    if (version === '1') continue;
    sh(
      'rauc/bundle',
      file(`v${version}.img`),
      version,
      file('keys'),
      hook,
      file(`v${version}.raucb`),
    );
  }
  fs.renameSync(file('v1.img'), file('a.img'));
  for (const slot of ['a.img', 'b.img']) execFileSync('truncate', ['-s', '320M', file(slot)]);
  sh('efi-disk', file('esp.img'), file('image/A.efi'));
  const esp = `${file('esp.img')}@@1M`;
  execFileSync('mmd', ['-i', esp, '::/EFI/slot']);
  for (const slot of ['A.efi', 'B.efi']) {
    execFileSync('mcopy', ['-i', esp, file(`image/${slot}`), `::/EFI/slot/${slot}`]);
  }
  fs.copyFileSync(freshFirmwareVariables, file('vars.fd'));
  execFileSync('truncate', ['-s', '1G', file('data.img')]);
  execFileSync('mkfs.ext4', ['-q', '-L', 'persistent', file('data.img')]);
  fs.mkdirSync(mounted);
  execFileSync('mount', ['-o', 'loop', file('data.img'), mounted]);
  const profile = `fingerprint:\n  profile: image\n  files: [${identity}]\n`;
  const placement = { mountPoint: '/data', below: '' };
  await fillPartition(mounted, file('work'), placement, (text) => text + profile);
  execFileSync('umount', [mounted]);
}, 600_000);

describe('the appliance with RAUC', () => {
  onAppliance(
    'v1; good v2 is installed and commits; bad v3 is installed and rolls back to v2',
    async () => {
      const first = await powerOn('v1', 'true');
      expect(first.boots).toEqual(['A v1 active']);
      expect(epochOf(first.evidence('committed'))).toBe(0);
      const classic = first.fingerprint['composite_hash'];

      const second = await powerOn('v2', installAndReboot, 'v2.raucb');
      expect(second.out).toContain('succeeded');
      expect(second.boots).toEqual(['A v1 active', 'B v2 active']);
      expect(second.fingerprint['composite_hash']).toBe(classic);
      expect(second.evidence('current')).toMatchObject({
        kind: 'os_replaced',
        changed: [`file:${identity}`],
        slot: { adapter: 'rauc', name: 'B' },
      });
      expect(epochOf(second.evidence('committed'))).toBe(1);

      const third = await powerOn('v3', refuseFirst + installAndReboot, 'v3.raucb');
      expect(third.boots).toEqual(['B v2 active', 'A v3 failed', 'B v2 active']);
      expect(third.out).toContain('inspection.unit_missing');
      expect(third.out).not.toContain('an unfit slot was activated');
      expect(third.console).toContain('edge.slot.rolling_back');
      expect(third.console).toContain('edge.os.rollback_detected');
      expect(third.fingerprint['composite_hash']).toBe(classic);
      expect(third.evidence('current')).toMatchObject({ kind: 'os_rolled_back' });
      expect(
        ['current', 'previous', 'committed'].map((of) => epochOf(third.evidence(of as 'current'))),
      ).toEqual([3, 2, 3]);
    },
    3_000_000,
  );
});
