/** A command line that is not understood: what may have been meant, what result it leaves. */
import { PrecheckError, toPrecheckError } from '@edged/model/failure';
import type { CommandContext, LogArguments } from './command-context.ts';
import type { CommandDefinition } from './command-definitions.ts';
import { nearestOption } from './near-miss.ts';

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
  if (!argv.includes('precheck')) return;
  const { VerdictWriter } = await import('./verdict-writer.ts');
  const output = / --output[= ]json(?: |$)/.test(` ${argv.join(' ')}`) ? 'json' : 'text';
  const order = { output, metricsTextfile: undefined } as const;
  const context = begin({ logLevel: 'info', logFormat: 'text' });
  await new VerdictWriter(order, context).write(toPrecheckError(refusal));
}
