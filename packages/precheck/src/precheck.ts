/**
 * START HERE. One precheck, from the state root to the verdict (spec section 5). Each gate throws a
 * `PrecheckError`; the gate of its code decides the exit code. What is to be done is decided in
 * `model/decision.ts`, everything that is written is written by `change.ts` under a journal, and
 * what a crash leaves is put right by `recovery.ts` before anything is decided.
 */
import type { Host } from '@edged/host/host';
import { type Decision, decide } from '@edged/model/decision';
import { compositeHash } from '@edged/model/os-fingerprint';
import { captureIdentity } from './capture-fingerprint.ts';
import type { CertificateOrder } from './certificate.ts';
import { asFailure } from './disk-failure.ts';
import type { Report } from './event.ts';
import { readRecords } from './records.ts';
import { hasUnfinishedWork } from './recovery.ts';
import { type StateRoot, type StateRootOrder, openStateRoot } from './state-root.ts';
import { trustedTime } from './trusted-time.ts';

export interface PrecheckOrder {
  readonly stateRoot: StateRootOrder;
  readonly certificate: CertificateOrder;
  /** RFC 3339: no true clock shows an earlier time. */
  readonly builtAt: string;
  /** Decide and rehearse; take no lock, write nothing. */
  readonly dryRun: boolean;
}

export interface PrecheckOutcome {
  readonly decision: Decision['kind'];
  readonly bootEpoch: number;
  readonly compositeHash: string;
  readonly mountCheckSkipped: boolean;
  readonly readOnly: boolean;
}

/** Throws `PrecheckError` for every refusal; anything else that it throws is a defect. */
export async function precheck(
  order: PrecheckOrder,
  host: Host,
  report: Report,
): Promise<PrecheckOutcome> {
  const stateRoot = openStateRoot(order.stateRoot, host, report);
  try {
    return await passGates(order, stateRoot, host, report);
  } catch (error) {
    throw asFailure('state_root.io_error', error);
  } finally {
    stateRoot.close();
  }
}

async function passGates(
  order: PrecheckOrder,
  stateRoot: StateRoot,
  host: Host,
  report: Report,
): Promise<PrecheckOutcome> {
  const { disk, readOnly, mountCheckSkipped } = stateRoot;
  const mayWrite = !order.dryRun && !readOnly;
  if (mayWrite && hasUnfinishedWork(stateRoot)) await lockAndRecover(stateRoot, host, report);

  let records = readRecords(disk);
  const time = trustedTime(host.clock, order.builtAt, records, report);
  const { checkCertificate } = await import('./certificate.ts');
  checkCertificate(order.certificate, host, time);

  const identity = captureIdentity(host.system);
  const hash = compositeHash(identity);
  let decision = decide(hash, records);
  if (decision.kind !== 'unchanged' && !order.dryRun && !stateRoot.locked()) {
    await lockAndRecover(stateRoot, host, report);
    records = readRecords(disk);
    decision = decide(hash, records);
  }
  if (decision.kind !== 'unchanged') {
    const { act } = await import('./act.ts');
    const { dryRun } = order;
    act(decision, { stateRoot, host, identity, records, now: time.text, dryRun }, report);
  }
  const { kind, bootEpoch } = decision;
  return { decision: kind, bootEpoch, compositeHash: hash, mountCheckSkipped, readOnly };
}

async function lockAndRecover(stateRoot: StateRoot, host: Host, report: Report): Promise<void> {
  stateRoot.lock();
  const { recover } = await import('./recovery.ts');
  await recover(stateRoot, host.clock, report);
}
