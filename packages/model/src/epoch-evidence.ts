/**
 * Epoch evidence (spec section 7): which OS began an epoch, with which binary and config. Four
 * keys are fixed; more follow them.
 */
import { type Acceptance, acceptanceFromJson } from './acceptance.ts';
import { isObject, parseTolerantJson, serializeJson } from './json-reader.ts';
import {
  type OsFingerprint,
  osFingerprintFromJson,
  osFingerprintToJson,
} from './os-fingerprint.ts';

export interface EpochEvidence {
  readonly osFingerprint: OsFingerprint;
  /** BLAKE3 of `runtime/binaries/<binaryPath>`; empty when that file is absent. */
  readonly binaryHash: string;
  /** BLAKE3 of `bootstrap/config.yaml`; empty when that file is absent. */
  readonly configHash: string;
  /** RFC 3339, UTC. */
  readonly rotatedAt: string;
  /**
   * `kind`, `binary_path`, `changed`, `mount_check_skipped`, `time_verdict`, `slot`,
   * `acceptance`, `repaired` and later keys.
   */
  readonly more: Readonly<Record<string, unknown>>;
}

/** Undefined when torn: no JSON object, or no usable fingerprint in it. */
export function parseEpochEvidence(bytes: Uint8Array): EpochEvidence | undefined {
  const document = parseTolerantJson(bytes);
  return document && epochEvidenceFromJson(document);
}

export function epochEvidenceFromJson(json: Record<string, unknown>): EpochEvidence | undefined {
  const { os_fingerprint, binary_hash, config_hash, rotated_at, ...more } = json;
  const osFingerprint = isObject(os_fingerprint)
    ? osFingerprintFromJson(os_fingerprint)
    : undefined;
  if (!osFingerprint || typeof binary_hash !== 'string' || typeof config_hash !== 'string') {
    return undefined;
  }
  if (typeof rotated_at !== 'string') return undefined;
  return {
    osFingerprint,
    binaryHash: binary_hash,
    configHash: config_hash,
    rotatedAt: rotated_at,
    more,
  };
}

export function epochEvidenceToJson(evidence: EpochEvidence): Record<string, unknown> {
  return {
    os_fingerprint: osFingerprintToJson(evidence.osFingerprint),
    binary_hash: evidence.binaryHash,
    config_hash: evidence.configHash,
    rotated_at: evidence.rotatedAt,
    ...evidence.more,
  };
}

export function serializeEpochEvidence(evidence: EpochEvidence): Uint8Array {
  return serializeJson(epochEvidenceToJson(evidence));
}

export function acceptanceOf({ more }: EpochEvidence): Acceptance | undefined {
  return acceptanceFromJson(more['acceptance']);
}

/** Same OS in the same epoch: what spec I2 asks of fingerprint and evidence. */
export function sameEpoch(one: OsFingerprint, other: OsFingerprint): boolean {
  return one.bootEpoch === other.bootEpoch && one.compositeHash === other.compositeHash;
}
