/** Reads tests/vectors: a head of `key: value` lines, an empty line, raw bytes. */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Vector {
  readonly name: string;
  readonly expect: string;
  /** Values by key, in the order in which they stand. */
  readonly head: ReadonlyMap<string, readonly string[]>;
  readonly body: Uint8Array;
}

const top = fileURLToPath(new URL('../../../../tests/vectors', import.meta.url));

export function readVectors(kind: string): Vector[] {
  const directory = path.join(top, kind);
  return fs
    .readdirSync(directory)
    .sort()
    .map((name) => parse(name, fs.readFileSync(path.join(directory, name))));
}

/** The one value of this key. */
export function valueOf({ name, head }: Vector, key: string): string {
  const [value, ...more] = head.get(key) ?? [];
  if (value === undefined || more.length > 0) throw new Error(`${name}: not one "${key}"`);
  return value;
}

function parse(name: string, bytes: Buffer): Vector {
  const end = bytes.indexOf('\n\n');
  const head = new Map<string, string[]>();
  for (const line of bytes.subarray(0, end).toString().split('\n')) {
    const colon = line.indexOf(': ');
    const key = line.slice(0, colon);
    head.set(key, [...(head.get(key) ?? []), line.slice(colon + 2)]);
  }
  const vector = { name, expect: '', head, body: bytes.subarray(end + 2) };
  return { ...vector, expect: valueOf(vector, 'expect') };
}
