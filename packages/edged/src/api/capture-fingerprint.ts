/** `captureFingerprint`: what an OS states of itself. */
import { type OsIdentity, compositeHash, osReleaseText } from '@edged/model/os-fingerprint';
import { captureIdentity } from '@edged/precheck/capture-fingerprint';
import {
  type FingerprintOptions,
  type MachineOptions,
  fingerprintOrderOf,
  hostOf,
} from './options.ts';
import { refusing } from './refusal.ts';

/** What {@link captureFingerprint} is asked with. */
export interface CaptureOptions extends MachineOptions, FingerprintOptions {}

/** The fingerprint of an OS, not yet bound to an epoch (spec section 4). */
export interface CapturedFingerprint {
  /**
   * 64 lower-case hex digits: BLAKE3-256 over the raw bytes of /etc/os-release,
   * /usr/lib/os-release and the kernel release.
   */
  readonly compositeHash: string;
  /** Text of os-release, for people: bytes that are no UTF-8 are lost in it. */
  readonly osRelease: string;
  /** The kernel release. */
  readonly unameRelease: string;
  /** With the profile `image`: identities of the image, by name. */
  readonly image?: Readonly<Record<string, string>>;
}

/**
 * What the running OS, or the one that is mounted at `osRoot`, states of itself (spec section 4).
 * Reads only.
 *
 * @throws {@link PrecheckError} `os.identity_missing` when there is no os-release, or none can be
 * read.
 */
export async function captureFingerprint(
  options: CaptureOptions = {},
): Promise<CapturedFingerprint> {
  return refusing(options, () =>
    fingerprintOf(captureIdentity(hostOf(options).system, fingerprintOrderOf(options))),
  );
}

export function fingerprintOf(identity: OsIdentity): CapturedFingerprint {
  return {
    compositeHash: compositeHash(identity),
    osRelease: osReleaseText(identity),
    unameRelease: identity.kernelRelease,
    ...(identity.image ? { image: identity.image } : {}),
  };
}
