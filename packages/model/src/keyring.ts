/**
 * Keyrings: which keys may sign what, how many of them it takes, and which are revoked. Pure.
 *
 * A keyring that comes with the OS image or with /etc is the anchor. It can be replaced by signed
 * updates that lie in the state root: update N+1 counts only when enough keys of role `keyring` of
 * version N have signed it, and enough of its own as well (the root rotation of TUF, section 5.3
 * of its specification, without the network). Three rules keep the counting honest:
 * - a key is known by a hash of its bytes, so that no second name makes it two keys;
 * - a key counts once, however many signatures it made;
 * - a revocation in the anchor holds whatever an update says.
 */
import * as v from 'valibot';
import { digestOf } from './digest.ts';
import { type FailureDetail, PrecheckError } from './failure.ts';
import { JsonProblem, parseStrictJson } from './json-reader.ts';
import {
  type VerifyKey,
  loadVerifyKey,
  signatureBytes,
  signatureHolds,
} from './manifest-signature.ts';

/** `manifest` signs runtime manifests, `keyring` signs the next keyring. */
export type KeyRole = 'manifest' | 'keyring';

export interface KeyringKey {
  /** 32 hex digits: the first half of the BLAKE3 of the raw key. */
  readonly id: string;
  readonly key: VerifyKey;
  readonly roles: readonly KeyRole[];
  /** For people; nothing is decided by it. */
  readonly name: string;
}

export interface Keyring {
  readonly version: number;
  readonly keys: readonly KeyringKey[];
  /** Distinct keys that must have signed. */
  readonly thresholds: Readonly<Record<KeyRole, number>>;
  readonly revoked: ReadonlySet<string>;
  /** No manifest below this serial, whatever the device remembers. */
  readonly minimumSerial: number | undefined;
}

export const keyringLimitBytes = 256 * 1024;
const mostKeys = 64;

const count = v.pipe(v.number('a whole number from 1'), v.safeInteger('a whole number'));
const fromOne = v.pipe(count, v.minValue(1, 'a whole number from 1'));
const keyId = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/, 'a key id: 32 lower-case hex digits'));
const roles = ['manifest', 'keyring'] as const;

/** The document as JSON has it. */
export const keyringSchema = v.strictObject({
  schema: v.literal('edged.keyring.v1'),
  version: v.optional(fromOne, 1),
  keys: v.pipe(
    v.array(
      v.strictObject({
        public_key: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, '64 lower-case hex digits')),
        roles: v.optional(v.pipe(v.array(v.picklist(roles)), v.minLength(1)), ['manifest']),
        name: v.optional(v.pipe(v.string(), v.maxLength(200)), ''),
      }),
    ),
    v.maxLength(mostKeys, `at most ${mostKeys} keys`),
  ),
  thresholds: v.optional(
    v.strictObject({ manifest: v.optional(fromOne, 1), keyring: v.optional(fromOne, 1) }),
    {},
  ),
  revoked: v.optional(v.array(keyId), []),
  minimum_serial: v.optional(v.pipe(count, v.minValue(0, 'a whole number from 0'))),
});

export function keyIdOf(key: Uint8Array): string {
  return digestOf(key).slice(0, 32);
}

/** Throws `trust.keyring_invalid` with every problem. `file` is only quoted. */
export function parseKeyring(bytes: Uint8Array, file: string): Keyring {
  const result = v.safeParse(keyringSchema, readJson(bytes, file));
  if (!result.success) {
    const problems = result.issues.map((issue) => ({
      file,
      at: v.getDotPath(issue) ?? '(top)',
      problem: issue.message,
    }));
    throw new PrecheckError('trust.keyring_invalid', problems);
  }
  const { version, keys, thresholds, revoked, minimum_serial } = result.output;
  return {
    version,
    keys: keys.map((entry, index) => {
      const key = loadKey(entry.public_key, { file, at: `keys.${index}.public_key` });
      return { id: keyIdOf(key), key, roles: entry.roles, name: entry.name };
    }),
    thresholds: { manifest: thresholds.manifest ?? 1, keyring: thresholds.keyring ?? 1 },
    revoked: new Set(revoked),
    minimumSerial: minimum_serial,
  };
}

