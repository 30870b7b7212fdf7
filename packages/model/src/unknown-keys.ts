/**
 * Every key that a schema does not have. The schema library names only the first of each object,
 * and whoever puts a document right wants to hear of all at once.
 */
import { isObject } from './json-reader.ts';

type KeyPath = readonly (string | number)[];

/** In the order of the document; what is no object where the schema has one is not looked into. */
export function unknownKeys(schema: unknown, value: unknown, path: KeyPath = []): KeyPath[] {
  if (!isObject(schema)) return [];
  const { wrapped, item, options } = schema;
  if (isObject(wrapped)) return unknownKeys(wrapped, value, path);
  if (isObject(item) && Array.isArray(value)) {
    return value.flatMap((each, index) => unknownKeys(item, each, [...path, index]));
  }
  if (!isObject(value)) return [];
  if (Array.isArray(options)) return unknownKeys(chosen(schema, value), value, path);
  const { entries } = schema;
  if (!isObject(entries)) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    Object.hasOwn(entries, key)
      ? unknownKeys(entries[key], inner, [...path, key])
      : [[...path, key]],
  );
}

/** Of a variant: the option whose literal is the one that the value has. */
function chosen(
  { key, options }: Record<string, unknown>,
  value: Record<string, unknown>,
): unknown {
  const discriminator = String(key);
  return (options as unknown[]).find((option) => {
    const literal =
      isObject(option) && isObject(option['entries']) && option['entries'][discriminator];
    return isObject(literal) && literal['literal'] === value[discriminator];
  });
}
