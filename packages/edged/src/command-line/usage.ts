/** A command line that is not understood: what may have been meant, what result it leaves. */
import { PrecheckError, toPrecheckError } from '@edged/model/failure';
import type { CommandContext, LogArguments } from '../command-context.ts';
import type { CommandDefinition } from './command-definitions.ts';
import { nearestTo } from '../near-miss.ts';
import { type Option, globalOptions, precheckOptions } from './options.ts';

const known = new Map<string, Option>(Object.entries({ ...globalOptions, ...precheckOptions }));
/** A precheck with one of these is none of this boot. */
const rehearsing = ['dry-run', 'plan', 'root', 'os-release', 'kernel-release'];

export function withSuggestion(
  error: unknown,
  argv: readonly string[],
  program: CommandDefinition,
): unknown {
  const nearest = nearestOption(argv, program);
  if (!(error instanceof PrecheckError) || nearest === undefined) return error;
  const details = error.details.map((detail) => ({ ...detail, did_you_mean: nearest }));
  return new PrecheckError(error.code, details, error);
}

/** `--config` for `--confg`; undefined when every option is known, or nothing is near. */
function nearestOption(argv: readonly string[], program: CommandDefinition): string | undefined {
  const names = optionsOf(program);
  const unknown = argv
    .flatMap((word) => /^--([a-z][\w-]*)/i.exec(word)?.[1] ?? [])
    .find((name) => !names.has(name.replace(/^no-/, '')));
  const nearest = unknown === undefined ? undefined : nearestTo(unknown, names);
  return nearest === undefined ? undefined : `--${nearest}`;
}

function optionsOf({ options, commands }: CommandDefinition): ReadonlySet<string> {
  const inner = commands.flatMap((command) => [...optionsOf(command)]);
  return new Set([...options.map(({ name }) => name), ...inner]);
}

/** Words behind `--`, which yargs lets pass. Throws `config.usage`. */
export function refuseSurplus(args: Readonly<Record<string, unknown>>): void {
  const words = Array.isArray(args['_']) ? args['_'].map(String) : [];
  const surplus = words.at(words[0] === 'keys' ? 2 : 1);
  if (surplus !== undefined) {
    throw new PrecheckError('config.usage', { problem: `Unknown argument: ${surplus}` });
  }
}

/** A precheck leaves its verdict wherever it would have, also when it could not begin. */
export async function leaveResult(
  refusal: unknown,
  argv: readonly string[],
  begin: (args: LogArguments) => CommandContext,
): Promise<void> {
  const { command, options } = skim(argv);
  if (command !== 'precheck' || rehearsing.some((name) => isGiven(options.get(name)))) return;
  const { VerdictWriter } = await import('../output/verdict-writer.ts');
  const output = options.get('output') === 'json' ? 'json' : 'text';
  const order = { output, metricsTextfile: undefined } as const;
  const context = begin({ logLevel: 'info', logFormat: 'text' });
  await new VerdictWriter(order, context).write(toPrecheckError(refusal));
}

interface Skimmed {
  /** The first word that is neither an option nor the value of one. */
  readonly command: string | undefined;
  /** What was said last; "" without a value. */
  readonly options: ReadonlyMap<string, string>;
}

/** What a line that is not understood says all the same. */
function skim(argv: readonly string[]): Skimmed {
  let command: string | undefined;
  let awaiting: string | undefined;
  const options = new Map<string, string>();
  for (const word of argv) {
    if (word === '--') break;
    const [, name, inline] = /^--([a-z-]+)(?:=(.*))?$/s.exec(word) ?? [];
    if (name !== undefined) {
      options.set(name, inline ?? '');
      awaiting = inline === undefined && known.get(name)?.requiresArg ? name : undefined;
    } else if (awaiting !== undefined) {
      options.set(awaiting, word);
      awaiting = undefined;
    } else if (!word.startsWith('-')) command ??= word;
  }
  return { command, options };
}

function isGiven(value: string | undefined): boolean {
  return value !== undefined && value !== 'false';
}
