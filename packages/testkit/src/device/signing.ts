/** Keys that are the same in every run, and keyrings made of them. */
import { keyIdOf } from '@edged/model/keyring';
import {
  type SigningSeed,
  type VerifyKey,
  loadSigningSeed,
  publicKeyOf,
  signBytes,
} from '@edged/model/manifest-signature';

export interface TestKey {
  readonly seed: SigningSeed;
  readonly publicKey: VerifyKey;
  readonly id: string;
}

/** The n-th key, n from 0 to 255. */
export function testKey(n: number): TestKey {
  const seed = loadSigningSeed(new Uint8Array(32).fill(n));
  const publicKey = publicKeyOf(seed);
  return { seed, publicKey, id: keyIdOf(publicKey) };
}

/** A keyring document; `keys` in order of their roles, all others as given. */
export function keyringJson(
  keys: readonly { readonly key: TestKey; readonly roles?: readonly string[] }[],
  more: Readonly<Record<string, unknown>> = {},
): string {
  const entries = keys.map(({ key, roles = ['manifest'] }) => ({
    public_key: Buffer.from(key.publicKey).toString('hex'),
    roles,
  }));
  return `${JSON.stringify({ schema: 'edged.keyring.v1', keys: entries, ...more }, null, 2)}\n`;
}

export function signText(text: string, { seed }: TestKey): Uint8Array {
  return signBytes(Buffer.from(text), seed);
}
