/**
 * The trust gate: nothing on the reconstruction path is copied or executed before this returns
 * (spec section 6, I5). Each file is read once; the bytes that were verified are the bytes that
 * are parsed and kept.
 */
import type { Disk } from '@edged/host/host';
import { PrecheckError } from '@edged/model/failure';
import { type KeyringKey, keysFor, signersOf } from '@edged/model/keyring';
import { layout } from '@edged/model/layout';
import { signatureHolds } from '@edged/model/manifest-signature';
import {
  type RuntimeManifest,
  manifestLimitBytes,
  parseRuntimeManifest,
} from '@edged/model/runtime-manifest';
import { type Trust, readSignatures, readTrusted } from './trust-anchor.ts';

export interface VerifiedManifest {
  readonly bytes: Uint8Array;
  /** Every signature that was shipped, `manifest.json.sig` first. */
  readonly signatures: readonly Uint8Array[];
  readonly manifest: RuntimeManifest;
  /** Ids of the keyring keys that signed; empty without a keyring. */
  readonly signers: readonly string[];
}

/** Throws `manifest.*`: signature, then content. `path` is that of the manifest. */
export function readVerifiedManifest(
  disk: Disk,
  trust: Trust,
  path: string = layout.manifest,
): VerifiedManifest {
  const bytes = readTrusted(disk, path, manifestLimitBytes, {
    absent: 'manifest.missing',
    tooLarge: 'manifest.invalid',
  });
  const signatures = readSignatures(disk, path, {
    absent: 'manifest.signature_missing',
    tooLarge: 'manifest.signature_invalid',
  });
  const signers = requireSigners(trust, bytes, signatures, path);
  return {
    bytes,
    signatures,
    manifest: parseRuntimeManifest(bytes),
    signers: signers.map(({ id }) => id),
  };
}

function requireSigners(
  trust: Trust,
  bytes: Uint8Array,
  signatures: readonly [Uint8Array, ...Uint8Array[]],
  path: string,
): KeyringKey[] {
  if (trust.kind === 'state_root_key') {
    if (signatureHolds(signatures[0], bytes, trust.key)) return [];
    throw new PrecheckError('manifest.signature_invalid', { manifest: path });
  }
  const { keyring } = trust;
  const signers = signersOf(bytes, signatures, keysFor(keyring, 'manifest'));
  const needed = keyring.thresholds.manifest;
  if (signers.length >= needed) return signers;
  const ids = signers.map(({ id }) => id).join(', ');
  if (signers.length > 0) {
    const detail = { manifest: path, signed_by: ids, signatures: signers.length, needed };
    throw new PrecheckError('manifest.signatures_too_few', detail);
  }
  const others = signersOf(bytes, signatures, keyring.keys);
  const found = others.map(({ id }) =>
    keyring.revoked.has(id) ? `signed by revoked key ${id}` : `key ${id} may not sign manifests`,
  );
  throw new PrecheckError('manifest.signature_invalid', {
    manifest: path,
    found: found.join(', ') || 'signed by no key of the keyring',
  });
}
