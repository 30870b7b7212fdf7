/** What this build states of itself. */
export const release = {
  version: '0.1.0',
  /** No true clock of a device with this build shows an earlier time (spec I7). RFC 3339. */
  builtAt: '2026-11-21T00:00:00.000Z',
} as const;
