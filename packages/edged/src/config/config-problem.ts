/**
 * What is wrong in a config, in words. Loaded only for a config that is wrong. Never shown: a
 * secret, what stands where one should, and what looks like one and stands elsewhere by a slip.
 */
import { type FailureDetail, PrecheckError } from '@edged/model/failure';
import { isObject } from '@edged/model/json-reader';
import { unknownKeys } from '@edged/model/unknown-keys';
import type * as v from 'valibot';
import { nearestTo } from '../near-miss.ts';
import { configSchema, secretKeys } from './config-schema.ts';
import type { ConfigDocument, ConfigPath } from './config-reading.ts';
import type { ConfigText } from './config-text.ts';

/** A file with more is not put right line by line. */
const mostShown = 50;

/**
 * Everything at once: what is wrong with the text, with its values, and every key too many.
 * `config.syntax` where the text is no document, or has a key twice.
 */
export function refusalOf(
  { language, problems, document }: ConfigText,
  issues: readonly v.BaseIssue<unknown>[],
  file: string,
): PrecheckError {
  const all: (() => FailureDetail)[] = problems.map(({ at, path, ...rest }) => () => ({
    file,
    language,
    at,
    ...(path ? { key: showPath(path) } : {}),
    ...rest,
  }));
  if (document) {
    const twice = problems.flatMap(({ path }) => (path ? [path] : []));
    for (const misfit of misfitsAmong(issues)) {
      // it may stand in the one that was not read
      if (misfit.input === undefined && isBelow(misfit.path, twice)) continue;
      all.push(() => describeMisfit(misfit, document, file));
    }
    for (const path of unknownKeys(configSchema, document.value)) {
      all.push(() => describeUnknown(path, document, file));
    }
  }
  const details = all.slice(0, mostShown).map((describe) => describe());
  const rest = all.length - details.length;
  if (rest > 0) details.push({ file, problem: `and ${rest} more problems, not shown` });
  return new PrecheckError(problems.length > 0 ? 'config.syntax' : 'config.invalid', details);
}

function isBelow(path: ConfigPath, parents: readonly ConfigPath[]): boolean {
  return parents.some((parent) => parent.every((name, at) => path[at] === name));
}

interface Misfit {
  readonly path: ConfigPath;
  readonly input: unknown;
  readonly allowed: string;
}

/** Unknown keys are found otherwise. A list has no keys to miss: it is named once. */
function misfitsAmong(issues: readonly v.BaseIssue<unknown>[]): Misfit[] {
  const lists = new Set<unknown>();
  return issues.flatMap(({ type, expected, input, message, path: items = [] }): Misfit[] => {
    const path = items.map(({ key }) => key as string | number);
    if (type !== 'strict_object') return [{ path, input, allowed: message }];
    if (expected === 'never') return [];
    const around: unknown = items.at(-1)?.input;
    if (!Array.isArray(around)) return [{ path, input, allowed: mappingOf(path) }];
    if (lists.has(around)) return [];
    lists.add(around);
    const parent = path.slice(0, -1);
    return [{ path: parent, input: around, allowed: mappingOf(parent) }];
  });
}

function mappingOf(path: ConfigPath): string {
  return `a mapping with the keys ${allowedKeys(path).join(', ')}`;
}

/** One problem: where, what was found, what is allowed. */
function describeMisfit(
  { path, input, allowed }: Misfit,
  document: ConfigDocument,
  file: string,
): FailureDetail {
  const place = { file, at: document.placeOf(path), key: showPath(path) };
  if (path.length === 0 && input === null) {
    return { ...place, problem: 'the file is empty, or has comments only', allowed };
  }
  if (input === undefined) return { ...place, problem: 'missing', allowed: 'this key is required' };
  return { ...place, problem: `found ${show(input, path)}`, allowed };
}

function describeUnknown(path: ConfigPath, document: ConfigDocument, file: string): FailureDetail {
  const siblings = allowedKeys(path.slice(0, -1));
  const written = String(path.at(-1));
  const hint = nearestTo(written, siblings);
  return {
    file,
    at: document.placeOf(path),
    key: showPath(path),
    problem: 'unknown key',
    ...(hint === undefined ? {} : { did_you_mean: hint }),
    allowed: siblings.join(', '),
  };
}

/** The keys that the schema has below a path. */
function allowedKeys(path: ConfigPath): string[] {
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

/** Of a wrong text; what is allowed stands beside it. */
const mostQuoted = 24;

/** A salt or key, or a good part of one: hexadecimal, in groups or in one, or base64. */
function isSecretLike(text: string): boolean {
  const letters = text.replaceAll(/[^0-9a-z]/gi, '');
  if (/[0-9a-f]{12}/i.test(letters) || /^\S{40,}$/.test(text)) return true;
  return letters.length >= 16 && [/[a-z]/, /[A-Z]/, /\d/].every((kind) => kind.test(letters));
}

function show(value: unknown, path: ConfigPath): string {
  const name = path.join('.');
  if (Array.isArray(value)) return 'a list';
  if (isObject(value)) return 'a mapping';
  if (value === null || value === undefined) return 'nothing';
  const mayHoldSecret = [...secretKeys].some((key) => key === name || key.startsWith(`${name}.`));
  const isHidden = mayHoldSecret || name === '';
  if (typeof value === 'string') {
    if (isHidden || isSecretLike(value)) return `a text of ${value.length} letters (hidden)`;
    const quoted = JSON.stringify(value.slice(0, mostQuoted));
    return value.length > mostQuoted ? `${quoted}...` : quoted;
  }
  const isPlain = typeof value === 'number' || typeof value === 'boolean';
  const text = isPlain ? String(value) : typeof value;
  return isHidden || text.length > 20 ? `a ${typeof value} (hidden)` : text;
}

/** Dotted. A name that is no plain word may be a value that slipped out of its place. */
function showPath(path: ConfigPath): string {
  const names = path.map((name, at) => {
    if (typeof name === 'number' || allowedKeys(path.slice(0, at)).includes(name)) return name;
    const isWord = /^[\w. -]{1,40}$/.test(name) && name.replaceAll(/\D/g, '').length <= 3;
    return isWord && !isSecretLike(name) ? name : '(hidden)';
  });
  return names.join('.') || '(top)';
}
