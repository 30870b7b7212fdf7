/** What is wrong in a config, in words. Loaded only for a config that is wrong. */
import type { FailureDetail } from '@edged/model/failure';
import { isObject } from '@edged/model/json-reader';
import { distance } from 'fastest-levenshtein';
import type * as v from 'valibot';
import { configSchema, secretKeys } from './config-schema.ts';
import type { ConfigText } from './config-text.ts';

/** Letters that may differ for `did you mean`. */
const nearMiss = 3;

/** One problem: where, what was found, what is allowed, and what may have been meant. */
export function describeProblem(
  issue: v.BaseIssue<unknown>,
  text: ConfigText,
  file: string,
): FailureDetail {
  const path = (issue.path ?? []).map((item) => item.key as string | number);
  const name = path.join('.') || '(top)';
  const place = { file, at: text.placeOf(path), key: name };
  if (issue.type !== 'strict_object') {
    const found = show(issue.input, name);
    return { ...place, problem: `found ${found}`, allowed: issue.message };
  }
  if (path.length === 0)
    return { ...place, problem: `found ${show(issue.input, '')}`, allowed: 'a mapping' };
  if (issue.expected !== 'never') {
    const isMissing = issue.input === undefined;
    const problem = isMissing ? 'missing' : `found ${show(issue.input, name)}`;
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

/** What holds a secret, or stands where one should, is never shown; nor is what may hold one. */
function show(value: unknown, name: string): string {
  if (Array.isArray(value)) return 'a list';
  if (isObject(value)) return 'a mapping';
  const mayHoldSecret = [...secretKeys].some((key) => key === name || key.startsWith(`${name}.`));
  if (mayHoldSecret || name === '') return '(hidden)';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
