/**
 * What may stand at the end of a command line that is being typed. The completion scripts ask with
 * `edged --get-completions WORD...`, the last word being the one at the cursor; every line of the
 * answer is a word, a tab and its description, or says that names of files or directories may stand
 * there. Nothing is run: a word is only ever looked up. (What yargs has for this,
 * `--get-yargs-completions`, knows no files, and offers options where the value of one is due.)
 */
import { type FailureCode, failures } from '@edged/model/failure';
import type {
  CommandDefinition,
  OptionDefinition,
  PositionalDefinition,
} from './command-definitions.ts';

export const completionRequest = '--get-completions';

const files = ':files';
const directories = ':directories';

/** Values that are no path. Every other text that an option takes is the name of a file. */
export const textOptions: ReadonlySet<string> = new Set([
  'edge-domain-id',
  'health-unit',
  'health-url',
  'kernel-release',
  'prometheus-addr',
]);
export const directoryOptions: ReadonlySet<string> = new Set(['root', 'state-root']);

/** The lines of the answer. `words` are those behind the program's name. */
export function completeWords(
  program: CommandDefinition,
  words: readonly string[],
): readonly string[] {
  const current = words.at(-1) ?? '';
  const read = readWords(program, words.slice(0, -1));
  if (read.open) return valuesOf(read.open, current);
  const [, name, value] = /^--([^=]+)=(.*)$/s.exec(current) ?? [];
  const options = optionsOf(read, program);
  if (name !== undefined && value !== undefined) {
    const option = options.find((candidate) => candidate.name === name);
    const prefixed = (line: string): string => (line.startsWith(':') ? line : `--${name}=${line}`);
    return option ? valuesOf(option, value).map(prefixed) : [];
  }
  const names = options
    .filter((option) => option.array || !read.given.has(option.name))
    .map((option) => lineOf(`--${option.name}`, option.describe));
  if (current.startsWith('-')) return read.isOver ? [] : beginningWith(current, names);
  const { command } = read;
  if (command.commands.length > 0) {
    const commands = command.commands.map((inner) => lineOf(inner.name, inner.describe));
    return beginningWith(current, commands);
  }
  const positional = positionalAt(command, read.positionals);
  if (positional) return valuesOfPositional(positional, current);
  return current === '' && !read.isOver ? names : [];
}

interface ReadWords {
  command: CommandDefinition;
  /** Names of options that stand there. */
  readonly given: Set<string>;
  positionals: number;
  /** The option whose value comes next. */
  open: OptionDefinition | undefined;
  /** `--` was there: no option may follow. */
  isOver: boolean;
}

function readWords(program: CommandDefinition, words: readonly string[]): ReadWords {
  const read: ReadWords = {
    command: program,
    given: new Set(),
    positionals: 0,
    open: undefined,
    isOver: false,
  };
  for (const word of words) readWord(read, word, program);
  return read;
}

function readWord(read: ReadWords, word: string, program: CommandDefinition): void {
  const [, name, value] = /^--([^=]+)(=.*)?$/s.exec(word) ?? [];
  const inner = read.command.commands.find((command) => command.name === word);
  if (read.open) read.open = undefined;
  else if (read.isOver) read.positionals += 1;
  else if (word === '--') read.isOver = true;
  else if (name !== undefined) {
    read.given.add(name);
    const option = optionsOf(read, program).find((candidate) => candidate.name === name);
    if (value === undefined && option && option.type !== 'boolean') read.open = option;
  } else if (inner) read.command = inner;
  else if (!word.startsWith('-')) read.positionals += 1;
}

/** Its own before those of the program. */
function optionsOf(
  { command }: Pick<ReadWords, 'command'>,
  program: CommandDefinition,
): readonly OptionDefinition[] {
  return command === program ? program.options : [...command.options, ...program.options];
}

/** What stands behind an option that names no choices. */
export function kindOf({
  name,
  type,
}: Pick<OptionDefinition, 'name' | 'type'>): 'nothing' | 'number' | 'text' | 'directory' | 'file' {
  if (type !== 'string') return type === 'number' ? 'number' : 'nothing';
  if (textOptions.has(name)) return 'text';
  return directoryOptions.has(name) ? 'directory' : 'file';
}

function valuesOf(option: OptionDefinition, current: string): readonly string[] {
  const choices = (option.choices ?? []).map((choice) => lineOf(choice, ''));
  if (choices.length > 0) return beginningWith(current, choices);
  const kind = kindOf(option);
  if (kind === 'directory') return [directories];
  return kind === 'file' ? [files] : [];
}

function positionalAt(
  { positionals }: CommandDefinition,
  index: number,
): PositionalDefinition | undefined {
  const last = positionals.at(-1);
  return positionals[index] ?? (last?.isRepeated ? last : undefined);
}

function valuesOfPositional(
  { name, choices }: PositionalDefinition,
  current: string,
): readonly string[] {
  if (choices.length > 0) {
    const lines = choices.map((choice) => lineOf(choice, ''));
    return beginningWith(current, lines);
  }
  if (name === 'reason') {
    const codes = Object.keys(failures) as FailureCode[];
    const lines = codes.map((code) => lineOf(code, failures[code].message));
    return beginningWith(current, lines);
  }
  return [name === 'directory' ? directories : files];
}

function beginningWith(start: string, lines: readonly string[]): readonly string[] {
  return lines.filter((line) => line.startsWith(start));
}

function lineOf(word: string, describe: string): string {
  return `${word}\t${describe}`;
}
