/** Exit 5: committing and rolling back a slot of an A/B system. */
import type { FailureKind } from '../failure.ts';

export const slotFailures = {
  'slot.precheck_not_passed': {
    gate: 'slot',
    class: 'operator',
    message: 'edged: precheck has not succeeded in this boot',
    remedy:
      'Read what precheck said (`journalctl -b -u edged-precheck`), repair that, run it again.',
  },
  'slot.agent_unhealthy': {
    gate: 'slot',
    class: 'operator',
    message: 'edged: the agent was not healthy for long enough',
    remedy: 'Look at the agent (`journalctl -b -u edged`); the slot is not marked good.',
  },
  'slot.not_marked': {
    gate: 'slot',
    class: 'operator',
    message: 'edged: the boot loader could not be told that this slot is good',
    remedy: 'Run the command shown by hand; the slot is taken back at one of the next boots.',
  },
  'slot.reboot_failed': {
    gate: 'slot',
    class: 'operator',
    message: 'edged: the reboot out of a failed trial could not be started',
    remedy: 'Reboot by hand: the boot loader takes the trial back.',
  },
} as const satisfies Record<string, FailureKind>;
