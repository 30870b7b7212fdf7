/**
 * What an OS image states of itself beyond os-release and kernel release, for systems whose images
 * share both (`fingerprint.profile: image`): root hashes and closure on the kernel command line,
 * and files of the integrator's choice. Kept beside the composite hash, never in it: turning the
 * profile on, or naming another file, is not an OS replacement.
 *
 * Slots, try counters and boot devices stand on the command line as well; they tell where an image
 * lies, not which one it is, and are left out.
 */
import { digestOf } from './digest.ts';
import { isObject } from './json-reader.ts';

/** Name (`kernel:roothash`, `file:/usr/lib/image-id`) → value; empty where it is not stated. */
export type ImageIdentity = Readonly<Record<string, string>>;

/** dm-verity roots (systemd-veritysetup-generator(8)) and the closure of a NixOS generation. */
const statements = {
  'kernel:roothash': /^roothash=([0-9a-f]{8,128})$/i,
  'kernel:usrhash': /^usrhash=([0-9a-f]{8,128})$/i,
  'kernel:init': /^init=(\/nix\/store\/[^\s"]+)$/,
} as const;

/** Of a parameter given twice the last counts, as for the kernel. */
export function statedByKernel(commandLine: string): ImageIdentity {
  const parameters = commandLine.trim().split(/\s+/).toReversed();
  return Object.fromEntries(
    Object.entries(statements).map(([name, pattern]) => {
      const stated = parameters.map((parameter) => pattern.exec(parameter)?.[1]);
      return [name, stated.find((value) => value !== undefined) ?? ''];
    }),
  );
}

export function nameOfFile(path: string): string {
  return `file:${path}`;
}

/** The names whose values differ, of those that both know. */
export function changedIdentities(
  stored: ImageIdentity | undefined,
  now: ImageIdentity | undefined,
): string[] {
  if (!stored || !now) return [];
  return Object.keys(now)
    .filter((name) => Object.hasOwn(stored, name) && stored[name] !== now[name])
    .sort();
}

/** True when `now` knows a name that was not stored yet. */
export function knowsMore(
  now: ImageIdentity | undefined,
  stored: ImageIdentity | undefined,
): boolean {
  return now !== undefined && Object.keys(now).some((name) => !Object.hasOwn(stored ?? {}, name));
}

/** One digest for all of it; for the history. */
export function imageHash(image: ImageIdentity): string {
  const lines = Object.keys(image)
    .sort()
    .map((name) => `${JSON.stringify([name, image[name]])}\n`);
  return digestOf(new TextEncoder().encode(lines.join('')));
}

/** Undefined where there is none. */
export function imageIdentityFromJson(json: unknown): ImageIdentity | undefined {
  if (!isObject(json)) return undefined;
  const entries = Object.entries(json).filter(([, value]) => typeof value === 'string');
  return Object.fromEntries(entries) as ImageIdentity;
}
