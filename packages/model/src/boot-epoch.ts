/** The count of operating systems this state root has lived under: 0 for the first (spec I1). */
export type BootEpoch = number & { readonly brand: 'BootEpoch' };

export const firstEpoch = 0 as BootEpoch;

/** A whole number from 0 that can still be counted up; undefined for anything else. */
export function parseBootEpoch(value: unknown): BootEpoch | undefined {
  const usable = Number.isSafeInteger(value) && (value as number) >= 0;
  return usable && (value as number) < Number.MAX_SAFE_INTEGER ? (value as BootEpoch) : undefined;
}

export function nextEpoch(epoch: BootEpoch): BootEpoch {
  return (epoch + 1) as BootEpoch;
}
