/**
 * Which slot of an A/B system is running, and whether this boot is a trial: one that the boot
 * loader takes back unless somebody says that it was good. What is stated, never what is likely;
 * slot and tries are no part of the fingerprint: the same image in another slot is the same OS.
 */

/** `none`: no boot loader that we know of has said anything. */
export type SlotAdapter = 'none' | 'systemd-boot' | 'rauc';

export interface BootSlot {
  readonly adapter: SlotAdapter;
  /** As the boot loader names it. */
  readonly name?: string;
  readonly trial: 'yes' | 'no' | 'unknown';
  /** Boots that are left to this entry before the loader passes it over. */
  readonly triesLeft?: number;
  readonly triesDone?: number;
}

const noSlot: BootSlot = { adapter: 'none', trial: 'unknown' };

/** What systemd-boot and the kernel command line state; undefined where they state nothing. */
export interface SlotStatements {
  /** EFI variable `LoaderInfo`: name and version of the boot loader. */
  readonly loaderInfo: string | undefined;
  /** EFI variable `LoaderEntrySelected`. */
  readonly entry: string | undefined;
  /** EFI variable `LoaderBootCountPath`: the file of the entry, with its counters. */
  readonly countPath: string | undefined;
  readonly commandLine: string;
}

/**
 * Throws nothing. Where both loaders speak (RAUC can install what systemd-boot starts), only one of
 * them counts tries: that is systemd-boot when it does, RAUC otherwise.
 */
export function slotFrom(statements: SlotStatements): BootSlot {
  const { loaderInfo, entry, countPath, commandLine } = statements;
  const bootname = /(?:^|\s)rauc\.slot=(\S+)/.exec(commandLine)?.[1];
  const counted = countPath === undefined ? undefined : parseTries(countPath);
  if (bootname !== undefined && !counted) {
    return { adapter: 'rauc', name: bootname, trial: 'unknown' };
  }
  if (!loaderInfo?.startsWith('systemd-boot')) return noSlot;
  const name = entry === undefined ? {} : { name: entry };
  return { adapter: 'systemd-boot', ...name, trial: counted ? 'yes' : 'no', ...counted };
}

/**
 * Boot counters in a file name (systemd.io/AUTOMATIC_BOOT_ASSESSMENT): `name+LEFT-DONE.efi`, the
 * second part left out while it is 0. Undefined when there are none.
 */
export function parseTries(
  file: string,
): { readonly triesLeft: number; readonly triesDone: number } | undefined {
  const match = /\+(\d{1,5})(?:-(\d{1,5}))?\.(?:efi|conf)$/i.exec(file);
  if (!match) return undefined;
  return { triesLeft: Number(match[1]), triesDone: Number(match[2] ?? 0) };
}

export function slotToJson(slot: BootSlot): Record<string, unknown> {
  return {
    adapter: slot.adapter,
    ...(slot.name === undefined ? {} : { name: slot.name }),
    trial: slot.trial,
    ...(slot.triesLeft === undefined ? {} : { tries_left: slot.triesLeft }),
    ...(slot.triesDone === undefined ? {} : { tries_done: slot.triesDone }),
  };
}

/** What `rauc status --output-format=json` says of the running slot and of the others. */
export interface RaucStatus {
  readonly bootname: string;
  readonly isGood: boolean | undefined;
  readonly otherIsGood: boolean;
}

/**
 * The backends whose slots are good only after they were marked so, from system.conf of RAUC. Those
 * of U-Boot, GRUB and barebox call a slot good, or bad, by its remaining tries: that is no trial.
 */
export function raucStatesTrials(systemConf: string): boolean {
  return /^\s*bootloader\s*=\s*(?:efi|custom)\s*$/m.test(systemConf);
}

/** Undefined when it is no such document, or names no booted slot. */
export function parseRaucStatus(json: unknown): RaucStatus | undefined {
  const slots = (json as { slots?: unknown } | null)?.slots;
  if (!Array.isArray(slots)) return undefined;
  const all = slots.flatMap((slot) => Object.values(slot as object)) as {
    readonly bootname?: string | null;
    readonly state?: string;
    readonly boot_status?: string | null;
  }[];
  const bootable = all.filter(({ bootname }) => bootname);
  const booted = bootable.find(({ state }) => state === 'booted');
  if (!booted?.bootname) return undefined;
  return {
    bootname: booted.bootname,
    isGood: isGood(booted.boot_status),
    otherIsGood: bootable.some((slot) => slot !== booted && isGood(slot.boot_status) === true),
  };
}

function isGood(status: string | null | undefined): boolean | undefined {
  return status === 'good' ? true : status === 'bad' ? false : undefined;
}

export type FailureResponse = 'reboot' | 'hold';

/**
 * What is to be done when precheck, or the agent, has failed in this slot. Rebooting burns a try
 * and ends in the last good slot; so it is done only in a trial, and only where there is a way
 * back. Everything else holds: a committed slot that fails waits for an operator, it does not loop.
 */
export function respondToFailure(
  slot: BootSlot,
  hasWayBack: boolean,
): { readonly response: FailureResponse; readonly reason: string } {
  if (slot.adapter === 'none') {
    return { response: 'hold', reason: 'no boot loader says that this boot is a trial' };
  }
  if (slot.trial === 'unknown') {
    return { response: 'hold', reason: 'the boot loader does not say whether this is a trial' };
  }
  if (slot.trial === 'no') return { response: 'hold', reason: 'this slot is committed' };
  if (parseTries(slot.name ?? '')?.triesLeft === 0) {
    // its tries were used up before this boot, and the loader still found nothing better
    return { response: 'hold', reason: 'the boot loader has no other slot to start' };
  }
  if ((slot.triesLeft ?? 0) === 0 && !hasWayBack) {
    return { response: 'hold', reason: 'no other slot could be started' };
  }
  return { response: 'reboot', reason: 'this boot is a trial' };
}
