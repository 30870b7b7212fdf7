/**
 * The reconstruction path: verify, plan, stage, and carry out (spec section 5, "different hash").
 * Everything that can refuse does so before the journal is committed.
 */
import type { Disk, Host } from '@edged/host/host';
import { mountOf } from '@edged/host/linux-mounts';
import {
  type Acceptance,
  type BootCount,
  accepted,
  requireAcceptable,
} from '@edged/model/acceptance';
import { type BootEpoch, firstEpoch, nextEpoch, parseBootEpoch } from '@edged/model/boot-epoch';
import { type Records, newestWitness, present } from '@edged/model/decision';
import { digestOf } from '@edged/model/digest';
import type { EpochKind } from '@edged/model/epoch-kind';
import { defaultBinary, layout } from '@edged/model/layout';
import type { RuntimeManifest } from '@edged/model/runtime-manifest';
import type { OsIdentity } from '@edged/model/os-fingerprint';
import { readBootCount, withThisBoot } from './boot-count.ts';
import { carryOut, requireSpace } from './change.ts';
import { refusingAs } from './state-root/disk-failure.ts';
import { goalOfNewEpoch, hashOfFile } from './epoch/epoch-goal.ts';
import type { Progress, Report } from './event.ts';
import { type Judged, judgeSources, stage } from './install/install-commit.ts';
import { type InstallPlan, planInstall } from './install/install-plan.ts';
import { transaction } from './state-root/journal.ts';
import { memoryOf, readRecords } from './state-root/records.ts';
import { readSlot } from './slot/slot.ts';
import type { PlaceToRun, Verdict } from './install/source-judge.ts';
import type { StateRoot } from './state-root/state-root.ts';
import { type Trust, type TrustOrder, loadTrust } from './trust/trust-anchor.ts';
import { type TimeOrder, type TrustedTime, notBefore, trustedTime } from './trust/trusted-time.ts';
import { type VerifiedManifest, readVerifiedManifest } from './trust/verified-manifest.ts';

/** What a runtime is judged by, beside its bytes. */
export interface RuntimeContext {
  readonly trust: TrustOrder;
  readonly records: Records;
  readonly time: TrustedTime;
  /** The epoch that would begin. */
  readonly bootEpoch: BootEpoch;
}

export interface ReconstructionOrder extends RuntimeContext {
  readonly kind: EpochKind;
  readonly identity: OsIdentity;
  readonly progress?: Progress;
}

/** A manifest that may be followed: signed by who may, for this device, and not stale. */
export interface JudgedManifest {
  readonly trust: Trust;
  readonly verified: VerifiedManifest;
  /** What the device remembers once it is installed. */
  readonly acceptance: Acceptance;
  /** Where the manifest limits its boots. */
  readonly bootCount: BootCount | undefined;
}

/** A runtime that may be installed: every operation rule holds as well. */
export interface CheckedRuntime extends JudgedManifest {
  readonly plan: InstallPlan;
}

/** What a reconstruction would be judged by if the OS were replaced now. */
export function contextOf(
  { disk }: StateRoot,
  host: Host,
  order: Pick<RuntimeContext, 'trust'> & { readonly time: TimeOrder },
  report: Report,
): RuntimeContext {
  const records = readRecords(disk);
  const time = trustedTime(order.time, host.clock, host.system, records, report);
  const known = [present(records.fingerprint)?.bootEpoch, newestWitness(records)?.bootEpoch];
  const highest = parseBootEpoch(Math.max(...known.map((epoch) => epoch ?? 0))) ?? firstEpoch;
  return { trust: order.trust, records, time, bootEpoch: nextEpoch(highest) };
}

/** Signature, content and freshness. Changes nothing. */
export function judgeManifest(
  { disk, path }: StateRoot,
  host: Host,
  context: RuntimeContext,
): JudgedManifest {
  const memory = memoryOf(context.records);
  const trust = loadTrust(context.trust, host, disk, path, memory);
  const verified = readVerifiedManifest(disk, trust);
  const { manifest, bytes } = verified;
  const manifestHash = digestOf(bytes);
  const boots = countBoots(manifest, manifestHash, disk, host);
  const keyring = trust.kind === 'keyring' ? trust.keyring : undefined;
  const circumstances = {
    memory,
    manifestHash,
    bootEpoch: context.bootEpoch,
    boots: boots?.known && boots.count.boots,
    edgeDomainId: context.trust.edgeDomainId,
    nowMilliseconds: notBefore(context.time, manifest.issuedAt).milliseconds,
    minimumSerial: keyring?.minimumSerial,
  };
  requireAcceptable(manifest, circumstances);
  return {
    trust,
    verified,
    acceptance: accepted(manifest, circumstances, keyring?.version),
    bootCount: boots?.count,
  };
}

