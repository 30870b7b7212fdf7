/**
 * BLAKE3-256, the only digest of this house. The one importer of `blake3-wasm`.
 *
 * What the library does not do for us, and what stands here instead:
 * - other releases of it give a wrong digest for a chunk over 1 MiB: chunks are cut to 64 KiB;
 * - a hasher lives in WASM memory until it is freed: `digestHex()` and `abandon()` free it;
 * - its front door loads Node's streams, which cost a matching boot more than the hash: the module
 *   with the code itself is imported;
 * - nothing checks the compiled module: `selfTest()` compares two published digests once.
 */
import blake3 from 'blake3-wasm/dist/wasm/nodejs/blake3_js.js';

/** 64 lower-case hexadecimal digits. */
export type Digest = string & { readonly brand: 'Digest' };

const digestBytes = 32;
const longestChunkBytes = 64 * 1024;
const digestPattern = /^(?:blake3:)?([0-9a-f]{64})$/i;

/** A streaming BLAKE3-256. Ends with exactly one of `digestHex()` and `abandon()`. */
export interface Hasher {
  update(bytes: Uint8Array): void;
  digestHex(): Digest;
  abandon(): void;
}

export function createHasher(): Hasher {
  if (!selfTested) selfTest(openWasmHasher);
  selfTested = true;
  return (openNative ?? openWasmHasher)();
}

/**
 * From now on hash in machine code, where that is to be had and gives the published digests. The
 * reason why not; undefined when it is so. The digests are the same either way.
 */
export async function useNativeBlake3(): Promise<string | undefined> {
  try {
    const { openNativeHasher } = await import('./native-blake3.ts');
    selfTest(openNativeHasher);
    openNative = openNativeHasher;
    return undefined;
  } catch (error) {
    return (error as Error).message.split('\n')[0] ?? 'it does not load';
  }
}

/** Back to the module that works everywhere. */
export function useWasmBlake3(): void {
  openNative = undefined;
}

let openNative: (() => Hasher) | undefined;

/** BLAKE3-256 over the concatenation of the parts, without separators. */
export function digestOf(...parts: readonly Uint8Array[]): Digest {
  const hasher = createHasher();
  for (const part of parts) hasher.update(part);
  return hasher.digestHex();
}

/** Accepts 64 hexadecimal digits of either case, with or without `blake3:`; undefined otherwise. */
export function parseDigest(text: string): Digest | undefined {
  return digestPattern.exec(text)?.[1]?.toLowerCase() as Digest | undefined;
}

function openWasmHasher(): Hasher {
  const wasm = blake3.create_hasher();
  return {
    update(bytes) {
      for (let start = 0; start < bytes.length; start += longestChunkBytes) {
        wasm.update(bytes.subarray(start, start + longestChunkBytes));
      }
    },
    digestHex() {
      const digest = new Uint8Array(digestBytes);
      wasm.digest(digest);
      wasm.free();
      return Buffer.from(digest).toString('hex') as Digest;
    },
    abandon: () => wasm.free(),
  };
}

/** Digests of the empty input and of bytes 0, 1, 2: the official BLAKE3 test vectors. */
const published: readonly (readonly [number, string])[] = [
  [0, 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262'],
  [3, 'e1be4d7a8ab5560aa4199eea339849ba8e293d55ca0a81006726d184519e647f'],
];
let selfTested = false;

function selfTest(open: () => Hasher): void {
  for (const [length, expected] of published) {
    const hasher = open();
    hasher.update(Uint8Array.from({ length }, (_, index) => index));
    const found = hasher.digestHex();
    if (found !== expected) throw new Error(`BLAKE3 self-test: ${found} for ${length} bytes`);
  }
}
