/**
 * Reads and checks the config (spec section 3, exit 1): every problem at once, each with its place.
 */
import fs from 'node:fs';
import { type FailureDetail, PrecheckError } from '@edged/model/failure';
import { isObject } from '@edged/model/json-reader';
import * as v from 'valibot';
import { type Config, configSchema, secretKeys } from './config-schema.ts';
import type { ConfigText } from './config-text.ts';
import { readPlainYaml } from './plain-yaml.ts';

const limitBytes = 1024 * 1024;
/** Letters that may differ for `did you mean`. */
const nearMiss = 3;

/** Throws `config.*`. */
export async function readConfig(path: string): Promise<Config> {
  return parseConfig(decode(readBytes(path), path), path);
}

/** Throws `config.syntax` and `config.invalid` with every problem found. */
export async function parseConfig(text: string, file: string): Promise<Config> {
  const plain = v.safeParse(configSchema, readPlainYaml(text));
  if (plain.success) return plain.output;
  const { parseConfigText } = await import('./config-text.ts');
  const parsed = await parseConfigText(text, file);
  const result = v.safeParse(configSchema, parsed.value);
  if (result.success) return result.output;
  const { distance } = await import('fastest-levenshtein');
  const problems = result.issues.map((issue) => describe(issue, parsed, file, distance));
  throw new PrecheckError('config.invalid', problems);
}

function readBytes(path: string): Buffer {
  try {
    const { size } = fs.statSync(path);
    if (size > limitBytes) {
      throw new PrecheckError('config.too_large', {
        file: path,
        size_bytes: size,
        limit_bytes: limitBytes,
      });
    }
    return fs.readFileSync(path);
  } catch (error) {
    if (error instanceof PrecheckError) throw error;
    const errno = (error as NodeJS.ErrnoException).code ?? 'EIO';
    throw new PrecheckError('config.unreadable', { file: path, errno }, error);
  }
}

function decode(bytes: Buffer, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new PrecheckError('config.not_utf8', { file: path }, error);
  }
}

function describe(
  issue: v.BaseIssue<unknown>,
  text: ConfigText,
  file: string,
  distance: (one: string, other: string) => number,
): FailureDetail {
  const path = (issue.path ?? []).map((item) => item.key as string | number);
  const name = path.join('.') || '(top)';
  const place = { file, at: text.placeOf(path), key: name };
  if (issue.type !== 'strict_object') {
    const found = secretKeys.has(name) ? '(hidden)' : show(issue.input);
    return { ...place, problem: `found ${found}`, allowed: issue.message };
  }
  if (path.length === 0)
    return { ...place, problem: `found ${show(issue.input)}`, allowed: 'a mapping' };
  if (issue.expected !== 'never') {
    const isMissing = issue.input === undefined;
    const problem = isMissing ? 'missing' : `found ${show(issue.input)}`;
    return { ...place, problem, allowed: isMissing ? 'this key is required' : 'a mapping' };
  }
  const siblings = allowedKeys(path.slice(0, -1));
  const written = String(path.at(-1));
  const closest = siblings.toSorted(
    (one, other) => distance(one, written) - distance(other, written),
  )[0];
  const hint =
    closest !== undefined && distance(closest, written) <= nearMiss ? closest : undefined;
  return {
    ...place,
    problem: 'unknown key',
    ...(hint === undefined ? {} : { did_you_mean: hint }),
    allowed: siblings.join(', '),
  };
}

/** The keys that the schema has below a path. */
function allowedKeys(path: readonly (string | number)[]): string[] {
  let schema: unknown = configSchema;
  for (const name of path) schema = entriesOf(schema)[name];
  return Object.keys(entriesOf(schema));
}

function entriesOf(schema: unknown): Record<string | number, unknown> {
  if (!isObject(schema)) return {};
  if (isObject(schema['wrapped'])) return entriesOf(schema['wrapped']); // an optional section
  const { entries } = schema;
  return isObject(entries) ? entries : {};
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
