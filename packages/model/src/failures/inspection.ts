/** Exit 5 of `edged doctor`: what the boot path does not look at. Precheck gives none of these. */
import type { FailureKind } from '../failure.ts';

export const inspectionFailures = {
  'inspection.timed_out': {
    gate: 'inspection',
    class: 'operator',
    message: 'edged: a check did not end in time',
    remedy: 'Look at the kernel log (`dmesg`): a disk that does not answer is the usual cause.',
  },
  'inspection.directory_missing': {
    gate: 'inspection',
    class: 'operator',
    message: 'edged: a directory of the state root is missing',
    remedy:
      'Run `edged doctor --fix`, or `edged init STATE_ROOT`; nothing that is there is touched.',
  },
  'inspection.mode_too_open': {
    gate: 'inspection',
    class: 'operator',
    message: 'edged: a file is open to more users than it should be',
    remedy: 'Run `edged doctor --fix` to take the rights away, then check who has used them.',
  },
  'inspection.directory_closed': {
    gate: 'inspection',
    class: 'operator',
    message: 'edged: a directory keeps others from a file that they may use',
    remedy: 'If the agent does not run as root, run `chmod 755` on each directory shown.',
  },
  'inspection.lock_without_owner': {
    gate: 'inspection',
    class: 'transient',
    message: 'edged: a lock was left by a precheck that is no more',
    remedy: 'Nothing need be done: the next precheck takes it away, as does `edged doctor --fix`.',
  },
  'inspection.unfinished_work': {
    gate: 'inspection',
    class: 'transient',
    message: 'edged: an earlier precheck was cut off in its work',
    remedy: 'Nothing need be done: the next precheck finishes it, as does `edged doctor --fix`.',
  },
  'inspection.records_disagree': {
    gate: 'inspection',
    class: 'transient',
    message: 'edged: the records of the epochs do not agree',
    remedy:
      'Nothing need be done: precheck repairs evidence at once, the history with the next epoch.',
  },
  'inspection.installed_missing': {
    gate: 'inspection',
    class: 'operator',
    message: 'edged: a file that the manifest installs is missing',
    remedy: 'Find out who removed it, then copy src to dst again: `install -m MODE SRC DST`.',
  },
  'inspection.installed_differs': {
    gate: 'inspection',
    class: 'operator',
    message: 'edged: an installed file is not what the manifest installs',
    remedy: 'Keep the file as evidence, find out who wrote it, then `install -m MODE SRC DST`.',
  },
  'inspection.binary_changed': {
    gate: 'inspection',
    class: 'operator',
    message: 'edged: the binary is not the one that the evidence of this epoch speaks of',
    remedy: 'If a new runtime was shipped all is well; otherwise restore runtime/binaries/.',
  },
  'inspection.library_missing': {
    gate: 'inspection',
    class: 'permanent',
    message: 'edged: the OS does not bring what a program of the runtime needs to start',
    remedy: 'Ship a build for the C library of that OS, or a statically linked one.',
  },
  'inspection.clock_implausible': {
    gate: 'inspection',
    class: 'operator',
    message: 'edged: the clock is wrong',
    remedy: 'Set the clock (`timedatectl set-time`), or let a time service do so.',
  },
  'inspection.certificate_expires': {
    gate: 'inspection',
    class: 'operator',
    message: 'edged: the certificate is about to expire',
    remedy: 'Renew it before precheck refuses it, or give precheck the key of the CA.',
  },
  'inspection.no_verdict': {
    gate: 'inspection',
    class: 'operator',
    message: 'edged: precheck has left no verdict in this boot',
    remedy: 'Run `systemctl status edged-precheck`, then `systemctl start edged-precheck`.',
  },
  'inspection.unit_missing': {
    gate: 'inspection',
    class: 'operator',
    message: 'edged: a systemd unit is not installed',
    remedy: 'Install the package, or run `sh systemd/install`; then `systemctl daemon-reload`.',
  },
  'inspection.unit_disabled': {
    gate: 'inspection',
    class: 'operator',
    message: 'edged: a systemd unit will not be started at boot',
    remedy: 'Run `systemctl enable` with the unit shown.',
  },
} as const satisfies Record<string, FailureKind>;
