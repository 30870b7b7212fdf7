/** The count of operating systems this state root has lived under: 0 for the first (spec I1). */
import { PrecheckError } from './failure.ts';

export type BootEpoch = number & { readonly brand: 'BootEpoch' };

export const firstEpoch = 0 as BootEpoch;

/** A whole number from 0 that can still be counted up; undefined for anything else. */
export function parseBootEpoch(value: unknown): BootEpoch | undefined {
  const usable = Number.isSafeInteger(value) && (value as number) >= 0;
  return usable && (value as number) < Number.MAX_SAFE_INTEGER ? (value as BootEpoch) : undefined;
}

/** Throws `os.epoch_exhausted` where a record was edited to the end of what can be counted. */
export function nextEpoch(epoch: BootEpoch): BootEpoch {
  const next = parseBootEpoch(epoch + 1);
  if (next === undefined) throw new PrecheckError('os.epoch_exhausted', { boot_epoch: epoch });
  return next;
}
