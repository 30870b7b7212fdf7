/**
 * The commands as data: what `command-line.ts` tells yargs, told to a recorder instead. Manual page
 * and completion are made of this, so that they know every command and option that `--help` knows.
 * A recorder answers every method with itself; what it does not know changes no name and no option.
 */
import type { Option } from './options.ts';

export interface OptionDefinition extends Omit<Option, 'type' | 'describe' | 'default'> {
  readonly name: string;
  readonly type: Option['type'];
  readonly describe: string;
  readonly default?: unknown;
  /** May be given several times. */
  readonly array?: boolean;
}

export interface PositionalDefinition {
  readonly name: string;
  readonly isRequired: boolean;
  readonly isRepeated: boolean;
  readonly describe: string;
  readonly choices: readonly string[];
}

export interface CommandDefinition {
  /** One word; `edged` for the program itself. */
  readonly name: string;
  readonly describe: string;
  readonly positionals: PositionalDefinition[];
  /** Its own; those of the program may stand with every command. */
  readonly options: OptionDefinition[];
  readonly commands: CommandDefinition[];
  readonly examples: Example[];
}

export interface Example {
  readonly line: string;
  readonly describe: string;
}

type Told = Partial<Omit<OptionDefinition, 'name'>>;
type Builder = ((recorder: object) => unknown) | undefined;

/** `define` gets a recorder where it would get what `yargs()` gives. */
export function recordCommands(define: (recorder: object) => unknown): CommandDefinition {
  const program = emptyCommand('edged', '');
  define(recorderOf(program));
  return program;
}

function emptyCommand(usage: string, describe: string): CommandDefinition {
  const [name = '', ...positionals] = usage.split(' ');
  return {
    name,
    describe,
    positionals: positionals.filter((text) => /^[<[]/.test(text)).map(readPositional),
    options: [],
    commands: [],
    examples: [],
  };
}

/** `<name>`, `[name]`, `<name..>`. */
function readPositional(text: string): PositionalDefinition {
  const name = text.replaceAll(/[<>[\].]/g, '');
  const isRepeated = text.includes('..');
  return { name, isRequired: text.startsWith('<'), isRepeated, describe: '', choices: [] };
}

function recorderOf(into: CommandDefinition): object {
  const option = (name: string, told: Told): void => {
    const { type = 'string', describe = '', ...rest } = told;
    into.options.push({ ...rest, name, type, describe });
  };
  const options = (table: Record<string, Told>): void => {
    for (const [name, told] of Object.entries(table)) option(name, told);
  };
  const methods: Readonly<Record<string, (...args: never[]) => void>> = {
    option,
    options,
    positional(name: string, { describe = '', choices = [] }: Told) {
      const at = into.positionals.findIndex((positional) => positional.name === name);
      const known = into.positionals[at];
      if (known) into.positionals[at] = { ...known, describe, choices };
    },
    command(usage: string, describe: string | false, builder: Builder) {
      if (describe === false) return;
      const command = emptyCommand(usage, describe);
      builder?.(recorderOf(command));
      // `<command>` stands for the commands inside
      if (command.commands.length > 0) command.positionals.length = 0;
      into.commands.push(command);
    },
    example: (line: string, describe = '') =>
      into.examples.push({ line: line.replaceAll('$0', 'edged'), describe }),
    help: () => option('help', { type: 'boolean', describe: 'Show help' }),
  };
  const recorder: object = new Proxy(
    {},
    {
      get:
        (_target, method) =>
        (...args: never[]) => {
          methods[String(method)]?.(...args);
          return recorder;
        },
    },
  );
  return recorder;
}
