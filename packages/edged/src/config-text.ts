/**
 * YAML 1.2, TOML or JSON, decided by content (spec section 3): the file is called `edge.toml` and
 * usually holds YAML. Gives the plain value and, for every path in it, the place in the text.
 */
import { PrecheckError } from '@edged/model/failure';
import { parse } from 'smol-toml';
import { LineCounter, isCollection, isMap, isScalar, parseDocument } from 'yaml';

export type ConfigPath = readonly (string | number)[];

export interface ConfigText {
  readonly language: 'yaml' | 'toml' | 'json';
  readonly value: unknown;
  /** `line:column` of the key, or of the nearest parent that stands in the text. From 1. */
  readonly placeOf: (path: ConfigPath) => string;
}

/** More aliases than any config needs; the guard of the YAML library against anchor bombs. */
const mostAliases = 100;

/** Throws `config.syntax` with every problem found. */
export function parseConfigText(text: string, file: string): ConfigText {
  const language = languageOf(text);
  return language === 'toml' ? parseToml(text, file) : parseYaml(text, file, language);
}

/** Judged by the first line that says something. JSON is read as the YAML 1.2 that it is. */
export function languageOf(text: string): ConfigText['language'] {
  const first = text.split(/\r?\n/).find((line) => !/^\s*(?:#.*)?$/.test(line)) ?? '';
  if (/^\s*\{/.test(first)) return 'json';
  const isTomlLine = /^\s*(?:\[\[?[^\]]+\]\]?\s*(?:#.*)?$|[\w."'-]+(?:\s*\.\s*[\w."'-]+)*\s*=)/;
  return isTomlLine.test(first) ? 'toml' : 'yaml';
}

function parseYaml(text: string, file: string, language: 'yaml' | 'json'): ConfigText {
  const lines = new LineCounter();
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${line}:${col}`;
  };
  const options = {
    version: '1.2',
    uniqueKeys: true,
    prettyErrors: false,
    lineCounter: lines,
  } as const;
  const document = parseDocument(text, options);
  const problems = [...document.errors, ...document.warnings];
  if (problems.length > 0) {
    throw new PrecheckError(
      'config.syntax',
      problems.map((problem) => ({
        file,
        language,
        at: place(problem.pos[0]),
        problem: problem.message,
      })),
    );
  }
  return {
    language,
    value: toValue(() => document.toJS({ maxAliasCount: mostAliases }), file, language),
    placeOf(path) {
      let node: unknown = document.contents;
      let offset = document.contents?.range?.[0] ?? 0;
      for (const name of path) {
        if (!isCollection(node)) break;
        const pair = isMap(node)
          ? node.items.find(({ key }) => isScalar(key) && String(key.value) === String(name))
          : undefined;
        const key = pair && isScalar(pair.key) ? pair.key : undefined;
        if (!key?.range) break;
        offset = key.range[0];
        node = pair?.value;
      }
      return place(offset);
    },
  };
}

function parseToml(text: string, file: string): ConfigText {
  const value = toValue(() => parse(text), file, 'toml');
  return { language: 'toml', value, placeOf: (path) => placeInToml(text, path) };
}

function toValue(read: () => unknown, file: string, language: string): unknown {
  try {
    return read();
  } catch (error) {
    const { line, column, message } = error as { line?: number; column?: number; message: string };
    const at = line === undefined ? '1:1' : `${line}:${column ?? 1}`;
    const problem = message.split('\n')[0] ?? '';
    throw new PrecheckError('config.syntax', { file, language, at, problem }, error);
  }
}

/** smol-toml keeps no places: the table header and the key are looked up in the text. */
function placeInToml(text: string, path: ConfigPath): string {
  const wanted = path.join('.');
  let table = '';
  let best = { depth: -1, place: '1:1' };
  text.split(/\r?\n/).forEach((line, index) => {
    const header = /^\s*\[\s*([^\]]+?)\s*\]/.exec(line)?.[1];
    const key = /^\s*([\w."'-]+)\s*=/.exec(line)?.[1];
    if (header !== undefined) table = unquote(header);
    const here =
      header === undefined ? [table, unquote(key ?? '')].filter(Boolean).join('.') : table;
    if (header === undefined && key === undefined) return;
    const holds = wanted === here || wanted.startsWith(`${here}.`);
    if (!holds || here.length <= best.depth) return;
    best = { depth: here.length, place: `${index + 1}:${line.search(/\S/) + 1}` };
  });
  return best.place;
}

function unquote(name: string): string {
  return name.replaceAll(/["'\s]/g, '');
}
