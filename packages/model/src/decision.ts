/**
 * What a precheck has to do, decided from the records alone (spec section 5). Pure: no clock, no
 * disk. The rules, in order:
 *
 * 1. No fingerprint and no other witness: a first run.
 * 2. No usable fingerprint, but a witness: the fingerprint was lost. Never epoch 0 again.
 * 3. The stored hash is the running OS's: unchanged, if the evidence agrees and that of just the
 *    epoch before is there. Otherwise the evidence is damaged and is repaired; the highest epoch on
 *    record wins. But a newer epoch of *another* OS on record proves that the fingerprint was put
 *    back: that is a replacement.
 * 4. Any other stored hash: the OS was replaced, and the next epoch is one above the highest on
 *    record. Only where the evidence shows that this very replacement was already counted
 *    (`current` is the running OS, `previous` is the stored fingerprint, one epoch apart) does an
 *    interrupted reconstruction continue under the same number.
 *
 * An OS that the history knows from an earlier epoch than that of the stored fingerprint is a
 * rollback: a replacement like any other, but said so. A stored fingerprint that the history does
 * not know as its newest was edited, and proves no rollback.
 */
import { type BootEpoch, firstEpoch, nextEpoch } from './boot-epoch.ts';
import { type EpochEvidence, sameEpoch } from './epoch-evidence.ts';
import { type EpochHistory, epochOf, newestEntry } from './epoch-history.ts';
import { imageHash, knowsMore } from './image-identity.ts';
import { type OsFingerprint, type OsKey, sameOs } from './os-fingerprint.ts';

/**
 * A record as found: `damaged` when present but not readable as what it should be. An
 * implementation may read a record when it is first asked for: `unchanged` asks for three.
 */
export type Found<Document> = Document | 'absent' | 'damaged';

export interface Records {
  readonly fingerprint: Found<OsFingerprint>;
  readonly current: Found<EpochEvidence>;
  readonly previous: Found<EpochEvidence>;
  readonly history: Found<EpochHistory>;
  /** Evidence of the last OS that was blessed. */
  readonly committed: Found<EpochEvidence>;
}

export type Decision =
  | { readonly kind: 'first_run'; readonly bootEpoch: BootEpoch }
  | { readonly kind: 'unchanged'; readonly bootEpoch: BootEpoch }
  /** The same OS, but an identity of its image is not on record yet: the profile was turned on. */
  | { readonly kind: 'image_adopted'; readonly bootEpoch: BootEpoch }
  | {
      readonly kind: 'evidence_damaged';
      readonly bootEpoch: BootEpoch;
      /** Fingerprint and current evidence agree; only that of the epoch before is not in order. */
      readonly previousOnly: boolean;
    }
  | {
      readonly kind: 'os_replaced';
      readonly bootEpoch: BootEpoch;
      readonly continued: boolean;
      /** The epoch in which this device ran this OS before: the update was rolled back. */
      readonly knownFrom?: BootEpoch;
    }
  | { readonly kind: 'state_lost'; readonly bootEpoch: BootEpoch };

interface Witness extends OsKey {
  readonly bootEpoch: BootEpoch;
  /** Of a history entry, which keeps no more of the image. */
  readonly imageHash?: string;
}

function isWitnessOf(witness: Witness, now: OsKey): boolean {
  const isOtherImage =
    witness.imageHash !== undefined &&
    now.image !== undefined &&
    witness.imageHash !== imageHash(now.image);
  return sameOs(witness, now) && !isOtherImage;
}

export function present<Document>(found: Found<Document>): Document | undefined {
  return isPresent(found) ? found : undefined;
}

export function isPresent<Document>(found: Found<Document>): found is Document {
  return found !== 'absent' && found !== 'damaged';
}

