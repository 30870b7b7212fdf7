/**
 * Reads the command line of a boot: `precheck` and options from the table, its own ones behind it,
 * each once, written out in full, with a value that is plainly one. Whatever is not such a line
 * (help, other commands, mistakes) is yargs' to read; `tests/fast/property/boot-line.test.ts` holds
 * the two against each other.
 */
import type { PrecheckArguments } from '../commands/precheck.ts';
import { type Option, globalOptions, isWithin, precheckOptions } from './options.ts';

const anywhere = new Map<string, Option>(Object.entries(globalOptions));
const options = new Map<string, Option>([...anywhere, ...Object.entries(precheckOptions)]);

/** Undefined when yargs is to read it. */
export function readBootLine(argv: readonly string[]): PrecheckArguments | undefined {
  const values = new Map<string, string | boolean | number>();
  let commands = 0;
  const words = argv.values();
  for (const word of words) {
    if (word === 'precheck') {
      commands += 1;
      continue;
    }
    const [, name = '', inline] = /^--([a-z-]+)(?:=(.*))?$/s.exec(word) ?? [];
    const option = (commands === 0 ? anywhere : options).get(name);
    if (!option || values.has(name)) return undefined;
    const value = readValue(option, inline, () => words.next().value);
    if (value === undefined) return undefined;
    values.set(name, value);
  }
  return commands === 1 ? complete(values) : undefined;
}

function readValue(
  option: Option,
  inline: string | undefined,
  next: () => string | undefined,
): string | boolean | number | undefined {
  const { type, choices } = option;
  if (type === 'boolean') return inline === undefined ? true : undefined;
  const text = inline ?? next();
  if (text === undefined || !/^[\w/.][\w/.:@%+,=-]*$/.test(text)) return undefined;
  if (choices && !choices.includes(text)) return undefined;
  if (type === 'string') return text;
  const isPlain = /^(?:0|[1-9]\d{0,8})$/.test(text) && isWithin(option, Number(text));
  return isPlain ? Number(text) : undefined;
}

function complete(
  values: ReadonlyMap<string, string | boolean | number>,
): PrecheckArguments | undefined {
  const args: Record<string, unknown> = {};
  for (const [name, option] of options) {
    const value = values.get(name) ?? option.default;
    if (value === undefined && option.demandOption) return undefined;
    args[toCamel(name)] = value;
  }
  return args as unknown as PrecheckArguments;
}

function toCamel(name: string): string {
  return name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
