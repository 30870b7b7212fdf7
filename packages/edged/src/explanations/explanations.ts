/**
 * A page for every reason: one source for `edged explain`, the manual and docs/reasons.md. A reason
 * without a page, and a page without a reason, does not compile.
 */
import type { FailureCode } from '@edged/model/failure';
import { certificateExplanations } from './certificate.ts';
import { configExplanations } from './config.ts';
import type { Explanation } from './explanation.ts';
import { inspectionExplanations } from './inspection.ts';
import { reconstructionExplanations } from './reconstruction.ts';
import { slotExplanations } from './slot.ts';
import { stateRootExplanations } from './state-root.ts';
import { trustExplanations } from './trust.ts';

export const explanations = {
  ...configExplanations,
  ...stateRootExplanations,
  ...certificateExplanations,
  ...trustExplanations,
  ...reconstructionExplanations,
  ...slotExplanations,
  ...inspectionExplanations,
  'internal.defect': {
    meaning:
      'edged met something that its code does not provide for; `problem` is what and where. ' +
      'Since nobody knows what was not checked, this is exit 5 and the agent does not start, ' +
      'and never the exit code of a wrong config. What a change had promised is carried to ' +
      'its end by the next run, as after a power cut.',
    repair: [
      'Keep what was said: `journalctl -b -u edged-precheck > /tmp/edged.log`, `edged version ' +
        '--output json`.',
      'See whether the device itself is in order: `edged doctor --config F`, `dmesg | tail ' +
        '-50`.',
      'Try once more: `systemctl restart edged-precheck && systemctl start edged`.',
      'If it comes again, go back to the version before, and report the bug with the log.',
    ],
  },
} as const satisfies Record<FailureCode, Explanation>;
