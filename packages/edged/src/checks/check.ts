/**
 * The form of a check: one question about a device, asked by the same function that precheck asks
 * at boot, or one that only `doctor` asks. Checks change nothing, use no network, and answer within
 * a time limit or not at all.
 */
import type { FailureCode, FailureDetail, Gate } from '@edged/model/failure';
import type { Subject } from './subject.ts';

/** `unknown`: it could not be found out. `skipped`: there was no sense in asking. */
export type CheckStatus = 'ok' | 'warning' | 'failed' | 'skipped' | 'unknown';

export interface Finding {
  readonly status: CheckStatus;
  /** What was found, one line. */
  readonly summary: string;
  /** With `warning`, `failed` and `unknown`: message, remedy and class stand in the table. */
  readonly reason?: FailureCode;
  readonly details?: readonly FailureDetail[];
  /** What a program may want of it; snake_case, no secrets. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

export interface Check {
  /** Stable: `gate.what`. */
  readonly id: string;
  readonly gate: Gate;
  /** What is asked, for people. */
  readonly title: string;
  /**
   * Precheck can refuse a boot for it. It asks what a boot needs: one that merely matches takes no
   * lock and looks at no key, manifest, operation or space.
   */
  readonly atBoot: boolean;
  /**
   * These it can find: a code, or `name.*`; no two checks find the same. `service.verdict` repeats
   * that of the last precheck besides, and `state_root.directory` gives the reason of
   * `state_root.mount` where it must not even look.
   */
  readonly codes: readonly string[];
  /** Checks that must not have failed, by id: otherwise this one is skipped. */
  readonly needs: readonly string[];
  readonly timeLimitSeconds: number;
  /** A `PrecheckError` that it throws is a failed finding. */
  readonly look: (subject: Subject) => Finding | Promise<Finding>;
}

export interface CheckResult extends Finding {
  readonly id: string;
  /** With `skipped`: the check that did not pass, without which there is no sense in this one. */
  readonly blockedBy?: string;
}

export function ok(summary: string, facts?: Finding['facts']): Finding {
  return { status: 'ok', summary, ...(facts ? { facts } : {}) };
}

export function skipped(because: string): Finding {
  return { status: 'skipped', summary: because };
}

export function warning(
  reason: FailureCode,
  summary: string,
  detail: FailureDetail | readonly FailureDetail[] = {},
  facts?: Finding['facts'],
): Finding {
  const details = Array.isArray(detail) ? detail : [detail as FailureDetail];
  return { status: 'warning', summary, reason, details, ...(facts ? { facts } : {}) };
}
