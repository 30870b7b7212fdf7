/**
 * A part of a precheck, for a caller that asks for one thing only: state root, lock, recovery and
 * decision as in `precheck.ts`, without the certificate gate; then only tasks of the kinds that
 * were asked for. What writes is the same code under the same journal: `recovery.ts`, `act.ts`.
 */
import type { Host } from '@edged/host/host';
import { type Decision, decide } from '@edged/model/decision';
import { keyOf } from '@edged/model/os-fingerprint';
import { type Task, act } from './act.ts';
import { captureIdentity } from './capture-fingerprint.ts';
import type { Report } from './event.ts';
import type { PrecheckOrder } from './precheck.ts';
import { readRecords } from './state-root/records.ts';
import { lockAndRecover } from './recovery.ts';
import { type StateRoot, openStateRoot } from './state-root/state-root.ts';
import { trustedTime } from './trust/trusted-time.ts';
import { hasUnfinishedWork } from './state-root/unfinished-work.ts';

export type PartialOrder = Omit<PrecheckOrder, 'certificate'>;

export interface PartialOutcome {
  readonly decision: Decision;
  readonly compositeHash: string;
  /** The decision was of a kind that was asked for, and was carried out. */
  readonly isDone: boolean;
  /** Something that an earlier run left was put right first. */
  readonly isRecovered: boolean;
}

/** Throws `PrecheckError` and `DiskError`. Takes the lock only where there is something to do. */
export async function partialPrecheck(
  order: PartialOrder,
  kinds: readonly Task['kind'][],
  host: Host,
  report: Report,
): Promise<PartialOutcome> {
  const stateRoot = openStateRoot(order.stateRoot, host, report);
  try {
    return await doWhatIsAskedFor(order, kinds, stateRoot, host, report);
  } finally {
    stateRoot.close();
  }
}

async function doWhatIsAskedFor(
  order: PartialOrder,
  kinds: readonly Task['kind'][],
  stateRoot: StateRoot,
  host: Host,
  report: Report,
): Promise<PartialOutcome> {
  const isAskedFor = (decision: Decision): decision is Task =>
    kinds.some((kind) => kind === decision.kind);
  const identity = captureIdentity(host.system, order.fingerprint);
  const now = keyOf(identity);
  let records = readRecords(stateRoot.disk);
  const isRecovered = hasUnfinishedWork(stateRoot);
  if (isRecovered) records = await lockAndRecover(stateRoot, order.trust, host, report);
  let decision = decide(now, records);
  if (isAskedFor(decision) && !isRecovered) {
    records = await lockAndRecover(stateRoot, order.trust, host, report);
    decision = decide(now, records);
  }
  const task = isAskedFor(decision) ? decision : undefined;
  if (task) {
    const time = trustedTime(order.time, host.clock, host.system, records, report);
    await act(task, { ...order, stateRoot, host, identity, records, time }, report);
  }
  const isDone = task !== undefined;
  return { decision, compositeHash: now.compositeHash, isDone, isRecovered };
}
