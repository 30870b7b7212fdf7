/** `edged fingerprint`: the composite hash of the running OS. */
import { compositeHash } from '@edged/model/os-fingerprint';
import { digestOf } from '@edged/model/digest';
import { captureIdentity } from '@edged/precheck/capture-fingerprint';
import type { CommandContext } from '../command-context.ts';
import { success } from '@edged/model/exit-code';

export function runFingerprint(
  output: 'text' | 'json',
  { host, terminal }: CommandContext,
): number {
  const identity = captureIdentity(host.system, { profile: 'image', files: [] });
  const { etcOsRelease, usrLibOsRelease, kernelRelease, image } = identity;
  const document = {
    schema: 'edged.fingerprint.v1',
    composite_hash: compositeHash(identity),
    etc_os_release: part(etcOsRelease),
    usr_lib_os_release: part(usrLibOsRelease),
    uname_release: kernelRelease,
    image_identity: image,
  };
  terminal.out(
    output === 'json' ? `${JSON.stringify(document, null, 2)}\n` : `${document.composite_hash}\n`,
  );
  return success;
}

function part(bytes: Uint8Array | undefined): object | null {
  return bytes ? { size_bytes: bytes.length, hash: digestOf(bytes) } : null;
}