/** Several files of an anchor as one: all keys, all revocations, the strictest of each number. */
export function mergeKeyrings(keyrings: readonly Keyring[]): Keyring | undefined {
  return keyrings.reduce<Keyring | undefined>((merged, next) => {
    if (!merged) return withDistinctKeys(next);
    return withDistinctKeys({
      version: Math.max(merged.version, next.version),
      keys: [...merged.keys, ...next.keys],
      thresholds: strictest(merged, next),
      revoked: either(merged.revoked, next.revoked),
      minimumSerial: highest(merged.minimumSerial, next.minimumSerial),
    });
  }, undefined);
}

/** A keyring that says what it wants to replace, with what was signed and by whom. */
export interface KeyringUpdate {
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly signatures: readonly Uint8Array[];
}

/** The keyring after one update. Throws `trust.update_refused`, `trust.keyring_invalid`. */
export function applyUpdate(current: Keyring, update: KeyringUpdate): Keyring {
  const { file, bytes, signatures } = update;
  const refuse = (found: string): PrecheckError =>
    new PrecheckError('trust.update_refused', { file, found });
  const next = parseKeyring(bytes, file);
  if (next.version !== current.version + 1) {
    throw refuse(`version ${next.version} after version ${current.version}`);
  }
  for (const [whose, keyring] of [
    ['the keyring before it', current],
    ['its own keys', { ...next, revoked: either(next.revoked, current.revoked) }],
  ] as const) {
    const signers = signersOf(bytes, signatures, keysFor(keyring, 'keyring'));
    const needed = keyring.thresholds.keyring;
    if (signers.length < needed) {
      throw refuse(`${signers.length} of ${needed} signatures by ${whose}`);
    }
  }
  return withDistinctKeys({
    ...next,
    revoked: either(next.revoked, current.revoked),
    minimumSerial: highest(next.minimumSerial, current.minimumSerial),
  });
}

/** The keys that may sign in this role today. */
export function keysFor(keyring: Keyring, role: KeyRole): KeyringKey[] {
  return keyring.keys.filter(
    ({ id, roles: granted }) => granted.includes(role) && !keyring.revoked.has(id),
  );
}

/** Which of the keys have signed these bytes: each at most once. */
export function signersOf(
  message: Uint8Array,
  signatures: readonly Uint8Array[],
  keys: readonly KeyringKey[],
): KeyringKey[] {
  const usable = signatures.filter(({ length }) => length === signatureBytes);
  return keys.filter(({ key }) =>
    usable.some((signature) => signatureHolds(signature, message, key)),
  );
}

function withDistinctKeys(keyring: Keyring): Keyring {
  const byId = new Map<string, KeyringKey>();
  for (const entry of keyring.keys) {
    const known = byId.get(entry.id);
    const granted = [...new Set([...(known?.roles ?? []), ...entry.roles])];
    byId.set(entry.id, { ...entry, name: known?.name || entry.name, roles: granted });
  }
  return { ...keyring, keys: [...byId.values()] };
}

function strictest(one: Keyring, other: Keyring): Keyring['thresholds'] {
  const of = (role: KeyRole): number => Math.max(one.thresholds[role], other.thresholds[role]);
  return { manifest: of('manifest'), keyring: of('keyring') };
}

function either(one: ReadonlySet<string>, other: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...one, ...other]);
}

function highest(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || (other !== undefined && other > one) ? other : one;
}

function loadKey(hex: string, where: FailureDetail): VerifyKey {
  try {
    return loadVerifyKey(Buffer.from(hex, 'hex'));
  } catch (error) {
    if (!(error instanceof PrecheckError)) throw error;
    const problem = String(error.details[0]?.['found']);
    throw new PrecheckError('trust.keyring_invalid', { ...where, problem }, error);
  }
}

function readJson(bytes: Uint8Array, file: string): unknown {
  try {
    return parseStrictJson(bytes);
  } catch (error) {
    if (!(error instanceof JsonProblem)) throw error;
    throw new PrecheckError('trust.keyring_invalid', { file, problem: error.message }, error);
  }
}
