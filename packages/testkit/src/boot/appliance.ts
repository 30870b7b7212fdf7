/** What the two reference appliances (`tests/machine/appliances`) have in common. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import type { Need, Obstacle } from '../needs.ts';
import { debianRoot } from './root-image.ts';
import { freshFirmwareVariables, machineNeeds } from './virtual-machine.ts';

/** Minutes of emulation: not with every run of the tests. */
const order = 'npm run test:appliances';
const isOrdered = process.env['BOOT_TABLE'] !== undefined;

/** To build and boot an appliance, with these tools beside those of every one. */
export function applianceNeeds(
  ...more: readonly (Need | Obstacle)[]
): readonly (Need | Obstacle)[] {
  if (!isOrdered) return [{ obstacle: order }];
  const firmware = fs.existsSync(freshFirmwareVariables) ? undefined : 'ovmf';
  const tools = ['mcopy', 'mkfs.vfat', 'sfdisk', 'cpio', 'depmod'] as const;
  return [...machineNeeds, ...tools, { obstacle: firmware }, ...more];
}

/** The Debian root of both. */
export function applianceRoot(): string {
  const loaders = ['systemd-boot', 'rauc', 'rauc-service', 'efibootmgr'];
  return debianRoot('appliances', ['kmod', 'cryptsetup-bin', 'busybox-static', ...loaders]);
}

export function onPartition<Result>(image: string, mounted: string, look: () => Result): Result {
  fs.mkdirSync(mounted, { recursive: true });
  execFileSync('mount', ['-o', 'loop', image, mounted]);
  try {
    return look();
  } finally {
    execFileSync('umount', [mounted]);
  }
}

/** BootEpoch that a document of evidence speaks of; undefined where there is none. */
export function epochOf(evidence: Readonly<Record<string, unknown>>): unknown {
  return (evidence['os_fingerprint'] as Record<string, unknown> | undefined)?.['boot_epoch'];
}
