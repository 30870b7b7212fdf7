/** What each exit code means: one source for `edged explain` and docs/reasons.md. */
import type { exitCodes, success } from '@edged/model/exit-code';
import type { FailureClass } from '@edged/model/failure';

export type ExitCode = typeof success | (typeof exitCodes)[keyof typeof exitCodes];

export const exitMeanings = {
  0: {
    title: 'clean',
    meaning:
      'First run, nothing changed, or the runtime was reconstructed. Everything that was ' +
      'promised is durable: fingerprint and evidence agree, every installed file is whole, and ' +
      'nothing was copied on the word of unverified bytes. The agent may start.',
  },
  1: {
    title: 'config or command line',
    meaning:
      'The config, the arguments, or a file given to a command cannot be used. Of the device ' +
      'nothing was looked at and nothing changed, and the agent does not start.',
  },
  2: {
    title: 'state root',
    meaning:
      'The state root is not persistent, not ours, in use by another precheck, or cannot be ' +
      'read. Nothing beyond it was judged, and the agent does not start.',
  },
  3: {
    title: 'certificate',
    meaning:
      'Certificate, key or CA cannot be read, do not belong together, are not valid, or are ' +
      'valid for less than 7 days (certificate.fail_within_days); or the rotation failed, and ' +
      'the old pair is as it was. The agent does not start.',
  },
  5: {
    title: 'reconstruction, slot, inspection, or an internal error',
    meaning:
      'The runtime could not be reconstructed, a slot cannot be committed, a check has found ' +
      'something wrong, or edged met a fault of its own. A precheck that ends so has installed ' +
      'nothing, or has left a journal that the next run carries to its end. The agent must not ' +
      'start.',
  },
} as const satisfies Record<ExitCode, { readonly title: string; readonly meaning: string }>;

/** Numbers that are asked for, and that edged does not end with. */
export const foreignExitCodes: ReadonlyMap<string, string> = new Map([
  ['4', 'edged never ends with 4.'],
  ['42', 'edged never ends with 42: it belongs to another program.'],
]);

export const classMeanings = {
  transient: 'running it again may be enough',
  operator: 'something at this device must be put right',
  permanent: 'what was shipped will never be accepted; something else must be shipped',
} as const satisfies Record<FailureClass, string>;
