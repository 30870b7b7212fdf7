/** From gate to exit code (spec section 5). 4 is never used; 42 belongs to another program. */
import type { Gate } from './failure.ts';

/** 1, 2, 3 or 5, by gate. */
export const exitCodes = {
  config: 1,
  state_root: 2,
  certificate: 3,
  reconstruction: 5,
  slot: 5,
  /** Of `edged doctor`; precheck never gives it. */
  inspection: 5,
  /** A fault of our own must not look like a config error: the agent must not start. */
  defect: 5,
} as const satisfies Record<Gate, number>;

export const success = 0;
