/**
 * What a device remembers of the manifests it accepted, and the rules by which that keeps an older
 * or a stale one out. Pure. The memory lies in the evidence of two epochs and in the history, so
 * that the loss of any one file loses none of it.
 */
import { PrecheckError } from './failure.ts';
import { isObject } from './json-reader.ts';
import type { RuntimeManifest } from './runtime-manifest.ts';

export interface Acceptance {
  /** BLAKE3 of the manifest bytes that were last accepted. */
  readonly manifestHash: string;
  /** The epoch in which those bytes were first used. */
  readonly acceptedEpoch: number;
  /** The highest `serial` of any manifest ever accepted. */
  readonly highestSerial: number | undefined;
  /** The highest version of any keyring ever relied on. */
  readonly keyringVersion: number | undefined;
  /** RFC 3339: `issued_at` of the manifest, a floor of the clock. */
  readonly issuedAt: string | undefined;
  /** `max_boots_since_accept`: while it is set, every boot is counted. */
  readonly maxBoots: number | undefined;
}

/** Boots since a manifest was accepted, this one included. */
export interface BootCount {
  readonly manifestHash: string;
  readonly boots: number;
  /** `/proc/sys/kernel/random/boot_id` of the boot that was counted last. */
  readonly bootId: string;
}

/** What a manifest is held against. */
export interface Circumstances {
  readonly memory: Acceptance | undefined;
  readonly manifestHash: string;
  /** The epoch that would begin. */
  readonly bootEpoch: number;
  /** Boots since this manifest was accepted; undefined when the count is lost. */
  readonly boots: number | undefined;
  /** `identity.edge_domain_id`; undefined: the audience is not judged. */
  readonly edgeDomainId: string | undefined;
  /** Milliseconds since 1970 that have passed for certain. */
  readonly nowMilliseconds: number;
  /** The lowest serial that the keyring allows. */
  readonly minimumSerial: number | undefined;
}

/** Throws `manifest.rolled_back`, `.expired`, `.wrong_audience`, `.stale`. */
export function requireAcceptable(manifest: RuntimeManifest, at: Circumstances): void {
  requireNoRollback(manifest, at);
  requireAudience(manifest, at);
  requireUnexpired(manifest, at);
  requireFresh(manifest, at);
}

function requireNoRollback({ serial }: RuntimeManifest, at: Circumstances): void {
  const remembered = at.memory?.highestSerial;
  const lowest = Math.max(remembered ?? -1, at.minimumSerial ?? -1);
  if (lowest < 0 || (serial !== undefined && serial >= lowest)) return;
  throw new PrecheckError('manifest.rolled_back', {
    serial: serial ?? 'none',
    lowest_allowed: lowest,
    from: lowest === remembered ? 'a manifest accepted earlier' : 'the keyring',
  });
}

function requireAudience({ audience }: RuntimeManifest, { edgeDomainId }: Circumstances): void {
  if (!audience || edgeDomainId === undefined) return;
  if (audience.some((pattern) => matchesGlob(pattern, edgeDomainId))) return;
  const detail = { edge_domain_id: edgeDomainId, audience: audience.join(', ') };
  throw new PrecheckError('manifest.wrong_audience', detail);
}

function requireUnexpired({ notAfter }: RuntimeManifest, at: Circumstances): void {
  if (notAfter === undefined || Date.parse(notAfter) >= at.nowMilliseconds) return;
  const now = new Date(at.nowMilliseconds).toISOString();
  throw new PrecheckError('manifest.expired', { not_after: notAfter, now });
}

function requireFresh({ maxBoots, maxEpochs }: RuntimeManifest, at: Circumstances): void {
  if (at.memory?.manifestHash !== at.manifestHash) return;
  const epochs = at.bootEpoch - at.memory.acceptedEpoch + 1;
  if (maxEpochs !== undefined && epochs > maxEpochs) {
    throw new PrecheckError('manifest.stale', { epochs, max_epochs: maxEpochs });
  }
  if (maxBoots === undefined || (at.boots !== undefined && at.boots <= maxBoots)) return;
  const boots = at.boots ?? 'the count is lost';
  throw new PrecheckError('manifest.stale', { boots, max_boots_since_accept: maxBoots });
}

