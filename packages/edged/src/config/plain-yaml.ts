/**
 * Reads a config that is written plainly: two levels of `key: value`, block style, each key once,
 * each value a scalar that YAML 1.2 reads in one way only. This is how configs are written, and a
 * full YAML reader costs more than the rest of a matching boot. Whatever is not so plain is the
 * full reader's; `tests/fast/property/plain-yaml.test.ts` holds the two against each other.
 */

type Section = Record<string, unknown>;

const topLevel = /^([a-z][a-z_]{0,63}):(?: (\S+))?$/;
const nested = /^ {2}([a-z][a-z_]{0,63}): (\S+)$/;
const blank = /^(?: *#[\u0020-\u007e]*)?$/;

const text = /^[A-Za-z/][A-Za-z0-9_./-]*$/;
/** Words that some reader of YAML takes for something else than text, as a key or as a value. */
const notText = /^(?:true|false|null|yes|no|on|off|y|n)$/i;
const quoted = /^"([A-Za-z0-9_./:[\]@+-]*)"$/;
const integer = /^(?:0|[1-9]\d{0,14})$/;
const decimal = /^(?:0|[1-9]\d{0,8})\.\d{1,6}$/;

/** Undefined when the full reader is to read it. */
export function readPlainYaml(document: string): Section | undefined {
  const top: Section = {};
  let section: Section | undefined;
  for (const line of document.split('\n')) {
    if (blank.test(line)) continue;
    const outer = topLevel.exec(line);
    const [, key, written] = outer ?? nested.exec(line) ?? [];
    if (key === undefined || notText.test(key)) return undefined;
    const into = outer ? top : section;
    if (!into || Object.hasOwn(into, key)) return undefined;
    if (written === undefined) {
      section = {};
      into[key] = section;
      continue;
    }
    const value = scalar(written);
    if (value === undefined) return undefined;
    into[key] = value;
    if (outer) section = undefined;
  }
  // a section without keys is null in YAML, and so is a document without any
  const isWhole = Object.values(top).every(
    (value) => typeof value !== 'object' || Object.keys(value as Section).length > 0,
  );
  return isWhole && Object.keys(top).length > 0 ? top : undefined;
}

function scalar(written: string): string | number | boolean | undefined {
  if (written === 'true' || written === 'false') return written === 'true';
  if (integer.test(written) || decimal.test(written)) return Number(written);
  if (text.test(written) && !notText.test(written)) return written;
  return quoted.exec(written)?.[1];
}
