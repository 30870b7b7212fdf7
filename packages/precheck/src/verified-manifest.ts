/**
 * The trust gate: nothing on the reconstruction path is copied or executed before this returns
 * (spec section 6, I5). Each file is read once; the bytes that were verified are the bytes that
 * are parsed and kept.
 */
import { type Disk, DiskError } from '@edged/host/host';
import { type FailureCode, PrecheckError } from '@edged/model/failure';
import { layout } from '@edged/model/layout';
import {
  loadVerifyKey,
  publicKeyBytes,
  signatureBytes,
  signatureHolds,
} from '@edged/model/manifest-signature';
import {
  type RuntimeManifest,
  manifestLimitBytes,
  parseRuntimeManifest,
} from '@edged/model/runtime-manifest';
import { diskDetail } from './disk-failure.ts';

export interface VerifiedManifest {
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array;
  readonly manifest: RuntimeManifest;
}

/** Where the manifest and its signature lie, relative to the state root. */
export interface ManifestPlace {
  readonly manifest: string;
  readonly signature: string;
}

/** Throws `manifest.*`: key first, then signature, then content. */
export function readVerifiedManifest(
  disk: Disk,
  place: ManifestPlace = { manifest: layout.manifest, signature: layout.signature },
): VerifiedManifest {
  const keyBytes = read(disk, layout.verifyKey, publicKeyBytes, {
    absent: 'manifest.verify_key_missing',
    tooLarge: 'manifest.verify_key_invalid',
  });
  const key = loadVerifyKey(keyBytes);
  const bytes = read(disk, place.manifest, manifestLimitBytes, {
    absent: 'manifest.missing',
    tooLarge: 'manifest.invalid',
  });
  const signature = read(disk, place.signature, signatureBytes, {
    absent: 'manifest.signature_missing',
    tooLarge: 'manifest.signature_invalid',
  });
  if (!signatureHolds(signature, bytes, key)) {
    throw new PrecheckError('manifest.signature_invalid', { manifest: place.manifest });
  }
  return { bytes, signature, manifest: parseRuntimeManifest(bytes) };
}

function read(
  disk: Disk,
  path: string,
  limitBytes: number,
  codes: { readonly absent: FailureCode; readonly tooLarge: FailureCode },
): Uint8Array {
  try {
    const bytes = disk.readFile(path, limitBytes);
    if (bytes) return bytes;
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    const code = error.errno === 'EFBIG' ? codes.tooLarge : 'manifest.unreadable';
    throw new PrecheckError(code, { ...diskDetail(error), limit_bytes: limitBytes }, error);
  }
  throw new PrecheckError(codes.absent, { file: path });
}
