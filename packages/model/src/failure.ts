/**
 * Every way in which a command can refuse, as one table: code → gate, message, remedy; its rows
 * stand in `failures/`, a file for each gate.
 * Codes, messages and gates are public API (spec section 5). The gate decides the exit code;
 * the table of gates stands in `exit-code.ts`.
 */
import { certificateFailures } from './failures/certificate.ts';
import { configFailures } from './failures/config.ts';
import { inspectionFailures } from './failures/inspection.ts';
import { reconstructionFailures } from './failures/reconstruction.ts';
import { slotFailures } from './failures/slot.ts';
import { stateRootFailures } from './failures/state-root.ts';
import { trustFailures } from './failures/trust.ts';

/** The check that refused. `defect` is a fault of the program itself. */
export type Gate =
  'config' | 'state_root' | 'certificate' | 'reconstruction' | 'slot' | 'inspection' | 'defect';

/**
 * What helps, for a script that decides without reading prose. `transient`: running it again may be
 * enough. `operator`: something at this device must be put right. `permanent`: what was shipped to
 * it will never be accepted; something else must be shipped.
 */
export type FailureClass = 'transient' | 'operator' | 'permanent';

/** One row of the table: all that a code stands for. */
export interface FailureKind {
  /** The check that refuses with it. */
  readonly gate: Gate;
  /** What helps. */
  readonly class: FailureClass;
  /** The log message, stable. */
  readonly message: string;
  /** One sentence that says what to do next. */
  readonly remedy: string;
}

/** The table, by code. */
export const failures = {
  ...configFailures,
  ...stateRootFailures,
  ...certificateFailures,
  ...trustFailures,
  ...reconstructionFailures,
  ...slotFailures,
  ...inspectionFailures,
  'internal.defect': {
    gate: 'defect',
    class: 'permanent',
    message: 'edged: internal error',
    remedy: 'Report this as a bug, with the detail shown; the agent must not start.',
  },
} as const satisfies Record<string, FailureKind>;

/** A stable reason, such as `manifest.signature_invalid`. */
export type FailureCode = keyof typeof failures;

/** What was found, where: shown in the log line, never a secret. */
export type FailureDetail = Readonly<Record<string, string | number | boolean>>;

/** The one error class of the house: a refusal with a stable code. */
export class PrecheckError extends Error {
  /** `PrecheckError`: tells it from other errors, where two copies of this module are loaded. */
  override readonly name = 'PrecheckError';
  /** Why it was refused. */
  readonly code: FailureCode;
  /** One entry for each problem found; at least one. */
  readonly details: readonly FailureDetail[];

  constructor(
    code: FailureCode,
    detail: FailureDetail | readonly FailureDetail[] = {},
    cause?: unknown,
  ) {
    super(failures[code].message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = Array.isArray(detail) ? detail : [detail as FailureDetail];
  }

  /** The check that refused. */
  get gate(): Gate {
    return failures[this.code].gate;
  }

  /** Whether running it again, the operator, or only another shipment helps. */
  get class(): FailureClass {
    return failures[this.code].class;
  }

  /** One sentence that says what to do next. */
  get remedy(): string {
    return failures[this.code].remedy;
  }
}

/** What is thrown and no refusal is a fault of the program. */
export function toPrecheckError(error: unknown): PrecheckError {
  if (error instanceof PrecheckError) return error;
  const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new PrecheckError('internal.defect', { problem }, error);
}
