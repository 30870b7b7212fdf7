/** What an os-release file says to people (os-release(5)); the fingerprint is made of its bytes. */
import { type OsIdentity, osReleaseText } from './os-fingerprint.ts';

/** PRETTY_NAME, or whatever names the OS; never empty. */
export function prettyNameOf(identity: OsIdentity): string {
  const text = osReleaseText(identity);
  const id = valueOf(text, 'ID');
  const plain = [
    valueOf(text, 'NAME') ?? id,
    valueOf(text, 'VERSION') ?? valueOf(text, 'VERSION_ID'),
  ];
  const name = valueOf(text, 'PRETTY_NAME') ?? plain.filter(Boolean).join(' ');
  return name || 'an OS without a name';
}

/** Quotes and backslashes as in a shell; control characters are nobody's name. */
function valueOf(text: string, key: string): string | undefined {
  const raw = new RegExp(`^${key}=(.*)$`, 'm').exec(text)?.[1]?.trim();
  const quoted = /^(["'])(.*)\1$/.exec(raw ?? '');
  const value = (quoted?.[2] ?? raw)?.replaceAll(/\\(.)/g, '$1').replaceAll(/\p{Cc}/gu, '');
  return value || undefined;
}
