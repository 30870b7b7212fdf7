/** `runReconstruction` and `rotateEpoch`: one part of a precheck each. */
import { type PartialOutcome, partialPrecheck } from '@edged/precheck/partial-precheck';
import type { DecisionKind } from './detect-os-update.ts';
import { type DeviceOptions, type Rehearsed, deviceOrderOf, onHost, reportOf } from './options.ts';
import { refusing } from './refusal.ts';

/** What {@link runReconstruction} did. */
export interface Reconstruction extends PartResult {
  /** True: the runtime was installed again, and `bootEpoch` began with it. */
  readonly reconstructed: boolean;
}

/** What {@link rotateEpoch} did. */
export interface Rotation extends PartResult {
  /** True: fingerprint and evidence agree again, in the epoch `bootEpoch`. */
  readonly rotated: boolean;
}

/** What a part of a precheck says of itself. */
export interface PartResult extends Rehearsed {
  /** What was decided, whether or not it was this function's to do. */
  readonly decision: DecisionKind;
  /**
   * BootEpoch that the decision speaks of: the one the state root is in once it was carried out,
   * by this function or by a precheck.
   */
  readonly bootEpoch: number;
  /** Of the OS that was asked about. */
  readonly compositeHash: string;
  /**
   * An earlier run was cut off: first its change was carried to its end, if its journal was
   * committed, or taken back.
   */
  readonly recovered: boolean;
}

/**
 * The reconstruction path of a precheck (spec section 5, "different hash"), without the
 * certificate gate. When the OS was replaced (`os_replaced`) or the fingerprint lost
 * (`state_lost`): takes the lock, verifies the manifest, installs the runtime, rotates the evidence
 * and counts the epoch, all of it under the journal that makes it happen wholly or not at all. For
 * any other decision it does nothing. A change that an earlier run left unfinished is put right
 * first, whatever is decided then.
 *
 * @throws {@link PrecheckError} `manifest.*`, `trust.*`, `operation.*`, `reconstruction.*`: then
 * the state root is as it was; `state_root.*`; `os.identity_missing`; `config.usage`.
 */
export async function runReconstruction(options: DeviceOptions): Promise<Reconstruction> {
  return refusing(options, () =>
    onHost(options, async (host) => {
      const kinds = ['os_replaced', 'state_lost'] as const;
      const order = deviceOrderOf(options);
      const outcome = await partialPrecheck(order, kinds, host, reportOf(options));
      return { ...resultOf(outcome), reconstructed: outcome.isDone };
    }),
  );
}

/**
 * Rotates the evidence of the epoch that the state root is in, where it does not agree with the
 * fingerprint (`evidence_damaged`: missing, torn, or of another epoch; spec section 7, I2). The
 * evidence of this epoch is looked for in `epoch/current` and `epoch/previous` and written anew
 * where it is lost; it becomes `current`, the evidence of the epoch before it `previous`, under the
 * same lock and journal as every change. For any other decision it does nothing: a sound state root
 * stays as it is, and an OS that was replaced is left to {@link runReconstruction}.
 *
 * It never begins an epoch. `bootEpoch` is the highest on record: where the stored fingerprint was
 * put below what the evidence or the history prove, it is brought back up to that. An epoch that an
 * interrupted reconstruction had committed to in its journal is finished first, as by any precheck.
 *
 * @throws {@link PrecheckError} `reconstruction.no_space`, `reconstruction.io_error`;
 * `state_root.*`; `manifest.*` and `trust.*` when an interrupted change cannot be verified for lack
 * of a key; `os.identity_missing`; `config.usage`.
 */
export async function rotateEpoch(options: DeviceOptions): Promise<Rotation> {
  return refusing(options, () =>
    onHost(options, async (host) => {
      const order = deviceOrderOf(options);
      const report = reportOf(options);
      const outcome = await partialPrecheck(order, ['evidence_damaged'], host, report);
      return { ...resultOf(outcome), rotated: outcome.isDone };
    }),
  );
}

function resultOf(outcome: PartialOutcome): Omit<PartResult, 'changes'> {
  const { decision, compositeHash, isRecovered } = outcome;
  const { kind, bootEpoch } = decision;
  return { decision: kind, bootEpoch, compositeHash, recovered: isRecovered };
}