/** Undefined where the manifest does not limit its boots: nothing is read then. */
function countBoots(
  { maxBoots }: RuntimeManifest,
  manifestHash: string,
  disk: Disk,
  { system }: Host,
): { readonly known: BootCount | undefined; readonly count: BootCount } | undefined {
  if (maxBoots === undefined) return undefined;
  const known = readBootCount(disk, manifestHash);
  return { known, count: withThisBoot(known, manifestHash, system.bootId()) };
}

/** As `judgeManifest`, and every rule but the contents. */
export function checkRuntime(
  stateRoot: StateRoot,
  host: Host,
  context: RuntimeContext,
): CheckedRuntime {
  return refusingAs('reconstruction.io_error', {}, () => {
    const judged = judgeManifest(stateRoot, host, context);
    const { operations } = judged.verified.manifest;
    return { ...judged, plan: planInstall(operations, stateRoot.disk, stateRoot.names) };
  });
}

export interface RehearsedRuntime extends CheckedRuntime {
  /** What each src was found to be, by the place of its operation in the manifest. */
  readonly verdicts: ReadonlyMap<number, Verdict>;
}

/** Reads every src and judges it, as a reconstruction would. Changes nothing. */
export function rehearseRuntime(
  stateRoot: StateRoot,
  host: Host,
  context: RuntimeContext,
  report: Report,
): RehearsedRuntime {
  const runtime = checkRuntime(stateRoot, host, context);
  const verdicts = new Map<number, Verdict>();
  const tell = reportJudged(report);
  refusingAs('reconstruction.io_error', {}, () => {
    requireSpace(stateRoot.disk, runtime.plan.neededBytes);
    sayIfMissing(runtime.verified.manifest, stateRoot.disk, report);
    const place = placeToRun(stateRoot, host);
    judgeSources(runtime.plan, stateRoot.disk, place, (operation, verdict) => {
      verdicts.set(operation.index, verdict);
      tell(operation, verdict);
    });
  });
  return { ...runtime, verdicts };
}

/** Needs the lock. All of it happens, or nothing; a crash in between is finished by `recover`. */
export function reconstruct(
  stateRoot: StateRoot,
  host: Host,
  order: ReconstructionOrder,
  report: Report,
): void {
  const { disk } = stateRoot;
  const { verified, plan, acceptance, bootCount } = checkRuntime(stateRoot, host, order);
  refusingAs('reconstruction.io_error', {}, () => requireSpace(disk, plan.neededBytes));
  carryOut(disk, host.clock, report, () => {
    const { progress } = order;
    const staged = stage(plan, disk, placeToRun(stateRoot, host), reportJudged(report), progress);
    disk.createFile(transaction.manifest, verified.bytes, 0o600);
    verified.signatures.forEach((signature, index) =>
      disk.createFile(transaction.signature(index), signature, 0o600),
    );
    sayIfMissing(verified.manifest, disk, report);
    const path = verified.manifest.binaryPath ?? defaultBinary;
    const source = `${layout.binaries}/${path}`;
    const goal = goalOfNewEpoch({
      ...order,
      slot: readSlot(host.system),
      binary: { path, hash: staged.digests.get(source) ?? hashOfFile(disk, source) },
      configHash: hashOfFile(disk, layout.config),
      mountCheckSkipped: stateRoot.mountCheckSkipped,
      acceptance,
    });
    const { installations } = staged;
    const newDirectories = plan.newDirectories;
    return {
      goal: { ...goal, ...(bootCount ? { bootCount } : {}) },
      installations,
      newDirectories,
    };
  });
}

/** The evidence of the epoch will have no hash of a program, where the manifest asks for one. */
function sayIfMissing({ binaryPath }: RuntimeManifest, disk: Disk, report: Report): void {
  if (binaryPath === undefined) return;
  const file = `${layout.binaries}/${binaryPath}`;
  if (disk.status(disk.resolve(file) ?? '')?.kind === 'file') return;
  report('edge.manifest.binary_missing', { binary_path: binaryPath, file });
}

function placeToRun({ path }: StateRoot, { system }: Host): PlaceToRun {
  const mount = mountOf(path, system.mounts());
  return { architecture: system.architecture(), noExec: mount?.noExec ?? false };
}

function reportJudged(report: Report): Judged {
  return ({ index, src, sizeBytes, target }, { digest, obstacle }) => {
    const where = { operation: index, src, ...(target ? { dst: target.dst } : {}) };
    if (obstacle !== undefined) {
      report('edge.os.operation_cannot_run', { ...where, found: obstacle });
    }
    report('edge.os.operation_staged', { ...where, size_bytes: sizeBytes, hash: digest });
  };
}
