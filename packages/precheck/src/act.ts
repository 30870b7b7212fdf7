/** Does what was decided, and says so. Loaded only when there is something to do. */
import type { Host } from '@edged/host/host';
import {
  type Decision,
  type Records,
  isPresent,
  newestWitness,
  present,
} from '@edged/model/decision';
import { useNativeBlake3 } from '@edged/model/digest';
import type { EpochKind } from '@edged/model/epoch-kind';
import { defaultBinary, layout } from '@edged/model/layout';
import { type OsIdentity, changedComponents, compositeHash } from '@edged/model/os-fingerprint';
import { carryOut, hasSpace, requireSpace } from './change.ts';
import { goalOfAdoption, goalOfNewEpoch, goalOfRepair, hashOfFile } from './epoch/epoch-goal.ts';
import type { Progress, Report } from './event.ts';
import { reconstruct } from './reconstruction.ts';
import { readSlot } from './slot/slot.ts';
import type { StateRoot } from './state-root/state-root.ts';
import type { TrustOrder } from './trust/trust-anchor.ts';
import type { TrustedTime } from './trust/trusted-time.ts';

export interface Situation {
  readonly stateRoot: StateRoot;
  readonly host: Host;
  readonly identity: OsIdentity;
  readonly records: Records;
  readonly time: TrustedTime;
  readonly trust: TrustOrder;
  readonly progress?: Progress;
}

export type Task = Exclude<Decision, { readonly kind: 'unchanged' }>;

export async function act(task: Task, situation: Situation, report: Report): Promise<void> {
  const obstacle = await useNativeBlake3();
  report('edge.digest.chosen', { native: obstacle === undefined, found: obstacle ?? '' });
  switch (task.kind) {
    case 'first_run':
      return initialize(task, situation, report);
    case 'image_adopted':
      return adoptImage(task, situation, report);
    case 'evidence_damaged':
      return repair(task, situation, report);
    case 'state_lost':
      reportLoss(situation, report);
      return replaceOs(task, situation, report);
    case 'os_replaced':
      reportReplacement(task, situation, report);
      return replaceOs(task, situation, report);
  }
}

function initialize({ bootEpoch }: Task, situation: Situation, report: Report): void {
  const { stateRoot, host } = situation;
  const { disk, mountCheckSkipped } = stateRoot;
  requireSpace(disk, 0);
  const { goal } = carryOut(disk, host.clock, report, () => {
    const path = defaultBinary;
    const binary = { path, hash: hashOfFile(disk, `${layout.binaries}/${path}`) };
    const configHash = hashOfFile(disk, layout.config);
    const slot = readSlot(host.system);
    const first = { kind: 'first_run', bootEpoch, binary, configHash, mountCheckSkipped } as const;
    return {
      goal: goalOfNewEpoch({ ...situation, ...first, slot }),
      installations: [],
      newDirectories: [],
    };
  });
  report('edge.os.fingerprint_initialized', {
    composite_hash: goal.fingerprint.compositeHash,
    boot_epoch: bootEpoch,
  });
}

function repair(
  { bootEpoch, previousOnly }: Task & { readonly kind: 'evidence_damaged' },
  situation: Situation,
  report: Report,
): void {
  const { stateRoot, host, records, time } = situation;
  const { disk, mountCheckSkipped } = stateRoot;
  const damaged = previousOnly ? records.previous : records.current;
  const state = isPresent(damaged) ? `epoch ${damaged.osFingerprint.bootEpoch}` : damaged;
  const found = previousOnly ? `previous: ${state}` : state;
  requireSpace(disk, 0);
  carryOut(disk, host.clock, report, () => ({
    goal: goalOfRepair(disk, records, bootEpoch, time, mountCheckSkipped),
    installations: [],
    newDirectories: [],
  }));
  report('edge.epoch.evidence_repaired', { found, boot_epoch: bootEpoch });
}

/** The profile was turned on: the epoch is the same, and knows its image from now on. */
function adoptImage({ bootEpoch }: Task, situation: Situation, report: Report): void {
  const { stateRoot, host, records, identity } = situation;
  if (!hasSpace(stateRoot.disk, 0)) return; // nothing that was promised is missing: the next boot
  carryOut(stateRoot.disk, host.clock, report, () => ({
    goal: goalOfAdoption(records, identity),
    installations: [],
    newDirectories: [],
  }));
  const names = Object.keys(identity.image ?? {}).join(',');
  report('edge.os.image_identity_adopted', { boot_epoch: bootEpoch, names });
}

function replaceOs(task: Task, situation: Situation, report: Report): void {
  const { stateRoot, host } = situation;
  const { bootEpoch } = task;
  const started = host.clock.monotonicNanoseconds();
  report('edge.os.reconstruction_started', { boot_epoch: bootEpoch });
  reconstruct(stateRoot, host, { ...situation, kind: epochKindOf(task), bootEpoch }, report);
  const nanoseconds = host.clock.monotonicNanoseconds() - started;
  report('edge.os.reconstruction_completed', {
    duration_seconds: Number(nanoseconds / 1_000_000n) / 1000,
    boot_epoch: bootEpoch,
  });
}

function epochKindOf(task: Task): EpochKind {
  if (task.kind !== 'os_replaced') return 'state_lost';
  return task.knownFrom === undefined ? 'os_replaced' : 'os_rolled_back';
}

function reportReplacement(
  { knownFrom }: Task & { readonly kind: 'os_replaced' },
  { records, identity }: Situation,
  report: Report,
): void {
  const stored = present(records.fingerprint);
  const currentHash = compositeHash(identity);
  report('edge.os.update_detected', {
    previous_hash: stored?.compositeHash ?? '',
    current_hash: currentHash,
    changed: stored ? changedComponents(stored, identity).join(',') : 'unknown',
  });
  if (knownFrom !== undefined) {
    report('edge.os.rollback_detected', { current_hash: currentHash, known_epoch: knownFrom });
  }
}

function reportLoss({ records }: Situation, report: Report): void {
  const highest = newestWitness(records)?.bootEpoch;
  report('edge.os.fingerprint_lost', {
    fingerprint: records.fingerprint === 'absent' ? 'absent' : 'damaged',
    ...(highest === undefined ? {} : { highest_epoch: highest }),
  });
}
