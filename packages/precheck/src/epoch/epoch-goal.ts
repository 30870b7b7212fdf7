/** From the records and a decision to the records as they shall be. No effects but reading. */
import { type Disk, DiskError } from '@edged/host/host';
import { type Acceptance, acceptanceToJson } from '@edged/model/acceptance';
import { type BootEpoch, parseBootEpoch } from '@edged/model/boot-epoch';
import { type BootSlot, slotToJson } from '@edged/model/boot-slot';
import { type Records, present } from '@edged/model/decision';
import { createHasher } from '@edged/model/digest';
import { type EpochEvidence, acceptanceOf } from '@edged/model/epoch-evidence';
import { type EpochHistory, withEpoch } from '@edged/model/epoch-history';
import { type EpochKind, parseEpochKind } from '@edged/model/epoch-kind';
import { imageHash } from '@edged/model/image-identity';
import { PrecheckError } from '@edged/model/failure';
import { defaultBinary, layout } from '@edged/model/layout';
import { manifestLimitBytes, parseRuntimeManifest } from '@edged/model/runtime-manifest';
import {
  type OsFingerprint,
  type OsIdentity,
  changedComponents,
  compositeHash,
  osReleaseText,
} from '@edged/model/os-fingerprint';
import type { EpochGoal } from '../state-root/journal.ts';
import { memoryOf } from '../state-root/records.ts';
import type { TrustedTime } from '../trust/trusted-time.ts';

export interface NewEpoch {
  readonly kind: EpochKind;
  readonly bootEpoch: BootEpoch;
  readonly identity: OsIdentity;
  readonly records: Records;
  readonly time: TrustedTime;
  /** Name inside `runtime/binaries/` and its digest. */
  readonly binary: { readonly path: string; readonly hash: string };
  readonly configHash: string;
  readonly mountCheckSkipped: boolean;
  readonly slot: BootSlot;
  /** Of the manifest that the epoch is reconstructed from. */
  readonly acceptance?: Acceptance;
}

export function goalOfNewEpoch(epoch: NewEpoch): EpochGoal {
  const { records, identity, bootEpoch, time, acceptance } = epoch;
  const stored = present(records.fingerprint);
  const fingerprint: OsFingerprint = {
    compositeHash: compositeHash(identity),
    osRelease: osReleaseText(identity),
    unameRelease: identity.kernelRelease,
    bootEpoch,
    capturedAt: time.text,
    ...(identity.image ? { image: identity.image } : {}),
    unknownKeys: stored?.unknownKeys ?? {},
  };
  const evidence: EpochEvidence = {
    osFingerprint: fingerprint,
    binaryHash: epoch.binary.hash,
    configHash: epoch.configHash,
    rotatedAt: time.text,
    more: {
      kind: epoch.kind,
      binary_path: epoch.binary.path,
      ...(stored ? { changed: changedComponents(stored, identity) } : {}),
      mount_check_skipped: epoch.mountCheckSkipped,
      time_verdict: time.verdict,
      ...(epoch.slot.adapter === 'none' ? {} : { slot: slotToJson(epoch.slot) }),
      ...(acceptance ? { acceptance: acceptanceToJson(acceptance) } : {}),
    },
  };
  return withGoalHistory(records, evidence);
}

/** The same epoch, with evidence that agrees with the fingerprint again (spec I2). */
export function goalOfRepair(
  disk: Disk,
  records: Records,
  bootEpoch: BootEpoch,
  time: TrustedTime,
  mountCheckSkipped: boolean,
): EpochGoal {
  const memory = memoryOf(records);
  const stored = present(records.fingerprint);
  if (!stored) throw new Error('a repair needs a stored fingerprint');
  const fingerprint: OsFingerprint = { ...stored, bootEpoch };
  const surviving = [present(records.current), present(records.previous)].find(
    (found) =>
      found?.osFingerprint.bootEpoch === bootEpoch &&
      found.osFingerprint.compositeHash === fingerprint.compositeHash,
  );
  const binaryPath = binaryPathIn(disk);
  const evidence: EpochEvidence = surviving ?? {
    osFingerprint: fingerprint,
    binaryHash: hashOfFile(disk, `${layout.binaries}/${binaryPath}`),
    configHash: hashOfFile(disk, layout.config),
    rotatedAt: time.text,
    more: {
      repaired: true,
      binary_path: binaryPath,
      mount_check_skipped: mountCheckSkipped,
      time_verdict: time.verdict,
      ...(memory ? { acceptance: acceptanceToJson(memory) } : {}),
    },
  };
  return { ...withGoalHistory(records, evidence), fingerprint };
}

