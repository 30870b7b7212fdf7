/**
 * START HERE. One precheck, from the state root to the verdict (spec section 5). Each gate throws a
 * `PrecheckError`, whose gate decides the exit code. What to do is decided in `model/decision.ts`,
 * written by `change.ts` under a journal, and put right after a crash by `recovery.ts`.
 */
import type { Host } from '@edged/host/host';
import { type Records, decide, mayWait } from '@edged/model/decision';
import { keyOf } from '@edged/model/os-fingerprint';
import { type FingerprintOrder, captureIdentity } from './capture-fingerprint.ts';
import type { CertificateOrder } from './certificate/certificate-gate.ts';
import { asFailure } from './state-root/disk-failure.ts';
import type { Progress, Report } from './event.ts';
import type { PrecheckOutcome } from './precheck-result.ts';
import { limitsBoots, readRecords } from './state-root/records.ts';
import { type StateRoot, type StateRootOrder, openStateRoot } from './state-root/state-root.ts';
import type { TrustOrder } from './trust/trust-anchor.ts';
import { type TimeOrder, trustedTime } from './trust/trusted-time.ts';
import { hasUnfinishedWork } from './state-root/unfinished-work.ts';

export interface PrecheckOrder {
  readonly stateRoot: StateRootOrder;
  readonly certificate: CertificateOrder;
  readonly fingerprint?: FingerprintOrder;
  readonly trust: TrustOrder;
  readonly time: TimeOrder;
  readonly progress?: Progress;
}

/** Throws `PrecheckError` for every refusal; anything else that it throws is a defect. */
export async function precheck(
  order: PrecheckOrder,
  host: Host,
  report: Report,
): Promise<PrecheckOutcome> {
  const started = host.clock.monotonicNanoseconds();
  const stateRoot = openStateRoot(order.stateRoot, host, report);
  const keep = async (verdict: PrecheckOutcome | Error): Promise<void> =>
    (await import('./kept-result.ts')).keepResult(verdict, started, stateRoot, host, report);
  try {
    const { isNews, ...outcome } = await passGates(order, stateRoot, host, report);
    if (isNews) await keep(outcome);
    return outcome;
  } catch (error) {
    const failure = asFailure('state_root.io_error', error) as Error;
    await keep(failure);
    throw failure;
  } finally {
    stateRoot.close();
  }
}

async function passGates(
  order: PrecheckOrder,
  stateRoot: StateRoot,
  host: Host,
  report: Report,
): Promise<PrecheckOutcome & { readonly isNews: boolean }> {
  const { disk, readOnly, mountCheckSkipped } = stateRoot;
  const recover = async (): Promise<Records> => {
    const { lockAndRecover } = await import('./recovery.ts');
    return lockAndRecover(stateRoot, order.trust, host, report);
  };
  let records = readRecords(disk);
  const isRecovered = hasUnfinishedWork(stateRoot);
  if (isRecovered) records = await recover();
  const time = trustedTime(order.time, host.clock, host.system, records, report);
  const { passCertificateGate } = await import('./certificate/certificate-gate.ts');
  const situation = { stateRoot, host, time };
  const certificateNotAfter = await passCertificateGate(order.certificate, situation, report);

  const identity = captureIdentity(host.system, order.fingerprint);
  const now = keyOf(identity);
  let decision = decide(now, records);
  if (readOnly && mayWait(decision)) decision = { ...decision, kind: 'unchanged' };
  if (decision.kind !== 'unchanged' && !isRecovered) {
    records = await recover();
    decision = decide(now, records);
  }
  const isNews = decision.kind !== 'unchanged' || stateRoot.locked();
  if (decision.kind !== 'unchanged') {
    const { act } = await import('./act.ts');
    await act(decision, { ...order, ...situation, identity, records }, report);
  } else if (limitsBoots(records)) {
    await (await import('./boot-count.ts')).countBoot(records, stateRoot, host, report);
  }
  return {
    decision: decision.kind,
    bootEpoch: decision.bootEpoch,
    compositeHash: now.compositeHash,
    certificateNotAfter,
    timeVerdict: time.verdict,
    mountCheckSkipped,
    readOnly,
    isNews,
  };
}
