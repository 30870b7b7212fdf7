/** How an epoch came to be; kept in evidence and history. */

const epochKinds = ['first_run', 'os_replaced', 'os_rolled_back', 'state_lost'] as const;

/** `os_rolled_back`: the OS was replaced by one that this device ran before. */
export type EpochKind = (typeof epochKinds)[number];

/** Undefined for what is none. */
export function parseEpochKind(value: unknown): EpochKind | undefined {
  return epochKinds.find((kind) => kind === value);
}