/** The same epoch and evidence; the fingerprint knows the identities of the image as well. */
export function goalOfAdoption(records: Records, { image }: OsIdentity): EpochGoal {
  const [stored, evidence] = [present(records.fingerprint), present(records.current)];
  if (!stored || !evidence || !image) throw new Error('an adoption needs records and an image');
  const fingerprint = { ...stored, image };
  return {
    ...withGoalHistory(records, { ...evidence, osFingerprint: fingerprint }),
    evidence,
    fingerprint,
  };
}

/** What the manifest names, unverified: good enough to say which file a hash is of. */
function binaryPathIn(disk: Disk): string {
  try {
    const bytes = disk.readFile(layout.manifest, manifestLimitBytes);
    const manifest = bytes && parseRuntimeManifest(bytes);
    return manifest?.binaryPath ?? defaultBinary;
  } catch (error) {
    if (error instanceof DiskError || error instanceof PrecheckError) return defaultBinary;
    throw error;
  }
}

/** Lower-case BLAKE3; empty when no regular file is there or its symlinks lead outside. */
export function hashOfFile(disk: Disk, path: string): string {
  const resolved = disk.resolve(path);
  if (resolved === undefined || disk.status(resolved)?.kind !== 'file') return '';
  const hasher = createHasher();
  const found = disk.scanFile(resolved, (chunk) => hasher.update(chunk));
  if (found) return hasher.digestHex();
  hasher.abandon();
  return '';
}

function withGoalHistory(records: Records, evidence: EpochEvidence): EpochGoal {
  const fingerprint = evidence.osFingerprint;
  const { bootEpoch, compositeHash: hash, image } = fingerprint;
  const acceptance = acceptanceOf(evidence);
  const kind = parseEpochKind(evidence.more['kind']);
  return {
    fingerprint,
    evidence,
    previous: evidenceBefore(records, bootEpoch) ?? unknownBefore(evidence),
    history: withEpoch(historyOf(records), {
      bootEpoch,
      compositeHash: hash,
      beganAt: evidence.rotatedAt,
      ...(image ? { imageHash: imageHash(image) } : {}),
      ...(kind ? { kind } : {}),
      ...(acceptance ? { acceptance } : {}),
    }),
  };
}

/** Evidence of just the epoch before; where only a lesser record survives, made from that. */
function evidenceBefore(records: Records, bootEpoch: BootEpoch): EpochEvidence | undefined {
  const stored = present(records.fingerprint);
  const candidates: (EpochEvidence | undefined)[] = [
    present(records.current),
    present(records.previous),
    present(records.committed),
    stored && evidenceFrom(stored, stored.capturedAt),
    ...(present(records.history) ?? []).map((entry) =>
      evidenceFrom(
        {
          compositeHash: entry.compositeHash,
          osRelease: '',
          unameRelease: '',
          bootEpoch: entry.bootEpoch,
          capturedAt: entry.beganAt,
          unknownKeys: {},
        },
        entry.beganAt,
      ),
    ),
  ];
  return candidates.find((candidate) => candidate?.osFingerprint.bootEpoch === bootEpoch - 1);
}

/** Nothing is known of the epoch before but that there was one. */
function unknownBefore({ osFingerprint, rotatedAt }: EpochEvidence): EpochEvidence | undefined {
  const bootEpoch = parseBootEpoch(osFingerprint.bootEpoch - 1);
  if (bootEpoch === undefined) return undefined;
  const nothing = { compositeHash: '', osRelease: '', unameRelease: '', unknownKeys: {} };
  return evidenceFrom({ ...nothing, bootEpoch, capturedAt: rotatedAt }, rotatedAt);
}

function evidenceFrom(osFingerprint: OsFingerprint, rotatedAt: string): EpochEvidence {
  return { osFingerprint, binaryHash: '', configHash: '', rotatedAt, more: { repaired: true } };
}

/** The history on record; rebuilt from the other witnesses where it is lost. */
function historyOf(records: Records): EpochHistory {
  const witnesses = [
    present(records.previous)?.osFingerprint,
    present(records.current)?.osFingerprint,
    present(records.fingerprint),
  ];
  return witnesses.reduce<EpochHistory>(
    (history, witness) => {
      if (!witness || history.some(({ bootEpoch }) => bootEpoch >= witness.bootEpoch))
        return history;
      const { bootEpoch, compositeHash: hash, capturedAt, image } = witness;
      const known = image ? { imageHash: imageHash(image) } : {};
      return withEpoch(history, { bootEpoch, compositeHash: hash, beganAt: capturedAt, ...known });
    },
    present(records.history) ?? [],
  );
}
