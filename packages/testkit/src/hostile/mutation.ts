/** Hostile bytes out of good ones, drawn by fast-check, so that a found case can be run again. */
import fc from 'fast-check';

type Edit =
  | { readonly kind: 'flip' | 'set'; readonly at: number; readonly value: number }
  | { readonly kind: 'cut'; readonly at: number; readonly length: number }
  | { readonly kind: 'repeat'; readonly at: number; readonly length: number }
  | { readonly kind: 'insert'; readonly at: number; readonly bytes: Uint8Array };

/** Where, as a share of the length: an edit fits every input. */
const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const interesting = [
  '"',
  '\\',
  '{}',
  '[]',
  ',',
  ':',
  '\0',
  '\n',
  '../',
  '/',
  '\u202e',
  '\uFEFF',
  '-1',
  '1e999',
  '9007199254740993',
  'null',
  '__proto__',
  '\\u0000',
  '&a [*a]',
  '!!js/function',
  '<<:',
].map((text) => new Uint8Array(Buffer.from(text)));

const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('flip' as const, 'set' as const),
    at: place,
    value: fc.integer({ min: 0, max: 255 }),
  }),
  fc.record({ kind: fc.constant('cut' as const), at: place, length: fc.nat(64) }),
  fc.record({ kind: fc.constant('repeat' as const), at: place, length: fc.nat(200) }),
  fc.record({
    kind: fc.constant('insert' as const),
    at: place,
    bytes: fc.oneof(fc.uint8Array({ maxLength: 16 }), fc.constantFrom(...interesting)),
  }),
);

/** One of these, with up to six edits; now and then nothing but noise. */
export function mutated(...originals: readonly (Uint8Array | string)[]): fc.Arbitrary<Uint8Array> {
  const original = fc.constantFrom(...originals.map((each) => Buffer.from(each)));
  const edited = fc
    .tuple(original, fc.array(edit, { minLength: 1, maxLength: 6 }))
    .map(([bytes, edits]) => edits.reduce(apply, bytes as Uint8Array));
  return fc.oneof({ arbitrary: edited, weight: 20 }, { arbitrary: fc.uint8Array(), weight: 1 });
}

function apply(bytes: Uint8Array, change: Edit): Uint8Array {
  const at = Math.floor(change.at * bytes.length);
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
  if (change.kind === 'cut') return Buffer.concat([before, after.subarray(change.length)]);
  if (change.kind === 'insert') return Buffer.concat([before, change.bytes, after]);
  if (change.kind === 'repeat') {
    return Buffer.concat([before, after.subarray(0, change.length), after]);
  }
  const copy = new Uint8Array(bytes);
  const old = copy[at];
  if (old !== undefined) copy[at] = change.kind === 'set' ? change.value : old ^ change.value;
  return copy;
}

/** What stands where something of another type should. */
export const confusing: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e300,
  2 ** 53,
  '',
  '0',
  'absent',
  'damaged',
  'x'.repeat(5000),
  'a/\0/b',
  '\ud800',
  '../../etc/passwd',
  '__proto__',
  [],
  [[]],
  [null],
  {},
  { toString: 1, valueOf: 1 },
  { toString: null, valueOf: null, toJSON: 1 },
  [{ toString: 1, valueOf: 1 }],
  { length: 2, 0: 'a', 1: 'b' },
  { constructor: 1, isPrototypeOf: 1, hasOwnProperty: 1 },
  { boot_epoch: '3', composite_hash: ['x'] },
];

/** The document with one to three of its values, at any depth, replaced by such. */
export function confused(document: unknown): fc.Arbitrary<unknown> {
  // a step for each level, so that what stands high up is met as often as what stands deep down
  const steps = fc.array(fc.nat(1000), { minLength: 1, maxLength: 6 });
  const replacement = fc.record({ steps, value: fc.constantFrom(...confusing) });
  return fc.array(replacement, { minLength: 1, maxLength: 3 }).map((all) =>
    all.reduce<unknown>((json, { steps: taken, value }) => {
      const path = pathAlong(json, taken);
      return path.length === 0 ? value : withValue(json, path, value);
    }, document),
  );
}

/** Where each value of the document stands, itself aside. */
export function pathsIn(json: unknown): string[][] {
  if (typeof json !== 'object' || json === null) return [];
  return Object.entries(json).flatMap(([key, inner]) => [
    [key],
    ...pathsIn(inner).map((path) => [key, ...path]),
  ]);
}

/** A copy of the document with this value in that place. */
export function withValue(
  json: unknown,
  [key, ...path]: readonly string[],
  value: unknown,
): unknown {
  if (typeof json !== 'object' || json === null || key === undefined) return value;
  const copy: object = Array.isArray(json) ? [...(json as unknown[])] : { ...json };
  Reflect.set(copy, key, withValue(Reflect.get(copy, key), path, value));
  return copy;
}

function pathAlong(json: unknown, [step, ...more]: readonly number[]): string[] {
  if (typeof json !== 'object' || json === null || step === undefined) return [];
  const keys = Object.keys(json);
  const key = keys[step % Math.max(keys.length, 1)];
  return key === undefined ? [] : [key, ...pathAlong(Reflect.get(json, key), more)];
}
