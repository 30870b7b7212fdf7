/**
 * The runtime manifest, strictly: unknown operations, unknown fields, wrong types and duplicate
 * keys are refused before anything is touched (spec section 6).
 */
import * as v from 'valibot';
import { parseDigest } from './digest.ts';
import { PrecheckError } from './failure.ts';
import { type InstallOperation, hasTooLongName, isTooLong } from './install-operation.ts';
import { JsonProblem, parseStrictJson } from './json-reader.ts';
import { layout } from './layout.ts';
import { unknownKeys } from './unknown-keys.ts';

export interface RuntimeManifest {
  readonly version: '1';
  /** A name inside `runtime/binaries/`; undefined: `edged`. */
  readonly binaryPath: string | undefined;
  readonly operations: readonly InstallOperation[];
  /** Never lower than the highest that the device has accepted. */
  readonly serial: number | undefined;
  /** RFC 3339, UTC: when it was signed. The clock of a device cannot be before that. */
  readonly issuedAt: string | undefined;
  /** RFC 3339, UTC: installs nothing any more after that. */
  readonly notAfter: string | undefined;
  /** `edge_domain_id`s, or globs of them; undefined: for every device. */
  readonly audience: readonly string[] | undefined;
  /** Boots for which these bytes may serve a reconstruction, from their first on. */
  readonly maxBoots: number | undefined;
  /** Epochs for which these bytes may serve. */
  readonly maxEpochs: number | undefined;
}

/** Bytes; the same limit for reading and for `edged sign`. */
export const manifestLimitBytes = 1024 * 1024;

/** Names that give no privilege: file capabilities are what setuid is, and are never installed. */
const xattrName = /^(?:user\.[\w.-]{1,200}|security\.selinux)$/;

const path = v.pipe(v.string(), v.nonEmpty('must not be empty'));
const digest = v.pipe(
  v.string(),
  v.check((text) => parseDigest(text) !== undefined, 'must be 64 hex digits, optional blake3:'),
  v.transform((text) => parseDigest(text)),
);
const mode = v.pipe(
  v.string('must be a string of octal digits, such as "0755"'),
  v.regex(/^0?[0-7]{3}$/, 'must be three octal digits, such as "0755", without setuid or setgid'),
  v.transform((text) => Number.parseInt(text, 8)),
);
const xattrs = v.record(
  v.pipe(v.string(), v.regex(xattrName, 'must be a user.* or security.selinux name')),
  v.pipe(v.string(), v.maxLength(4096), v.regex(/^(?:[0-9a-f]{2})*$/, 'must be hex digits')),
);
const operation = v.variant('op', [
  v.strictObject({
    op: v.literal('copy_binary'),
    src: path,
    dst: path,
    hash: v.optional(digest),
    mode: v.optional(mode),
    executable: v.optional(v.boolean()),
    xattrs: v.optional(xattrs),
  }),
  v.strictObject({ op: v.literal('verify_config'), src: path, hash: v.optional(digest) }),
]);
/** Given from the state root on, as every src is, it is the same file. */
const binaryName = v.pipe(
  path,
  v.check(isPlainRelativePath, 'must be a plain name inside runtime/binaries/'),
  // a name that no file can have would go into every record, and make it too large to be read
  v.check(
    (name) => !isTooLong(name) && !hasTooLongName(name),
    'must be a name that a file can have',
  ),
  v.transform((name) => name.replace(new RegExp(`^${layout.binaries}/`), '')),
);
const count = v.pipe(v.number(), v.safeInteger('must be a whole number'));
const instant = v.pipe(
  v.string(),
  v.check(isInstant, 'must be an RFC 3339 time in UTC, such as 2027-01-01T00:00:00Z'),
);
const audience = v.pipe(v.string(), v.nonEmpty('must not be empty'), v.maxLength(4096));
/** Every field of the form; edged-manifest(5) is held against it. */
export const manifestSchema = v.strictObject({
  version: v.literal('1'),
  binary_path: v.optional(binaryName),
  operations: v.array(operation),
  serial: v.optional(v.pipe(count, v.minValue(0, 'must be a whole number from 0'))),
  issued_at: v.optional(instant),
  not_after: v.optional(instant),
  audience: v.optional(v.pipe(v.array(audience), v.minLength(1, 'must not be empty'))),
  max_boots_since_accept: v.optional(v.pipe(count, v.minValue(1, 'must be from 1'))),
  max_epochs: v.optional(v.pipe(count, v.minValue(1, 'must be from 1'))),
});

/** Parses verified bytes. Throws `manifest.invalid` with every problem. */
export function parseRuntimeManifest(bytes: Uint8Array): RuntimeManifest {
  const json = readJson(bytes);
  const result = v.safeParse(manifestSchema, json);
  if (!result.success) {
    const unknown = unknownKeys(manifestSchema, json).map((keys) => keys.join('.'));
    const problems = result.issues
      .map((issue) => ({ at: v.getDotPath(issue) ?? '(top)', problem: issue.message }))
      .filter(({ at }) => !unknown.includes(at));
    const surplus = unknown.map((at) => ({ at, problem: 'unknown key' }));
    throw new PrecheckError('manifest.invalid', [...problems, ...surplus]);
  }
  const { version, binary_path, operations, serial, issued_at, not_after } = result.output;
  return {
    version,
    binaryPath: binary_path,
    operations: operations.map((entry) =>
      entry.op === 'copy_binary'
        ? {
            ...entry,
            hash: entry.hash,
            mode: entry.mode,
            executable: entry.executable ?? false,
            xattrs: entry.xattrs ?? {},
          }
        : { op: entry.op, src: entry.src, hash: entry.hash },
    ),
    serial,
    issuedAt: issued_at,
    notAfter: not_after,
    audience: result.output.audience,
    maxBoots: result.output.max_boots_since_accept,
    maxEpochs: result.output.max_epochs,
  };
}

function readJson(bytes: Uint8Array): unknown {
  try {
    return parseStrictJson(bytes);
  } catch (error) {
    if (!(error instanceof JsonProblem)) throw error;
    throw new PrecheckError('manifest.invalid', { problem: error.message }, error);
  }
}

function isPlainRelativePath(text: string): boolean {
  return /^[\w.+@-]+(\/[\w.+@-]+)*$/.test(text) && !/(^|\/)\.\.?(\/|$)/.test(text);
}

function isInstant(text: string): boolean {
  const isForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/.test(text);
  const milliseconds = isForm ? Date.parse(text) : Number.NaN;
  // Date.parse turns February 30 into March 2
  return (
    !Number.isNaN(milliseconds) &&
    new Date(milliseconds).toISOString().startsWith(text.slice(0, 19))
  );
}
