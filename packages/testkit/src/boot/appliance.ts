/** What the two reference appliances (`tests/machine/appliances`) have in common. */
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { debianRoot, whyNoRoot } from './root-image.ts';
import { freshFirmwareVariables, whyNoMachine } from './virtual-machine.ts';

/** Minutes of emulation: not with every run of the tests. */
export function onlyByRequest(environment: NodeJS.ProcessEnv): string | undefined {
  return environment['BOOT_TABLE'] === undefined ? 'npm run test:appliances runs it' : undefined;
}

/** Why no appliance can be built and booted here; undefined when it can. */
export function whyNoAppliance(programs: readonly string[]): string | undefined {
  const missing = [...programs, 'mcopy', 'mkfs.vfat', 'sfdisk', 'cpio', 'depmod'].filter(
    (tool) => spawnSync(tool, ['--version']).error,
  );
  if (!fs.existsSync(freshFirmwareVariables)) missing.push('ovmf');
  return (
    whyNoRoot() ??
    whyNoMachine() ??
    (missing.length > 0 ? `needs ${missing.join(', ')}` : undefined)
  );
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
