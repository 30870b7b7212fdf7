/**
 * What the log lines say that are no failures: one source for `edged explain` and
 * docs/reference/events.md. Names and levels stand in the table of events.
 */
import type { EventName } from '@edged/precheck/event';
import type { EventExplanation } from './explanation.ts';

const nothing = 'Nothing.';

export const eventExplanations = {
  'edge.state_root.mount_check_skipped': {
    attributes: ['state_root'],
    meaning:
      '`EDGE_STATE_ROOT_SKIP_MOUNT_CHECK=1`, every time: nobody has looked whether the state ' +
      'root survives an OS replacement.',
    action: 'On a device in the field, take the variable out of the unit.',
  },
  'edge.state_root.read_only': {
    attributes: ['mount'],
    meaning:
      'The state root is on a read-only mount. A boot with nothing to do passes; with work it ' +
      'is `state_root.read_only`.',
    action: 'Find out why it is read-only, before the next OS comes: `dmesg`.',
  },
  'edge.state_root.lock_waiting': {
    attributes: ['state_root'],
    meaning:
      'Another precheck is at work; it is waited for, as long as `--lock-wait-seconds` says.',
    action: nothing,
  },
  'edge.state_root.lock_left': {
    attributes: ['failed_call', 'file', 'errno'],
    meaning:
      'The visible lock could not be removed; the verdict stands. The lock that counts is the ' +
      "kernel's, and free; the next precheck removes the visible one.",
    action: 'Look at the disk: `dmesg`.',
  },
  'edge.state_root.leftovers_removed': {
    attributes: ['directory', 'found'],
    meaning:
      'A run was cut off before it had promised anything; what it had begun is removed. Or ' +
      'something in epoch/ had a name that ends in `.tmp` and that nobody gives who writes there.',
    action: 'Nothing, unless it comes again: then find out what cuts precheck off.',
  },
  'edge.state_root.leftovers_kept': {
    attributes: ['failed_call', 'file', 'errno'],
    meaning:
      'The change is done and durable; only what it had set aside could not be removed. The ' +
      'next precheck removes it.',
    action: 'Look at the disk: `dmesg`.',
  },
  'edge.state_root.journal_discarded': {
    attributes: ['found'],
    meaning:
      'A journal is damaged or contradicts the records, as `found` says; it is not followed, and ' +
      'the decision starts afresh.',
    action: 'Look at the disk (`dmesg`), and who may have written to bootstrap/.',
  },
  'edge.state_root.result_not_kept': {
    attributes: ['file', 'found'],
    meaning: 'The result could not be written to `bootstrap/last_result.json`; the verdict stands.',
    action: 'Look at the disk: `df -h`, `dmesg`.',
  },
  'edge.clock.implausible': {
    attributes: ['clock', 'floor', 'floor_from'],
    meaning:
      'Nobody has synchronised the clock, and it is before the floor or more than five years ' +
      'after it. The floor, a time that has passed for certain, is used in its place.',
    action: 'Set the clock, or let a time service do so; look at its battery.',
  },
  'edge.certificate.expires': {
    attributes: ['cert', 'subject', 'not_before', 'not_after', 'now', 'time_verdict', 'days_left'],
    meaning: 'The certificate ends within `certificate.warn_within_days`.',
    action: 'Renew it before `certificate.expires_soon` comes.',
  },
  'edge.certificate.validity_unproven': {
    attributes: ['cert', 'subject', 'not_before', 'not_after', 'now', 'time_verdict'],
    meaning:
      'The validity begins in the future of a clock that nobody has synchronised: the clock is ' +
      'the likelier culprit, and the certificate is let pass.',
    action: 'Set the clock, or let a time service do so.',
  },
  'edge.certificate.expiry_unproven': {
    attributes: ['cert', 'subject', 'not_before', 'not_after', 'now', 'time_verdict'],
    meaning:
      'The validity has ended by a clock that is implausible, and not by a time that has passed ' +
      'for certain: the certificate is let pass.',
    action: 'Set the clock, and then look at the certificate.',
  },
  'edge.certificate.rotated': {
    attributes: ['cert', 'subject', 'not_after'],
    meaning: 'A new pair is in place, durably.',
    action: nothing,
  },
  'edge.certificate.rotation_finished': {
    attributes: ['cert', 'found'],
    meaning: 'A rotation that was cut off is brought to its end, or its leftovers are removed.',
    action: nothing,
  },
  'edge.digest.chosen': {
    attributes: ['native', 'found'],
    meaning: 'Before files are hashed: in machine code, or why not.',
    action: nothing,
  },
  'edge.manifest.stale': {
    attributes: ['boots', 'max_boots_since_accept'],
    meaning:
      'A matching boot of a manifest that has served its boots, or whose count is lost; it ' +
      'installs nothing any more. What is installed runs on.',
    action: 'Ship a newly signed manifest before the next OS comes.',
  },
  'edge.manifest.boot_not_counted': {
    attributes: ['failed_call', 'file', 'errno'],
    meaning:
      'The manifest limits its boots (`max_boots_since_accept`), and this one could not be ' +
      'written down. The runtime that is installed goes on.',
    action: 'Look at the disk: `df -h`, `df -i`, `dmesg`.',
  },
  'edge.manifest.binary_missing': {
    attributes: ['binary_path', 'file'],
    meaning:
      'The manifest names a `binary_path`, and no regular file stands there: the evidence of ' +
      'this epoch has no `binary_hash`. What the operations install is not concerned.',
    action: 'Correct `binary_path`, a name inside `runtime/binaries/`, or ship the file.',
  },
  'edge.os.fingerprint_initialized': {
    attributes: ['composite_hash', 'boot_epoch'],
    meaning: 'First run: the OS is on record as epoch 0.',
    action: 'Nothing on a new device. On an old one, its state root is another or was wiped.',
  },
  'edge.os.fingerprint_lost': {
    attributes: ['fingerprint', 'highest_epoch'],
    meaning:
      'No usable fingerprint (absent or damaged), but traces of earlier epochs: the runtime is ' +
      'reconstructed, and the epoch goes on from the highest on record.',
    action: 'Find out who removed or damaged it; look at the disk: `dmesg`.',
  },
  'edge.os.update_detected': {
    attributes: ['previous_hash', 'current_hash', 'changed'],
    meaning:
      "The stored hash is not the running OS's: the OS was replaced, and the runtime is " +
      'reconstructed. `changed` names what differs.',
    action: 'Nothing after an update. Without one, find out who changed the OS.',
  },
  'edge.os.rollback_detected': {
    attributes: ['current_hash', 'known_epoch'],
    meaning:
      'The running OS is one that this device ran before, last from epoch `known_epoch`. It is ' +
      'an epoch of its own all the same.',
    action: 'Nothing after a rollback on purpose. Otherwise find out why the update failed.',
  },
  'edge.os.image_identity_adopted': {
    attributes: ['boot_epoch', 'names'],
    meaning: '`fingerprint.profile: image` was turned on, or another file named; the epoch stays.',
    action: nothing,
  },
  'edge.os.reconstruction_started': {
    attributes: ['boot_epoch'],
    meaning: 'Before the manifest is verified; `boot_epoch` is the epoch that would begin.',
    action: nothing,
  },
  'edge.os.not_taken_back': {
    attributes: ['failed_call', 'file', 'errno'],
    meaning:
      'A reconstruction failed, or may not be followed, and is taken back; this one call of it ' +
      'the disk refused. Everything else is as it was before, and every precheck tries again.',
    action: 'Look at `file`: `lsattr`, `mount`, `dmesg`.',
  },
  'edge.os.operation_staged': {
    attributes: ['operation', 'src', 'dst', 'size_bytes', 'hash'],
    meaning: 'A source was read, judged and (but for a dry run, which writes nothing) staged.',
    action: nothing,
  },
  'edge.os.operation_cannot_run': {
    attributes: ['operation', 'src', 'dst', 'found'],
    meaning:
      'A program would be installed where, or so that, it cannot run: the state root is mounted ' +
      'noexec, or no executable bit is set. With `executable` in the manifest it would be ' +
      '`operation.cannot_run`.',
    action: 'Correct the mode in the manifest, or the mount, if it is to be run there.',
  },
  'edge.os.reconstruction_resumed': {
    attributes: ['boot_epoch'],
    meaning: 'A change that was cut off is finished.',
    action: 'Nothing, unless it comes again: then find out what cuts precheck off.',
  },
  'edge.os.reconstruction_completed': {
    attributes: ['duration_seconds', 'boot_epoch'],
    meaning: 'Everything is durable: runtime, evidence and fingerprint of the new epoch.',
    action: nothing,
  },
  'edge.epoch.evidence_repaired': {
    attributes: ['found', 'boot_epoch'],
    meaning: 'The evidence did not agree with a matching fingerprint; it was written anew.',
    action: 'Nothing after a crash. Otherwise find out who edited epoch/.',
  },
  'edge.epoch.evidence_rolled_forward': {
    attributes: ['boot_epoch'],
    meaning: 'Complete evidence had not been renamed into place; it is now.',
    action: nothing,
  },
  'edge.slot.blessed': {
    attributes: ['adapter', 'slot'],
    meaning: 'The boot loader was told that this slot is good.',
    action: nothing,
  },
  'edge.slot.evidence_committed': {
    attributes: ['boot_epoch'],
    meaning: '`epoch/committed` is the evidence of this OS.',
    action: nothing,
  },
  'edge.slot.rolling_back': {
    attributes: ['adapter', 'slot', 'found', 'tries_left'],
    meaning: 'A failed trial: the device reboots.',
    action: 'Read why in the journal of this boot (`journalctl -b -1` after the reboot).',
  },
  'edge.slot.held': {
    attributes: ['adapter', 'slot', 'found'],
    meaning: 'A failed boot that is no trial: nothing is rebooted.',
    action: 'Repair what the reason of precheck says: `edged explain REASON`.',
  },
  'edge.precheck.dry_run': {
    attributes: ['would', 'exit_code'],
    meaning: '`--dry-run`: what a boot would find, or its reason, and how it would end.',
    action: nothing,
  },
  'edge.precheck.passed': {
    attributes: ['decision', 'time_verdict'],
    meaning: 'Exit 0.',
    action: nothing,
  },
} as const satisfies Record<EventName, EventExplanation>;
