/**
 * What precheck says while it works. Names, levels and attributes are public API (spec section 5).
 */

export type Level = 'debug' | 'info' | 'warn' | 'error';

/** Every event, with its level. Failures are events too; their messages stand in `failures`. */
export const events = {
  'edge.state_root.mount_check_skipped': 'warn',
  'edge.state_root.read_only': 'warn',
  'edge.state_root.lock_waiting': 'info',
  'edge.state_root.lock_left': 'warn',
  'edge.state_root.leftovers_removed': 'warn',
  'edge.state_root.leftovers_kept': 'warn',
  'edge.state_root.journal_discarded': 'warn',
  'edge.state_root.result_not_kept': 'warn',
  'edge.clock.implausible': 'warn',
  'edge.certificate.expires': 'warn',
  'edge.certificate.expiry_unproven': 'warn',
  'edge.certificate.validity_unproven': 'warn',
  'edge.certificate.rotated': 'info',
  'edge.certificate.rotation_finished': 'warn',
  'edge.digest.chosen': 'debug',
  'edge.manifest.stale': 'warn',
  'edge.manifest.boot_not_counted': 'warn',
  'edge.manifest.binary_missing': 'warn',
  'edge.os.fingerprint_initialized': 'info',
  'edge.os.fingerprint_lost': 'warn',
  'edge.os.update_detected': 'warn',
  'edge.os.rollback_detected': 'warn',
  'edge.os.image_identity_adopted': 'info',
  'edge.os.reconstruction_started': 'info',
  'edge.os.reconstruction_resumed': 'warn',
  'edge.os.reconstruction_completed': 'info',
  'edge.os.not_taken_back': 'warn',
  'edge.os.operation_staged': 'debug',
  'edge.os.operation_cannot_run': 'warn',
  'edge.epoch.evidence_repaired': 'warn',
  'edge.epoch.evidence_rolled_forward': 'warn',
  'edge.slot.blessed': 'info',
  'edge.slot.evidence_committed': 'info',
  'edge.slot.rolling_back': 'warn',
  'edge.slot.held': 'warn',
  'edge.precheck.dry_run': 'info',
  'edge.precheck.passed': 'debug',
} as const satisfies Record<string, Level>;

/** The name of an event, such as `edge.os.update_detected`. */
export type EventName = keyof typeof events;
/** What an event says beside its name. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** Told now and then while files are copied: bytes so far, bytes in all. */
export type Progress = (doneBytes: number, totalBytes: number) => void;

/** Receives every event, as it happens. */
export type Report = (name: EventName, attributes?: Attributes) => void;
