/** `edged keygen`: an Ed25519 key pair as raw bytes, as Go and OpenSSL use them. */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { loadSigningSeed, publicKeyOf, seedBytes } from '@edged/model/manifest-signature';
import type { CommandContext } from '../command-context.ts';
import { success } from '@edged/model/exit-code';
import { makeDirectory, removeOutput, requireAbsent, writeNewFile } from '../files.ts';

export const privateKeyName = 'manifest-sign.key';
export const publicKeyName = 'manifest-verify.pub';

export function runKeygen(directory: string, { terminal }: CommandContext): number {
  const privateKey = path.join(directory, privateKeyName);
  const publicKey = path.join(directory, publicKeyName);
  const seed = loadSigningSeed(randomBytes(seedBytes));
  makeDirectory(directory);
  // both before the first is written: half a pair is worth nothing, and in the way
  requireAbsent(privateKey);
  requireAbsent(publicKey);
  writeNewFile(privateKey, seed, 0o600);
  try {
    writeNewFile(publicKey, publicKeyOf(seed), 0o644);
  } catch (error) {
    removeOutput(privateKey);
    throw error;
  }
  terminal.out(`private key (keep off the device): ${privateKey}\n`);
  terminal.out(`public key (goes to identity/${publicKeyName}): ${publicKey}\n`);
  return success;
}
