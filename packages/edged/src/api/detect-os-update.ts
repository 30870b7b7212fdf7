/** `detectOsUpdate`: what the next precheck would decide. */
import { type Decision, type Records, decide, present } from '@edged/model/decision';
import { type OsIdentity, changedComponents } from '@edged/model/os-fingerprint';
import { captureIdentity } from '@edged/precheck/capture-fingerprint';
import { readRecords } from '@edged/precheck/state-root/records';
import { hasUnfinishedWork } from '@edged/precheck/state-root/unfinished-work';
import { type CapturedFingerprint, fingerprintOf } from './capture-fingerprint.ts';
import {
  type FingerprintOptions,
  type MachineOptions,
  type StateRootOptions,
  fingerprintOrderOf,
  hostOf,
  pathOf,
} from './options.ts';
import { openToLook } from '../looking.ts';
import { refusing } from './refusal.ts';

/** What {@link detectOsUpdate} is asked with. */
export interface DetectOptions extends StateRootOptions, MachineOptions, FingerprintOptions {
  /** In the place of what the OS states: what {@link captureFingerprint} gave for one. */
  readonly fingerprint?: CapturedFingerprint;
}

/**
 * What is to be done for a state root (spec section 5).
 *
 * - `first_run`: no fingerprint, and no trace of an earlier one.
 * - `unchanged`: the stored fingerprint is that of this OS, and the evidence agrees with it.
 * - `image_adopted`: the same, but an identity of the image is not on record yet.
 * - `evidence_damaged`: the fingerprint is that of this OS, but the evidence is missing, torn or of
 *   another epoch.
 * - `os_replaced`: the stored fingerprint is that of another OS.
 * - `state_lost`: the fingerprint is missing or unreadable, but there is a trace of an earlier one.
 */
export type DecisionKind = Decision['kind'];

/** What {@link detectOsUpdate} found. */
export interface Detection {
  /** What the next precheck on this OS would decide. */
  readonly decision: DecisionKind;
  /** BootEpoch that the state root would be in after it: a whole number from 0. */
  readonly bootEpoch: number;
  /** BootEpoch of the stored fingerprint; undefined where there is none that can be read. */
  readonly storedEpoch: number | undefined;
  /** Composite hash of the stored fingerprint, as it stands there; undefined as above. */
  readonly storedHash: string | undefined;
  /** Of the OS that was asked about. */
  readonly fingerprint: CapturedFingerprint;
  /**
   * With `os_replaced`: what differs. `os_release`, `uname_release`, names of image identities;
   * `unknown` where only the hash tells. Otherwise empty.
   */
  readonly changed: readonly string[];
  /** This replacement is counted already: an interrupted reconstruction would be continued. */
  readonly continued: boolean;
  /** The epoch in which the device ran this OS before: it was rolled back. */
  readonly knownFrom: number | undefined;
  /**
   * An earlier run was cut off, or another one is at work: precheck puts that right before it
   * decides, and may then decide otherwise.
   */
  readonly unfinished: boolean;
}

/**
 * Was the OS replaced? Decides from the records in the state root as the next precheck would (spec
 * section 5). Reads only, takes no lock, and asks nothing of the place where the
 * tree lies but that it can be read.
 *
 * @throws {@link PrecheckError} `state_root.*` when there is none that can be read;
 * `os.identity_missing`; `config.usage`.
 */
export async function detectOsUpdate(options: DetectOptions): Promise<Detection> {
  return refusing(options, () => {
    const host = hostOf(options);
    const identity = options.fingerprint
      ? identityFrom(options.fingerprint)
      : captureIdentity(host.system, fingerprintOrderOf(options));
    const fingerprint = options.fingerprint ?? fingerprintOf(identity);
    const stateRoot = openToLook(pathOf(options), host);
    try {
      const records = readRecords(stateRoot.disk);
      const unfinished = hasUnfinishedWork(stateRoot);
      return { ...detect(fingerprint, identity, records), unfinished };
    } finally {
      stateRoot.close();
    }
  });
}

function detect(
  fingerprint: CapturedFingerprint,
  identity: OsIdentity,
  records: Records,
): Omit<Detection, 'unfinished'> {
  const { compositeHash, image } = fingerprint;
  const decision = decide({ compositeHash, ...(image ? { image } : {}) }, records);
  const stored = present(records.fingerprint);
  const isReplaced = decision.kind === 'os_replaced';
  return {
    decision: decision.kind,
    bootEpoch: decision.bootEpoch,
    storedEpoch: stored?.bootEpoch,
    storedHash: stored?.compositeHash,
    fingerprint,
    changed: isReplaced && stored ? changedComponents(stored, identity) : [],
    continued: isReplaced && decision.continued,
    knownFrom: isReplaced ? decision.knownFrom : undefined,
  };
}

/** Good for comparing texts; the hash is the captured one, never one of this text (spec 4). */
function identityFrom({ osRelease, unameRelease, image }: CapturedFingerprint): OsIdentity {
  return {
    etcOsRelease: new TextEncoder().encode(osRelease),
    usrLibOsRelease: undefined,
    kernelRelease: unameRelease,
    ...(image ? { image } : {}),
  };
}
