/** `edged sign FILE --key K`: the detached 64-byte signature beside a manifest or keyring. */
import { createPrivateKey } from 'node:crypto';
import { type FailureDetail, PrecheckError } from '@edged/model/failure';
import { parseKeyring } from '@edged/model/keyring';
import { type SigningSeed, loadSigningSeed, signBytes } from '@edged/model/manifest-signature';
import { manifestLimitBytes, parseRuntimeManifest } from '@edged/model/runtime-manifest';
import type { CommandContext } from '../command-context.ts';
import { success } from '@edged/model/exit-code';
import { readInput, replaceOutput } from '../files.ts';

export interface SignArguments {
  readonly file: string;
  readonly key: string;
  /** Default: the file's name with `.sig` behind it. */
  readonly signature: string | undefined;
}

export function runSign(args: SignArguments, { terminal, log }: CommandContext): number {
  const { file, key, signature = `${file}.sig` } = args;
  const bytes = readInput(file, manifestLimitBytes);
  const seed = readSigningSeed(key);
  warnOfRefusal(bytes, file, log);
  replaceOutput(signature, signBytes(bytes, seed), 0o644);
  terminal.out(`signed ${file}: ${signature}\n`);
  return success;
}

/** More than any key: what is none shall be told what is, and not that it is large. */
const keyLimitBytes = 16 * 1024;

function readSigningSeed(file: string): SigningSeed {
  const bytes = readInput(file, keyLimitBytes);
  try {
    return loadSigningSeed(bytes);
  } catch (error) {
    if (!(error instanceof PrecheckError)) throw error;
    const detail = bytes.includes('-----BEGIN ') ? describePem(bytes) : {};
    throw new PrecheckError(error.code, { file, ...error.details[0], ...detail }, error);
  }
}

/** Of any other kind of key the last 32 bytes would pass for a seed, and may be public. */
function describePem(pem: Buffer): FailureDetail {
  const type = privateKeyType(pem);
  if (type === undefined) return { found: 'PEM without a private key that can be read' };
  if (type !== 'ed25519') return { found: `PEM with a private key of the type ${type}` };
  return { found: 'PEM', convert: 'openssl pkey -in PEM -outform DER | tail -c 32' };
}

function privateKeyType(pem: Buffer): string | undefined {
  try {
    return createPrivateKey(pem).asymmetricKeyType;
  } catch {
    return undefined; // public, encrypted, a certificate, or torn
  }
}

/** A signature is the signer's word on any bytes; that a device would refuse them is said. */
function warnOfRefusal(bytes: Buffer, file: string, log: CommandContext['log']): void {
  try {
    if (bytes.includes('"edged.keyring.v1"')) parseKeyring(bytes, file);
    else parseRuntimeManifest(bytes);
  } catch (error) {
    if (!(error instanceof PrecheckError)) throw error;
    for (const detail of error.details) {
      log('warn', 'edged: every device will refuse this file', {
        reason: error.code,
        ...detail,
      });
    }
  }
}
