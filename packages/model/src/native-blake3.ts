/**
 * BLAKE3 in machine code, for what is measured in megabytes: a twentieth of the time of the WASM
 * module. The one importer of `@napi-rs/blake-hash`, which need not be there; loaded by
 * `useNativeBlake3` alone.
 */
import { Blake3Hasher } from '@napi-rs/blake-hash';
import type { Digest, Hasher } from './digest.ts';

export function openNativeHasher(): Hasher {
  const native = new Blake3Hasher();
  return {
    update(bytes) {
      native.update(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    },
    digestHex: () => native.digest('hex') as Digest,
    abandon: () => undefined,
  };
}
