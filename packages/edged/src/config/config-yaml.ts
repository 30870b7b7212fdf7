/**
 * YAML 1.2, and JSON as the part of it that it is. What the library does not do by itself:
 * - its messages quote the text, and the text may be the salt: there are sentences of our own;
 * - it compares each key with every other, and names none: duplicates are found in the tree;
 * - it makes text of a key that is a mapping, and warns through Node: such keys are refused.
 */
import { type ErrorCode, LineCounter, isMap, isScalar, isSeq, parseDocument } from 'yaml';
import { type ConfigPath, type ConfigReading, Places, duplicateKey } from './config-reading.ts';
import { findExcess, mostAliases } from './config-yaml-limits.ts';

export function parseYaml(text: string): ConfigReading {
  const lineCounter = new LineCounter();
  const place = (offset: number): string => {
    const { line, col } = lineCounter.linePos(offset);
    return `${line}:${col}`;
  };
  const excess = findExcess(text);
  if (excess) return { problems: [{ at: placeIn(text, excess.offset), problem: excess.problem }] };
  const document = parseDocument(text, {
    version: '1.2',
    uniqueKeys: false,
    stringKeys: true,
    prettyErrors: false,
    logLevel: 'error',
    lineCounter,
  });
  const problems = [...document.errors, ...document.warnings].map(({ pos, code }) => ({
    at: place(pos[0]),
    problem: sentences[code],
  }));
  if (problems.length > 0) return { problems };
  const { offsets, duplicates } = findKeys(document.contents);
  try {
    const value: unknown = document.toJS({ maxAliasCount: mostAliases });
    return {
      problems: duplicates.map(({ path, offset, first }) =>
        duplicateKey(path, place(offset), place(first)),
      ),
      document: { value, placeOf: (path) => place(offsets.nearest(path) ?? 0) },
    };
  } catch {
    return {
      problems: [{ at: '1:1', problem: 'an alias without its anchor, or too many of them' }],
    };
  }
}

/** Where the library has not counted the lines. */
function placeIn(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n');
  return `${before.length}:${(before.at(-1) ?? '').length + 1}`;
}

interface Duplicate {
  readonly path: ConfigPath;
  readonly offset: number;
  readonly first: number;
}

function findKeys(contents: unknown): { offsets: Places<number>; duplicates: Duplicate[] } {
  const offsets = new Places<number>();
  const duplicates: Duplicate[] = [];
  const visit = (node: unknown, path: ConfigPath): void => {
    if (isSeq(node)) node.items.forEach((item, index) => visit(item, [...path, index]));
    if (!isMap(node)) return;
    for (const { key, value } of node.items) {
      if (!isScalar(key) || !key.range) continue;
      const inner = [...path, String(key.value)];
      const [offset] = key.range;
      const first = offsets.add(inner, offset);
      if (first !== undefined) duplicates.push({ path: inner, offset, first });
      visit(value, inner);
    }
  };
  visit(contents, []);
  return { offsets, duplicates };
}

const sentences: Readonly<Record<ErrorCode, string>> = {
  ALIAS_PROPS: 'an alias that has an anchor or a tag',
  BAD_ALIAS: 'an alias or an anchor whose name is empty or ends in a colon',
  BAD_COLLECTION_TYPE: 'a tag that does not fit what it stands at',
  BAD_DIRECTIVE: 'a directive; the only one allowed is %YAML 1.2',
  BAD_DQ_ESCAPE: 'an escape sequence that does not exist',
  BAD_INDENT: 'wrong indentation, or a bracket that is not closed',
  BAD_PROP_ORDER: 'an anchor or a tag at the wrong place',
  BAD_SCALAR_START: 'a character that a value without quotes cannot begin with',
  BLOCK_AS_IMPLICIT_KEY: 'a mapping or a list on the line of a key',
  BLOCK_IN_FLOW: 'an indented mapping or list inside brackets',
  DUPLICATE_KEY: 'duplicate key',
  IMPOSSIBLE: 'what stands here cannot be read',
  KEY_OVER_1024_CHARS: 'a key of more than 1024 letters',
  MISSING_CHAR: 'a closing quote or bracket, a comma, a colon or a blank is missing',
  MULTILINE_IMPLICIT_KEY: 'a key over several lines: a quote or a colon too many or too few',
  MULTIPLE_ANCHORS: 'more than one anchor',
  MULTIPLE_DOCS: 'a second document',
  MULTIPLE_TAGS: 'more than one tag',
  NON_STRING_KEY: 'a key that is no text',
  RESOURCE_EXHAUSTION: 'too much to be read',
  TAB_AS_INDENT: 'a tab in the indentation',
  TAG_RESOLVE_FAILED: 'a tag that is not known here',
  UNEXPECTED_TOKEN: 'something that cannot stand here',
};
