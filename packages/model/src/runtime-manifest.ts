/**
 * The runtime manifest, strictly: unknown operations, unknown fields, wrong types and duplicate
 * keys are refused before anything is touched (spec section 6).
 */
import * as v from 'valibot';
import { parseDigest } from './digest.ts';
import { PrecheckError } from './failure.ts';
import type { InstallOperation } from './install-operation.ts';
import { JsonProblem, parseStrictJson } from './json-reader.ts';

export interface RuntimeManifest {
  readonly version: '1';
  /** A name inside `runtime/binaries/`; undefined: `edged`. */
  readonly binaryPath: string | undefined;
  readonly operations: readonly InstallOperation[];
}

/** Bytes; the same limit for reading and for `edged sign`. */
export const manifestLimitBytes = 1024 * 1024;

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
const operation = v.variant('op', [
  v.strictObject({
    op: v.literal('copy_binary'),
    src: path,
    dst: path,
    hash: v.optional(digest),
    mode: v.optional(mode),
  }),
  v.strictObject({ op: v.literal('verify_config'), src: path, hash: v.optional(digest) }),
]);
const binaryName = v.pipe(
  path,
  v.check(isPlainRelativePath, 'must be a plain name inside runtime/binaries/'),
);
const schema = v.strictObject({
  version: v.literal('1'),
  binary_path: v.optional(binaryName),
  operations: v.array(operation),
});

/** Parses verified bytes. Throws `manifest.invalid` with every problem. */
export function parseRuntimeManifest(bytes: Uint8Array): RuntimeManifest {
  const result = v.safeParse(schema, readJson(bytes));
  if (!result.success) {
    const problems = result.issues.map((issue) => ({
      at: v.getDotPath(issue) ?? '(top)',
      problem: issue.message,
    }));
    throw new PrecheckError('manifest.invalid', problems);
  }
  const { version, binary_path, operations } = result.output;
  return {
    version,
    binaryPath: binary_path,
    operations: operations.map((entry) =>
      entry.op === 'copy_binary'
        ? { op: entry.op, src: entry.src, dst: entry.dst, hash: entry.hash, mode: entry.mode }
        : { op: entry.op, src: entry.src, hash: entry.hash },
    ),
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
