/**
 * The fingerprint of an operating system (spec section 4): BLAKE3-256 over the raw bytes of
 * /etc/os-release, /usr/lib/os-release and the kernel release, without separators. The hash is
 * never recomputed from the stored text, which loses invalid UTF-8.
 */
import { type BootEpoch, parseBootEpoch } from './boot-epoch.ts';
import { type Digest, digestOf } from './digest.ts';
import { parseTolerantJson, serializeJson } from './json-reader.ts';

/** What the running OS states of itself. An absent file is undefined. */
export interface OsIdentity {
  readonly etcOsRelease: Uint8Array | undefined;
  readonly usrLibOsRelease: Uint8Array | undefined;
  readonly kernelRelease: string;
}

export interface OsFingerprint {
  /** Any text: an edited record is a mismatch, not an error. */
  readonly compositeHash: string;
  readonly osRelease: string;
  readonly unameRelease: string;
  readonly bootEpoch: BootEpoch;
  /** RFC 3339, UTC. */
  readonly capturedAt: string;
  /** Keys this release does not know, kept as they were. */
  readonly unknownKeys: Readonly<Record<string, unknown>>;
}

/** A part of the identity, as named in `edge.os.update_detected`. */
export type OsComponent = 'os_release' | 'uname_release' | 'unknown';

export function compositeHash(identity: OsIdentity): Digest {
  const none = new Uint8Array();
  return digestOf(
    identity.etcOsRelease ?? none,
    identity.usrLibOsRelease ?? none,
    new TextEncoder().encode(identity.kernelRelease),
  );
}

/** The text kept beside the hash, for people. */
export function osReleaseText(identity: OsIdentity): string {
  return new TextDecoder().decode(identity.etcOsRelease ?? identity.usrLibOsRelease);
}

/** Which parts differ from the stored text; `unknown` when only the hash tells. */
export function changedComponents(stored: OsFingerprint, now: OsIdentity): OsComponent[] {
  const changed: OsComponent[] = [];
  if (stored.osRelease !== osReleaseText(now)) changed.push('os_release');
  if (stored.unameRelease !== now.kernelRelease) changed.push('uname_release');
  return changed.length > 0 ? changed : ['unknown'];
}

/** Reads a stored fingerprint in any JSON layout; undefined when hash or epoch cannot be had. */
export function parseOsFingerprint(bytes: Uint8Array): OsFingerprint | undefined {
  const document = parseTolerantJson(bytes);
  return document && osFingerprintFromJson(document);
}

export function osFingerprintFromJson(json: Record<string, unknown>): OsFingerprint | undefined {
  const { composite_hash, os_release, uname_release, boot_epoch, captured_at, ...unknownKeys } =
    json;
  const bootEpoch = parseBootEpoch(boot_epoch);
  if (typeof composite_hash !== 'string' || bootEpoch === undefined) return undefined;
  return {
    compositeHash: composite_hash,
    osRelease: textOr(os_release),
    unameRelease: textOr(uname_release),
    bootEpoch,
    capturedAt: textOr(captured_at),
    unknownKeys,
  };
}

export function osFingerprintToJson(fingerprint: OsFingerprint): Record<string, unknown> {
  return {
    composite_hash: fingerprint.compositeHash,
    os_release: fingerprint.osRelease,
    uname_release: fingerprint.unameRelease,
    boot_epoch: fingerprint.bootEpoch,
    captured_at: fingerprint.capturedAt,
    ...fingerprint.unknownKeys,
  };
}

export function serializeOsFingerprint(fingerprint: OsFingerprint): Uint8Array {
  return serializeJson(osFingerprintToJson(fingerprint));
}

function textOr(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
