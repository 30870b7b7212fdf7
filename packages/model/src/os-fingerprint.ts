/**
 * The fingerprint of an operating system (spec section 4): BLAKE3-256 over the raw bytes of
 * /etc/os-release, /usr/lib/os-release and the kernel release, without separators. The hash is
 * never recomputed from the stored text, which loses invalid UTF-8.
 */
import { type BootEpoch, parseBootEpoch } from './boot-epoch.ts';
import { type Digest, digestOf } from './digest.ts';
import { type ImageIdentity, changedIdentities, imageIdentityFromJson } from './image-identity.ts';
import { parseTolerantJson, serializeJson } from './json-reader.ts';

/** What the running OS states of itself. An absent file is undefined. */
export interface OsIdentity {
  readonly etcOsRelease: Uint8Array | undefined;
  readonly usrLibOsRelease: Uint8Array | undefined;
  readonly kernelRelease: string;
  /** With `fingerprint.profile: image` only. */
  readonly image?: ImageIdentity;
}

/** What decides whether two are the same OS. */
export interface OsKey {
  /** Any text: an edited record is a mismatch, not an error. */
  readonly compositeHash: string;
  readonly image?: ImageIdentity;
}

export interface OsFingerprint extends OsKey {
  readonly osRelease: string;
  readonly unameRelease: string;
  readonly bootEpoch: BootEpoch;
  /** RFC 3339, UTC. */
  readonly capturedAt: string;
  /** Keys this release does not know, kept as they were. */
  readonly unknownKeys: Readonly<Record<string, unknown>>;
}

export function keyOf(identity: OsIdentity): OsKey {
  const { image } = identity;
  return { compositeHash: compositeHash(identity), ...(image ? { image } : {}) };
}

/** What only one of the two knows decides nothing. */
export function sameOs(stored: OsKey, now: OsKey): boolean {
  return (
    stored.compositeHash === now.compositeHash &&
    changedIdentities(stored.image, now.image).length === 0
  );
}

export function compositeHash(identity: OsIdentity): Digest {
  const none = new Uint8Array();
  return digestOf(
    identity.etcOsRelease ?? none,
    identity.usrLibOsRelease ?? none,
    new TextEncoder().encode(identity.kernelRelease),
  );
}

/** Far more than any os-release; records with such texts stay below the size that is read. */
const keptTextBytes = 64 * 1024;

/** The text kept beside the hash, for people. */
export function osReleaseText(identity: OsIdentity): string {
  const bytes = identity.etcOsRelease ?? identity.usrLibOsRelease;
  return new TextDecoder().decode(bytes?.subarray(0, keptTextBytes));
}

/**
 * Which parts differ, as named in `edge.os.update_detected`: `os_release`, `uname_release`, names
 * of image identities; `unknown` when only the hash tells.
 */
export function changedComponents(stored: OsFingerprint, now: OsIdentity): string[] {
  const changed: string[] = [];
  if (stored.osRelease !== osReleaseText(now)) changed.push('os_release');
  if (stored.unameRelease !== now.kernelRelease) changed.push('uname_release');
  changed.push(...changedIdentities(stored.image, now.image));
  return changed.length > 0 ? changed : ['unknown'];
}

/** Reads a stored fingerprint in any JSON layout; undefined when hash or epoch cannot be had. */
export function parseOsFingerprint(bytes: Uint8Array): OsFingerprint | undefined {
  const document = parseTolerantJson(bytes);
  return document && osFingerprintFromJson(document);
}

export function osFingerprintFromJson(json: Record<string, unknown>): OsFingerprint | undefined {
  const { composite_hash, os_release, uname_release, boot_epoch, captured_at, ...more } = json;
  const { image_identity, ...unknownKeys } = more;
  const image = imageIdentityFromJson(image_identity);
  const bootEpoch = parseBootEpoch(boot_epoch);
  if (typeof composite_hash !== 'string' || bootEpoch === undefined) return undefined;
  return {
    compositeHash: composite_hash,
    osRelease: textOr(os_release),
    unameRelease: textOr(uname_release),
    bootEpoch,
    capturedAt: textOr(captured_at),
    ...(image ? { image } : {}),
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
    ...(fingerprint.image ? { image_identity: fingerprint.image } : {}),
    ...fingerprint.unknownKeys,
  };
}

export function serializeOsFingerprint(fingerprint: OsFingerprint): Uint8Array {
  return serializeJson(osFingerprintToJson(fingerprint));
}

function textOr(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
