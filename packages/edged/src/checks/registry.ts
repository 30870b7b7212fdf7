/**
 * Every check there is, in the order in which precheck passes its gates; behind `status`, `doctor`
 * and `--plan`. Precheck itself passes those that are `atBoot`, as far as a boot needs them, by the
 * same functions, and stops at the first that fails; here none stops another, save where there
 * would be no sense in asking.
 */
import { toPrecheckError } from '@edged/model/failure';
import { asFailure } from '@edged/precheck/state-root/disk-failure';
import { certificateChecks } from './certificate-checks.ts';
import type { Check, CheckResult, Finding } from './check.ts';
import { configChecks } from './config-checks.ts';
import { libraryChecks } from './library-checks.ts';
import { osChecks } from './os-checks.ts';
import { runtimeChecks } from './runtime-checks.ts';
import { serviceChecks } from './service-checks.ts';
import { stateRootChecks } from './state-root-checks.ts';
import type { Subject } from './subject.ts';

export const checks: readonly Check[] = [
  ...configChecks,
  ...stateRootChecks,
  ...certificateChecks,
  ...osChecks,
  ...runtimeChecks,
  ...libraryChecks,
  ...serviceChecks,
];

export function checkById(id: string): Check {
  const check = checks.find((one) => one.id === id);
  if (!check) throw new Error(`there is no check ${id}`);
  return check;
}

/** One check on one device. `done` are the results so far. */
export async function runCheck(
  check: Check,
  subject: Subject,
  done: ReadonlyMap<string, CheckResult>,
): Promise<CheckResult> {
  const { id } = check;
  const obstacle = check.needs.find((needed) => isObstacle(done.get(needed)));
  if (obstacle !== undefined) {
    const summary = `because ${checkById(obstacle).title} did not pass`;
    return { id, status: 'skipped', summary, blockedBy: obstacle };
  }
  try {
    return { id, ...(await check.look(subject)) };
  } catch (error) {
    return { id, ...findingOf(error) };
  }
}

/** Not asked is no obstacle: a device without a config has a state root. */
function isObstacle(result: CheckResult | undefined): boolean {
  if (result?.blockedBy !== undefined) return true;
  return result?.status === 'failed' || result?.status === 'unknown';
}

function findingOf(error: unknown): Finding {
  const refusal = toPrecheckError(asFailure('state_root.io_error', error));
  const { code, message, details } = refusal;
  const status = code === 'internal.defect' ? 'unknown' : 'failed';
  return { status, summary: message.replace(/^\w+: /, ''), reason: code, details };
}
