/** The running slot, as the machine states it (`model/boot-slot.ts`); and what the tools add. */
import type { Host, OperatingSystem, Tools } from '@edged/host/host';
import {
  type BootSlot,
  type RaucStatus,
  type SlotAdapter,
  parseRaucStatus,
  parseTries,
  raucStatesTrials,
  slotFrom,
} from '@edged/model/boot-slot';
import { stated } from '../state-root/disk-failure.ts';

/** The vendor UUID of systemd-boot's EFI variables (systemd.io/BOOT_LOADER_INTERFACE). */
const loader = '4a67b082-0a4c-41cf-b6c7-440b29bb8c4f';

const toolTimeoutMilliseconds = 30_000;
const confLimitBytes = 1024 * 1024;

/** From the kernel and the firmware alone: what a precheck in its sandbox can see. */
export function readSlot(system: OperatingSystem): BootSlot {
  const variable = (name: string): string | undefined =>
    stated(() => system.efiVariable(`${name}-${loader}`));
  return slotFrom({
    loaderInfo: variable('LoaderInfo'),
    entry: variable('LoaderEntrySelected'),
    countPath: variable('LoaderBootCountPath'),
    commandLine: stated(() => system.kernelCommandLine()) ?? '',
  });
}

/** The same, with what RAUC's service knows, and whether this boot was blessed since it began. */
export async function readSlotWithTools(host: Host, tools: Tools): Promise<BootSlot> {
  const slot = readSlot(host.system);
  if (slot.adapter === 'systemd-boot' && slot.trial === 'yes' && isBlessed(slot, host)) {
    return { ...slot, trial: 'no' };
  }
  if (slot.adapter !== 'rauc') return slot;
  const conf = stated(() => host.readFile('/etc/rauc/system.conf', confLimitBytes));
  if (!conf || !raucStatesTrials(Buffer.from(conf).toString())) return slot;
  const status = await raucStatus(tools);
  if (status?.isGood === undefined) return slot;
  return { ...slot, name: status.bootname, trial: status.isGood ? 'no' : 'yes' };
}

/** The firmware's variable stays as it was at power-on; the file has lost its counters. */
function isBlessed({ name = '' }: BootSlot, host: Host): boolean {
  const plain = withoutTries(name);
  return bootFiles(host).some((file) => file.toLowerCase() === plain);
}

/** Whether another slot could be started. */
export async function hasWayBack(slot: BootSlot, host: Host, tools: Tools): Promise<boolean> {
  if (slot.adapter === 'none') return false;
  if (slot.adapter === 'rauc') return (await raucStatus(tools))?.otherIsGood ?? false;
  return slot.name !== undefined && hasOtherEntry(slot.name, host);
}

async function raucStatus(tools: Tools): Promise<RaucStatus | undefined> {
  const args = ['status', '--output-format=json'];
  const { exitCode, stdout } = await tools.run('rauc', args, toolTimeoutMilliseconds);
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
function hasOtherEntry(name: string, host: Host): boolean {
  return bootFiles(host)
    .filter((file) => /\.(?:efi|conf)$/i.test(file) && parseTries(file)?.triesLeft !== 0)
    .some((file) => withoutTries(file) !== withoutTries(name));
}

/** A directory that cannot be read offers no way back: that is an answer, not an error. */
function bootFiles(host: Host): string[] {
  return bootPartitions.flatMap((partition) =>
    ['EFI/Linux', 'loader/entries'].flatMap((directory) => [
      ...(stated(() => host.listDirectory(`${partition}/${directory}`)) ?? []),
    ]),
  );
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
