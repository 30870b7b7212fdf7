/** What may have been meant by an option that no command has. */
import { distance } from 'fastest-levenshtein';
import type { CommandDefinition } from './command-definitions.ts';

const mostLetters = 3;

/** `--config` for `--confg`; undefined when every option is known, or nothing is near. */
export function nearestOption(
  argv: readonly string[],
  program: CommandDefinition,
): string | undefined {
  const known = optionsOf(program);
  const unknown = argv
    .flatMap((word) => /^--([a-z][\w-]*)/i.exec(word)?.[1] ?? [])
    .find((name) => !known.has(name.replace(/^no-/, '')));
  if (unknown === undefined) return undefined;
  const [nearest] = [...known]
    .map((name) => [name, distance(name, unknown)] as const)
    .toSorted(([, one], [, other]) => one - other);
  return nearest && nearest[1] <= mostLetters ? `--${nearest[0]}` : undefined;
}

function optionsOf({ options, commands }: CommandDefinition): ReadonlySet<string> {
  const inner = commands.flatMap((command) => [...optionsOf(command)]);
  return new Set([...options.map(({ name }) => name), ...inner]);
}
