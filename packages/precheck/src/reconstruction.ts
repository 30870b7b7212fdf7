/**
 * The reconstruction path: verify, plan, stage, and carry out (spec section 5, "different hash").
 * Everything that can refuse does so before the journal is committed.
 */
import type { Host } from '@edged/host/host';
import type { BootEpoch } from '@edged/model/boot-epoch';
import type { Records } from '@edged/model/decision';
import type { EpochKind } from '@edged/model/epoch-evidence';
import { defaultBinary, layout } from '@edged/model/layout';
import type { OsIdentity } from '@edged/model/os-fingerprint';
import { carryOut, requireSpace } from './change.ts';
import { refusingAs } from './disk-failure.ts';
import { goalOfNewEpoch, hashOfFile } from './epoch-goal.ts';
import type { Report } from './event.ts';
import { judgeSources, stage } from './install-commit.ts';
import { type InstallPlan, type PlannedOperation, planInstall } from './install-plan.ts';
import { transaction } from './journal.ts';
import type { StateRoot } from './state-root.ts';
import { type VerifiedManifest, readVerifiedManifest } from './verified-manifest.ts';

export interface ReconstructionOrder {
  readonly kind: EpochKind;
  readonly bootEpoch: BootEpoch;
  readonly identity: OsIdentity;
  readonly records: Records;
  /** RFC 3339, UTC. */
  readonly now: string;
}

/** A runtime that may be installed: signature, manifest and every operation rule hold. */
export interface CheckedRuntime {
  readonly verified: VerifiedManifest;
  readonly plan: InstallPlan;
}

/** Signature and every rule but the contents. Changes nothing. */
export function checkRuntime(stateRoot: StateRoot): CheckedRuntime {
  return refusingAs('reconstruction.io_error', {}, () => {
    const verified = readVerifiedManifest(stateRoot.disk);
    const { operations } = verified.manifest;
    return { verified, plan: planInstall(operations, stateRoot.disk, stateRoot.names) };
  });
}

/** Reads every src and judges it, as a reconstruction would. Changes nothing. */
export function rehearseRuntime(stateRoot: StateRoot, host: Host, report: Report): CheckedRuntime {
  const runtime = checkRuntime(stateRoot);
  refusingAs('reconstruction.io_error', {}, () => {
    requireSpace(stateRoot.disk, runtime.plan.copiedBytes);
    judgeSources(runtime.plan, stateRoot.disk, host.system.architecture(), reportStaged(report));
  });
  return runtime;
}

/** Needs the lock. All of it happens, or nothing; a crash in between is finished by `recover`. */
export function reconstruct(
  stateRoot: StateRoot,
  host: Host,
  order: ReconstructionOrder,
  report: Report,
): void {
  const { disk } = stateRoot;
  const { verified, plan } = checkRuntime(stateRoot);
  refusingAs('reconstruction.io_error', {}, () => requireSpace(disk, plan.copiedBytes));
  carryOut(disk, host.clock, () => {
    const staged = stage(plan, disk, host.system.architecture(), reportStaged(report));
    disk.createFile(transaction.manifest, verified.bytes, 0o600);
    disk.createFile(transaction.signature, verified.signature, 0o600);
    const path = verified.manifest.binaryPath ?? defaultBinary;
    const source = `${layout.binaries}/${path}`;
    const goal = goalOfNewEpoch({
      ...order,
      binary: { path, hash: staged.digests.get(source) ?? hashOfFile(disk, source) },
      configHash: hashOfFile(disk, layout.config),
      mountCheckSkipped: stateRoot.mountCheckSkipped,
    });
    const { installations } = staged;
    return { goal, installations, newDirectories: plan.newDirectories };
  });
}

function reportStaged(report: Report): (operation: PlannedOperation, digest: string) => void {
  return ({ index, src, sizeBytes, target }, digest) =>
    report('edge.os.operation_staged', {
      operation: index,
      src,
      ...(target ? { dst: target.dst } : {}),
      size_bytes: sizeBytes,
      hash: digest,
    });
}
