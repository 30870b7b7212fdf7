/**
 * Ed25519 over the exact bytes of the manifest (RFC 8032, spec section 6). The one importer of
 * `@noble/ed25519`.
 *
 * What the library does not do by itself, and what stands here instead:
 * - by default it verifies by ZIP-215, under which the all-zero key with the all-zero signature
 *   holds for every message: always `{ zip215: false }`;
 * - it throws on wrong lengths: lengths are checked first, by name;
 * - it lets a small-order key through to verification: refused when the key is loaded;
 * - it lets an R of small order through, as older versions of OpenSSL do: refused here, so that the
 *   verdict is the same on every Node.js;
 * - a second opinion costs 0.1 ms: `node:crypto` must agree, or the signature does not hold.
 */
import { createHash, createPublicKey, verify as verifyByNode } from 'node:crypto';
import { Point, getPublicKey, hashes, sign, verify } from '@noble/ed25519';
import { PrecheckError } from './failure.ts';

hashes.sha512 = (message) => new Uint8Array(createHash('sha512').update(message).digest());

export const publicKeyBytes = 32;
export const signatureBytes = 64;
/** RFC 8032 private key (seed), and Go's form of it: seed followed by public key. */
export const seedBytes = 32;
export const goPrivateKeyBytes = 64;

/** A raw public key that is a canonical curve point and not of small order. */
export type VerifyKey = Uint8Array & { readonly brand: 'VerifyKey' };
/** A raw 32-byte seed. */
export type SigningSeed = Uint8Array & { readonly brand: 'SigningSeed' };

/** Throws `manifest.verify_key_invalid` for any bytes that no honest key generation makes. */
export function loadVerifyKey(bytes: Uint8Array): VerifyKey {
  if (bytes.length !== publicKeyBytes)
    throw unusableVerifyKey(`${bytes.length} bytes, not ${publicKeyBytes}`);
  const point = decodePoint(bytes);
  if (!point) throw unusableVerifyKey('no canonical point of the curve');
  if (point.isSmallOrder()) throw unusableVerifyKey('a point of small order');
  if (!point.isTorsionFree()) throw unusableVerifyKey('a point outside the prime-order group');
  return bytes as VerifyKey;
}

/**
 * True only when both implementations accept. Throws `manifest.signature_invalid` for a wrong
 * length.
 */
export function signatureHolds(
  signature: Uint8Array,
  message: Uint8Array,
  key: VerifyKey,
): boolean {
  if (signature.length !== signatureBytes) {
    const found = `${signature.length} bytes, not ${signatureBytes}`;
    throw new PrecheckError('manifest.signature_invalid', { found });
  }
  // the quicker one first: with several keys most pairs of signature and key do not match
  return (
    holdsByNode(signature, message, key) &&
    verify(signature, message, key, { zip215: false }) &&
    decodePoint(signature.subarray(0, 32))?.isSmallOrder() === false
  );
}

/** Accepts 32 bytes (seed) and 64 bytes (Go: seed‖public); refuses a pair that does not match. */
export function loadSigningSeed(bytes: Uint8Array): SigningSeed {
  if (bytes.length !== seedBytes && bytes.length !== goPrivateKeyBytes) {
    throw unusableSigningKey(`${bytes.length} bytes`);
  }
  const seed = bytes.subarray(0, seedBytes) as SigningSeed;
  const appended = bytes.subarray(seedBytes);
  if (appended.length > 0 && !Buffer.from(publicKeyOf(seed)).equals(appended)) {
    throw unusableSigningKey('64 bytes whose second half is not the public key of the first');
  }
  return seed;
}

export function publicKeyOf(seed: SigningSeed): VerifyKey {
  return getPublicKey(seed) as VerifyKey;
}

/** The 64-byte signature over exactly these bytes. Deterministic. */
export function signBytes(message: Uint8Array, seed: SigningSeed): Uint8Array {
  return sign(message, seed);
}

function unusableVerifyKey(found: string): PrecheckError {
  return new PrecheckError('manifest.verify_key_invalid', { found });
}

function unusableSigningKey(found: string): PrecheckError {
  const expected = 'a raw Ed25519 private key of 32 bytes, or of 64 as Go writes it';
  return new PrecheckError('config.input_unusable', { found, expected });
}

function decodePoint(bytes: Uint8Array): Point | undefined {
  try {
    return Point.fromBytes(bytes, false);
  } catch {
    return undefined; // noble throws for every encoding that is no point; there is no other cause
  }
}

/** SubjectPublicKeyInfo header of a raw Ed25519 key (RFC 8410). */
const spkiHeader = Buffer.from('302a300506032b6570032100', 'hex');

function holdsByNode(signature: Uint8Array, message: Uint8Array, key: VerifyKey): boolean {
  const spki = Buffer.concat([spkiHeader, key]);
  const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  return verifyByNode(null, message, publicKey, signature);
}