export function decide(now: OsKey, records: Records): Decision {
  const stored = present(records.fingerprint);
  if (stored && sameOs(stored, now)) {
    const current = present(records.current);
    if (current && sameEpoch(current.osFingerprint, stored) && isPreviousInOrder(records, stored)) {
      const { bootEpoch } = stored;
      if (!knowsMore(now.image, stored.image)) return { kind: 'unchanged', bootEpoch };
      const highest = newestWitness(records)?.bootEpoch ?? bootEpoch;
      if (highest <= bootEpoch) return { kind: 'image_adopted', bootEpoch };
    }
  }
  const newest = newestWitness(records);
  if (!stored) {
    if (isWithoutTrace(records)) {
      return { kind: 'first_run', bootEpoch: firstEpoch };
    }
    return { kind: 'state_lost', bootEpoch: nextEpoch(newest?.bootEpoch ?? firstEpoch) };
  }
  const highest = Math.max(stored.bootEpoch, newest?.bootEpoch ?? 0) as BootEpoch;
  if (sameOs(stored, now)) {
    if (newest && newest.bootEpoch > stored.bootEpoch && !isWitnessOf(newest, now)) {
      return replaced(now, nextEpoch(highest), false, newest, records);
    }
    const current = present(records.current)?.osFingerprint;
    const previousOnly =
      current !== undefined && sameEpoch(current, stored) && highest === stored.bootEpoch;
    return { kind: 'evidence_damaged', bootEpoch: highest, previousOnly };
  }
  if (alreadyCounted(now, stored, records, highest)) {
    return replaced(now, highest, true, stored, records);
  }
  return replaced(now, nextEpoch(highest), false, stored, records);
}

/** What a read-only mount may put off: nothing that was promised is missing. */
export function mayWait(decision: Decision): boolean {
  const { kind } = decision;
  return kind === 'image_adopted' || (kind === 'evidence_damaged' && decision.previousOnly);
}

/** There is evidence of the epoch before, not of an older one, where there was one (spec I2). */
function isPreviousInOrder(records: Records, { bootEpoch }: OsFingerprint): boolean {
  if (bootEpoch === firstEpoch) return true;
  return present(records.previous)?.osFingerprint.bootEpoch === bootEpoch - 1;
}

/** Nothing says that this device ever had an epoch. */
export function isWithoutTrace(records: Records): boolean {
  return Object.values(records).every((record) => record === 'absent');
}

function replaced(
  now: OsKey,
  bootEpoch: BootEpoch,
  continued: boolean,
  before: Witness,
  records: Records,
): Decision {
  const history = present(records.history) ?? [];
  const isOnRecord = history.some(
    (entry) => entry.bootEpoch === before.bootEpoch && entry.compositeHash === before.compositeHash,
  );
  const { compositeHash, image } = now;
  const os = { compositeHash, ...(image ? { imageHash: imageHash(image) } : {}) };
  const known = isOnRecord ? epochOf(history, os, before.bootEpoch) : undefined;
  const knownFrom = known?.bootEpoch;
  return {
    kind: 'os_replaced',
    bootEpoch,
    continued,
    ...(knownFrom === undefined ? {} : { knownFrom }),
  };
}

/** The record of the highest epoch, the stored fingerprint itself aside. */
export function newestWitness(records: Records): Witness | undefined {
  const witnesses: (Witness | undefined)[] = [
    present(records.current)?.osFingerprint,
    present(records.previous)?.osFingerprint,
    newestEntry(present(records.history) ?? []),
    present(records.committed)?.osFingerprint,
  ];
  return witnesses.reduce(
    (newest, witness) =>
      witness && !(newest && newest.bootEpoch >= witness.bootEpoch) ? witness : newest,
    undefined,
  );
}

function alreadyCounted(
  now: OsKey,
  stored: OsFingerprint,
  records: Records,
  highest: BootEpoch,
): boolean {
  const current = present(records.current)?.osFingerprint;
  const previous = present(records.previous)?.osFingerprint;
  if (!current || !previous) return false;
  return (
    sameOs(current, now) &&
    !knowsMore(now.image, current.image) &&
    current.bootEpoch === highest &&
    current.bootEpoch === nextEpoch(stored.bootEpoch) &&
    sameEpoch(previous, stored)
  );
}
