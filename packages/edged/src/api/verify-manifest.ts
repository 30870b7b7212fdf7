/** `verifyManifest`: would a device accept this runtime? */
import { digestOf } from '@edged/model/digest';
import { type RehearsedRuntime, contextOf, rehearseRuntime } from '@edged/precheck/reconstruction';
import {
  type ClockOptions,
  type MachineOptions,
  type ReportOptions,
  type StateRootOptions,
  type TrustOptions,
  hostOf,
  pathOf,
  reportOf,
  timeOrderOf,
  trustOrderOf,
} from './options.ts';
import { openToLook } from '../looking.ts';
import { refusing } from './refusal.ts';

/** What {@link verifyManifest} is asked with. */
export interface VerifyOptions
  extends StateRootOptions, MachineOptions, TrustOptions, ClockOptions, ReportOptions {}

/** One operation of a manifest, with what its source was found to be (spec section 6). */
export interface VerifiedOperation {
  /** Place in the manifest, from 0. */
  readonly index: number;
  /** `copy_binary` installs a file, `verify_config` only looks at one. */
  readonly op: 'copy_binary' | 'verify_config';
  /** Relative to the state root, every symlink followed. */
  readonly src: string;
  /** As `src`; undefined for `verify_config`. */
  readonly dst: string | undefined;
  /** Permission bits that the manifest asks for, 0 to 0o777; undefined: those of `src`. */
  readonly mode: number | undefined;
  /** Of `src`. */
  readonly sizeBytes: number;
  /** BLAKE3-256 of `src`, 64 lower-case hex digits. */
  readonly hash: string;
  /** Why `dst` could not be run here, where the manifest does not ask that it can. */
  readonly cannotRun: string | undefined;
}

/** A manifest that a device would follow. */
export interface VerifiedRuntime {
  /** Whose word counted: the key in the state root, or a keyring outside it. */
  readonly trustedBy: 'state_root_key' | 'keyring';
  /** Ids of the keyring keys that signed; empty without a keyring. */
  readonly signers: readonly string[];
  /** Of `runtime/manifest.json`. */
  readonly manifestBytes: number;
  /** BLAKE3-256 of `runtime/manifest.json`, 64 lower-case hex digits. */
  readonly manifestHash: string;
  /** `serial` of the manifest; undefined where it has none. */
  readonly serial: number | undefined;
  /** In the order of the manifest. */
  readonly operations: readonly VerifiedOperation[];
  /** Sum of the files that would be installed. */
  readonly copiedBytes: number;
}

/**
 * Signature, content and freshness of `runtime/manifest.json`, every rule for its operations and
 * every source that it names, as a device would judge them if its OS were replaced now (spec
 * section 6). Each source is read once, in full. Reads only, takes no lock, and asks nothing of the
 * place where the tree lies but that it can be read.
 *
 * @throws {@link PrecheckError} `manifest.*`, `trust.*` and `operation.*`, such as
 * `manifest.signature_invalid`; `reconstruction.no_space`; `state_root.*`; `config.usage`.
 */
export async function verifyManifest(options: VerifyOptions): Promise<VerifiedRuntime> {
  return refusing(options, () => {
    const host = hostOf(options);
    const report = reportOf(options);
    const stateRoot = openToLook(pathOf(options), host);
    try {
      const order = { trust: trustOrderOf(options), time: timeOrderOf(options) };
      const context = contextOf(stateRoot, host, order, report);
      return describe(rehearseRuntime(stateRoot, host, context, report));
    } finally {
      stateRoot.close();
    }
  });
}

function describe({ trust, verified, plan, verdicts }: RehearsedRuntime): VerifiedRuntime {
  return {
    trustedBy: trust.kind,
    signers: verified.signers,
    manifestBytes: verified.bytes.length,
    manifestHash: digestOf(verified.bytes),
    serial: verified.manifest.serial,
    operations: plan.operations.map(({ index, src, sizeBytes, target }) => ({
      index,
      op: target ? 'copy_binary' : 'verify_config',
      src,
      dst: target?.dst,
      mode: target?.mode,
      sizeBytes,
      hash: verdicts.get(index)?.digest ?? '',
      cannotRun: verdicts.get(index)?.obstacle,
    })),
    copiedBytes: plan.copiedBytes,
  };
}
