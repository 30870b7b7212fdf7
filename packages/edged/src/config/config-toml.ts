/**
 * TOML. What the library does not do by itself:
 * - it keeps no places: table headers and keys are looked up in the text;
 * - it ends at the first key that stands twice: that one gets another name, and it reads on;
 * - it vouches for no message: only plain words of one are passed on, never what may be the salt.
 */
import { isObject } from '@edged/model/json-reader';
import { TomlError, parse } from 'smol-toml';
import {
  type ConfigPath,
  type ConfigReading,
  Places,
  type SyntaxProblem,
  duplicateKey,
} from './config-reading.ts';

/** Each costs a reading of the whole text. */
const mostDuplicates = 50;
/** Begins the other name. No config has such a key. */
const otherName = 'edged-duplicate-';

export function parseToml(text: string): ConfigReading {
  const lines = text.split(/\r?\n/);
  const { places, paths } = findKeys(lines);
  const placeOf = (path: ConfigPath): string => places.nearest(path) ?? '1:1';
  const problems: SyntaxProblem[] = [];
  for (;;) {
    try {
      const value = withoutOtherNames(parse(problems.length === 0 ? text : lines.join('\n')));
      return { problems, document: { value, placeOf } };
    } catch (error) {
      const { line, column } = error instanceof TomlError ? error : { line: 1, column: 1 };
      const at = `${line}:${column}`;
      const path = isDuplicate(error) ? paths.get(line) : undefined;
      const renamed = rename(lines[line - 1] ?? '', column, problems.length);
      if (!path || renamed === undefined || problems.length === mostDuplicates) {
        return { problems: [...problems, { at, problem: inWords(error) }] };
      }
      lines[line - 1] = renamed;
      problems.push(duplicateKey(path, at, placeOf(path)));
    }
  }
}

function isDuplicate(error: unknown): boolean {
  return error instanceof TomlError && error.message.includes('trying to redefine');
}

/** Undefined where no key begins. */
function rename(line: string, column: number, count: number): string | undefined {
  const at = /["']/.test(line[column - 1] ?? '') ? column : column - 1;
  if (!/[\w-]/.test(line[at] ?? '')) return undefined;
  return `${line.slice(0, at)}${otherName}${count}-${line.slice(at)}`;
}

function withoutOtherNames(value: unknown): unknown {
  if (Array.isArray(value)) value.forEach(withoutOtherNames);
  if (!isObject(value)) return value;
  for (const [key, inner] of Object.entries(value)) {
    if (key.startsWith(otherName)) Reflect.deleteProperty(value, key);
    else withoutOtherNames(inner);
  }
  return value;
}

/** No word is as long as a secret, or has its digits. */
function inWords(error: unknown): string {
  const message = error instanceof TomlError ? error.message : '';
  const [first = ''] = message.replace('Invalid TOML document: ', '').split('\n');
  const isPlain = /^[a-z]{1,14}(?:[ :,.-]+[a-z]{1,14})*\.?$/.test(first);
  return isPlain ? first : 'something that cannot stand here';
}

/** Table headers and keys, one in a line; what is written otherwise has the place of its parent. */
function findKeys(lines: readonly string[]): {
  places: Places<string>;
  paths: ReadonlyMap<number, ConfigPath>;
} {
  const places = new Places<string>();
  const paths = new Map<number, ConfigPath>();
  let table: ConfigPath = [];
  lines.forEach((line, index) => {
    const header = /^\s*\[\[?\s*([^\]]+?)\s*\]/.exec(line)?.[1];
    const key = /^\s*([\w."'-]+)\s*=/.exec(line)?.[1];
    if (header === undefined && key === undefined) return;
    const names = (header ?? key ?? '').replaceAll(/["'\s]/g, '').split('.');
    if (header !== undefined) table = names;
    const path = header === undefined ? [...table, ...names] : names;
    paths.set(index + 1, path);
    places.add(path, `${index + 1}:${line.search(/\S/) + 1}`);
  });
  return { places, paths };
}
