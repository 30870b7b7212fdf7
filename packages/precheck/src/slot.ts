/** The running slot, as the machine states it (`model/boot-slot.ts`); and what the tools add. */
import { DiskError, type Host, type OperatingSystem, type Tools } from '@edged/host/host';
import {
  type BootSlot,
  type RaucStatus,
  type SlotAdapter,
  parseRaucStatus,
  parseTries,
  slotFrom,
} from '@edged/model/boot-slot';

/** The vendor UUID of systemd-boot's EFI variables (systemd.io/BOOT_LOADER_INTERFACE). */
const loader = '4a67b082-0a4c-41cf-b6c7-440b29bb8c4f';

const toolTimeoutMilliseconds = 30_000;

/** From the kernel and the firmware alone: what a precheck in its sandbox can see. */
export function readSlot(system: OperatingSystem): BootSlot {
  return slotFrom({
    loaderInfo: system.efiVariable(`LoaderInfo-${loader}`),
    entry: system.efiVariable(`LoaderEntrySelected-${loader}`),
    countPath: system.efiVariable(`LoaderBootCountPath-${loader}`),
    commandLine: system.kernelCommandLine(),
  });
}

/** The same, with what RAUC's service knows. */
export function readSlotWithTools(host: Host, tools: Tools): BootSlot {
  const slot = readSlot(host.system);
  const status = slot.adapter === 'rauc' ? raucStatus(tools) : undefined;
  if (status?.isGood === undefined) return slot;
  return { ...slot, name: status.bootname, trial: status.isGood ? 'no' : 'yes' };
}

/** Whether another slot could be started. */
export function hasWayBack(slot: BootSlot, host: Host, tools: Tools): boolean {
  if (slot.adapter === 'none') return false;
  if (slot.adapter === 'rauc') return raucStatus(tools)?.otherIsGood ?? false;
  return hasOtherEntry(slot, host);
}

function raucStatus(tools: Tools): RaucStatus | undefined {
  const args = ['status', '--output-format=json'];
  const { exitCode, stdout } = tools.run('rauc', args, toolTimeoutMilliseconds);
  if (exitCode !== 0) return undefined;
  try {
    return parseRaucStatus(JSON.parse(stdout));
  } catch {
    return undefined; // not JSON: it has said nothing
  }
}

/** Where the boot partitions are mounted (systemd.io/BOOT_LOADER_SPECIFICATION). */
const bootPartitions = ['/efi', '/boot', '/boot/efi'] as const;

/** An entry in a boot partition, not the running one, that still has tries or needs none. */
function hasOtherEntry({ name = '' }: BootSlot, host: Host): boolean {
  const files = bootPartitions.flatMap((partition) =>
    ['EFI/Linux', 'loader/entries'].flatMap((directory) =>
      entriesIn(`${partition}/${directory}`, host),
    ),
  );
  return files
    .filter((file) => /\.(?:efi|conf)$/i.test(file) && parseTries(file)?.triesLeft !== 0)
    .some((file) => withoutTries(file) !== withoutTries(name));
}

/** A directory that cannot be read offers no way back: that is an answer, not an error. */
function entriesIn(directory: string, host: Host): readonly string[] {
  try {
    return host.listDirectory(directory) ?? [];
  } catch (error) {
    if (error instanceof DiskError) return [];
    throw error;
  }
}

function withoutTries(file: string): string {
  return file.replace(/\+\d+(?:-\d+)?(?=\.\w+$)/, '').toLowerCase();
}

/** What tells the boot loader that its slot is good; nobody is there to be told without one. */
export const commandsToBless: Readonly<Record<SlotAdapter, readonly string[]>> = {
  none: [],
  'systemd-boot': ['/usr/lib/systemd/systemd-bless-boot', 'good'],
  rauc: ['rauc', 'status', 'mark-good'],
};