/** The memory after this manifest was accepted. */
export function accepted(
  manifest: RuntimeManifest,
  at: Circumstances,
  keyringVersion: number | undefined,
): Acceptance {
  const { memory, manifestHash, bootEpoch } = at;
  const isSame = memory?.manifestHash === manifestHash;
  return {
    manifestHash,
    acceptedEpoch: isSame ? memory.acceptedEpoch : bootEpoch,
    highestSerial: highest(memory?.highestSerial, manifest.serial),
    keyringVersion: highest(memory?.keyringVersion, keyringVersion),
    issuedAt: manifest.issuedAt,
    maxBoots: manifest.maxBoots,
  };
}

/**
 * One memory out of several records, the newest first: serial and keyring version are the highest
 * of any, the rest is the newest.
 */
export function mergeAcceptances(newestFirst: readonly Acceptance[]): Acceptance | undefined {
  const [newest] = newestFirst;
  if (!newest) return undefined;
  const serials = newestFirst.map(({ highestSerial }) => highestSerial);
  const versions = newestFirst.map(({ keyringVersion }) => keyringVersion);
  return {
    ...newest,
    highestSerial: serials.reduce(highest),
    keyringVersion: versions.reduce(highest),
  };
}

export function acceptanceToJson(acceptance: Acceptance): Record<string, unknown> {
  const { highestSerial, keyringVersion, issuedAt, maxBoots } = acceptance;
  return {
    manifest_hash: acceptance.manifestHash,
    accepted_epoch: acceptance.acceptedEpoch,
    ...(highestSerial === undefined ? {} : { highest_serial: highestSerial }),
    ...(keyringVersion === undefined ? {} : { keyring_version: keyringVersion }),
    ...(issuedAt === undefined ? {} : { issued_at: issuedAt }),
    ...(maxBoots === undefined ? {} : { max_boots_since_accept: maxBoots }),
  };
}

/** Undefined when it is none; a field of the wrong type is left out. */
export function acceptanceFromJson(json: unknown): Acceptance | undefined {
  if (!isObject(json)) return undefined;
  const manifestHash = json['manifest_hash'];
  const acceptedEpoch = countOf(json['accepted_epoch']);
  if (typeof manifestHash !== 'string' || acceptedEpoch === undefined) return undefined;
  const issuedAt = json['issued_at'];
  return {
    manifestHash,
    acceptedEpoch,
    highestSerial: countOf(json['highest_serial']),
    keyringVersion: countOf(json['keyring_version']),
    issuedAt: typeof issuedAt === 'string' ? issuedAt : undefined,
    maxBoots: countOf(json['max_boots_since_accept']),
  };
}

export function bootCountToJson({ manifestHash, boots, bootId }: BootCount): object {
  return { manifest_hash: manifestHash, boots, boot_id: bootId };
}

export function bootCountFromJson(json: unknown): BootCount | undefined {
  if (!isObject(json)) return undefined;
  const { manifest_hash, boot_id } = json;
  const boots = countOf(json['boots']);
  if (typeof manifest_hash !== 'string' || typeof boot_id !== 'string') return undefined;
  return boots === undefined ? undefined : { manifestHash: manifest_hash, boots, bootId: boot_id };
}

/** `*` is any run of characters, `?` any one; everything else is itself. Linear in both lengths. */
function matchesGlob(pattern: string, text: string): boolean {
  let [at, star, resume] = [0, -1, 0];
  let place = 0;
  while (place < text.length) {
    if (at < pattern.length && pattern[at] === '*') {
      [star, resume] = [at, place];
      at += 1;
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === text[place])) {
      at += 1;
      place += 1;
    } else if (star >= 0) {
      resume += 1;
      [at, place] = [star + 1, resume];
    } else {
      return false;
    }
  }
  return /^\**$/.test(pattern.slice(at));
}

function highest(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || (other !== undefined && other > one) ? other : one;
}

function countOf(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
}

/** Whether `kept` knows less than `remembered` of what keeps an old manifest from coming back. */
export function forgets(kept: Acceptance | undefined, remembered: Acceptance | undefined): boolean {
  return (
    isLower(kept?.highestSerial, remembered?.highestSerial) ||
    isLower(kept?.keyringVersion, remembered?.keyringVersion)
  );
}

function isLower(kept: number | undefined, remembered: number | undefined): boolean {
  return remembered !== undefined && (kept === undefined || kept < remembered);
}
