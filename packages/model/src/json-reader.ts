/**
 * JSON from bytes, in two strengths. Strict for what was signed: UTF-8 without byte order mark,
 * no duplicate key at any depth (two readers must not see two documents). Tolerant for our own
 * records: whatever `JSON.parse` reads.
 */

/** Why bytes are not the JSON document they should be. */
export class JsonProblem extends Error {
  override readonly name = 'JsonProblem';
}

/** Parses signed JSON. Throws `JsonProblem` with one sentence. */
export function parseStrictJson(bytes: Uint8Array): unknown {
  const text = decodeUtf8(bytes);
  if (text.startsWith('\uFEFF')) throw new JsonProblem('starts with a byte order mark');
  const value = parse(text);
  const duplicate = findDuplicateKey(text);
  if (duplicate !== undefined) throw new JsonProblem(`key ${duplicate} stands twice`);
  return value;
}

/** Far more than any record of ours has. */
const deepest = 64;

/** Parses one of our own records; undefined when it is no JSON object, or is nested absurdly. */
export function parseTolerantJson(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return isObject(value) && !isDeeper(value, deepest) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** `JSON.stringify` runs out of stack where `JSON.parse` does not. */
function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Two-space JSON with a final newline: the form of every record that edged writes. */
export function serializeJson(value: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new JsonProblem('is not UTF-8', { cause: error });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new JsonProblem(`is not JSON: ${(error as Error).message}`, { cause: error });
  }
}

/** `text` is known to be JSON, so that strings and brackets are all that need be looked at. */
function findDuplicateKey(text: string): string | undefined {
  const keysOfOpenObjects: (Set<string> | undefined)[] = [];
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"(?:\s*:)?|[{}[\]]/g)) {
    if (token === '{') keysOfOpenObjects.push(new Set());
    else if (token === '[') keysOfOpenObjects.push(undefined);
    else if (token === '}' || token === ']') keysOfOpenObjects.pop();
    else if (token.endsWith(':')) {
      const key = JSON.parse(token.slice(0, -1)) as string;
      const keys = keysOfOpenObjects.at(-1);
      if (keys?.has(key)) return JSON.stringify(key);
      keys?.add(key);
    }
  }
  return undefined;
}
