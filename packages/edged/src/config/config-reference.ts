/**
 * Every key of the config with what is allowed there, read from the schema, and what it is for.
 * The manual page and docs/reference/config.md are made of it; no command loads it.
 */
import { isObject } from '@edged/model/json-reader';
import { configDescriptions } from './config-descriptions.ts';
import { configSchema } from './config-schema.ts';

export interface ConfigKey {
  /** Dotted: `state_root.root`. */
  readonly path: string;
  /** Type and range, as an error message says them. */
  readonly allowed: string;
  readonly isRequired: boolean;
  /** What stands in its place when it is left out; undefined: nothing does. */
  readonly default: string | undefined;
  readonly describe: string;
}

/** In the order of the schema. Throws where a key has no description. */
export function configKeys(): readonly ConfigKey[] {
  return keysOf(configSchema, [], true);
}

/** Sections that may be left out as a whole. */
export function optionalSections(): readonly string[] {
  return Object.entries(configSchema.entries)
    .filter(([, schema]) => schema.type === 'optional')
    .map(([name]) => name);
}

/** The table of docs/reference/config.md. */
export function configTable(): string {
  const rows = configKeys().map(
    (key) => `| \`${key.path}\` | ${key.allowed}${presence(key)} | ${key.describe} |`,
  );
  return ['| key | value | |', '|---|---|---|', ...rows].join('\n');
}

function presence({ isRequired, default: value }: ConfigKey): string {
  if (isRequired) return '';
  return value === undefined ? '; optional' : `; optional, \`${value}\``;
}

function keysOf(schema: unknown, path: readonly string[], isRequired: boolean): ConfigKey[] {
  if (!isObject(schema)) throw new Error(`no schema at ${path.join('.')}`);
  const { entries, wrapped } = schema;
  if (isObject(entries)) {
    return Object.entries(entries).flatMap(([name, inner]) =>
      keysOf(inner, [...path, name], !isOptional(inner)),
    );
  }
  if (isObject(wrapped) && isObject(wrapped['entries'])) return keysOf(wrapped, path, false);
  const name = path.join('.');
  const describe = configDescriptions[name];
  if (describe === undefined) throw new Error(`${name} has no description`);
  const inner = isObject(wrapped) ? wrapped : schema;
  return [{ path: name, allowed: allowed(inner), isRequired, default: standIn(schema), describe }];
}

function isOptional(schema: unknown): boolean {
  return isObject(schema) && schema['type'] === 'optional';
}

/** The messages of the schema say what is allowed, the last one most of it. */
function allowed(schema: Record<string, unknown>): string {
  const checks = Array.isArray(schema['pipe']) ? (schema['pipe'] as unknown[]) : [schema];
  const messages = checks.map((check) => (isObject(check) ? check['message'] : undefined));
  const texts = messages.filter((message) => typeof message === 'string');
  const { item } = schema;
  if (isObject(item)) return [...new Set([...texts, `each ${allowed(item)}`])].join(', ');
  const last = texts.at(-1);
  if (last === undefined) throw new Error('a schema without a message');
  return last;
}

function standIn({ default: value }: Record<string, unknown>): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value).replaceAll('"', '');
}
