/** What yargs does not look at: it lets the NaN of `abc` pass, and knows no bounds. */
import { PrecheckError } from '@edged/model/failure';
import { type Option, blessOptions, failedOptions, isWithin, precheckOptions } from './options.ts';

const options: Readonly<Record<string, Option>> = {
  ...precheckOptions,
  ...blessOptions,
  ...failedOptions,
};

/** Throws `config.usage`. */
export function refuseNumbers(args: Readonly<Record<string, unknown>>): void {
  for (const [name, option] of Object.entries(options)) {
    const value = args[name];
    if (typeof value !== 'number' || isWithin(option, value)) continue;
    const [least, most] = option.range ?? [];
    throw new PrecheckError('config.usage', {
      problem: `--${name}: found ${Number.isNaN(value) ? 'no plain number' : value}`,
      allowed: `a number from ${least} to ${most}`,
    });
  }
}
