/** `edged sign MANIFEST --key K`: the detached 64-byte signature beside a manifest or keyring. */
import { PrecheckError } from '@edged/model/failure';
import { parseKeyring } from '@edged/model/keyring';
import { goPrivateKeyBytes, loadSigningSeed, signBytes } from '@edged/model/manifest-signature';
import { manifestLimitBytes, parseRuntimeManifest } from '@edged/model/runtime-manifest';
import type { CommandContext } from '../command-context.ts';
import { success } from '@edged/model/exit-code';
import { readInput, replaceOutput } from '../files.ts';

export interface SignArguments {
  readonly manifest: string;
  readonly key: string;
  /** Default: the manifest's name with `.sig` behind it. */
  readonly signature: string | undefined;
}

export function runSign(args: SignArguments, { terminal, log }: CommandContext): number {
  const bytes = readInput(args.manifest, manifestLimitBytes);
  const seed = loadSigningSeed(readInput(args.key, goPrivateKeyBytes));
  warnOfRefusal(bytes, args.manifest, log);
  const signature = args.signature ?? `${args.manifest}.sig`;
  replaceOutput(signature, signBytes(bytes, seed), 0o644);
  terminal.out(`signed ${args.manifest}: ${signature}\n`);
  return success;
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
