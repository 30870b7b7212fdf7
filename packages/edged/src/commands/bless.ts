/** `edged bless`: commits the running slot once the agent has proved healthy. */
import { bless } from '@edged/precheck/slot/bless';
import { linuxTools } from '@edged/host/linux-tools';
import { PrecheckError } from '@edged/model/failure';
import { type CommandContext, reportTo } from '../command-context.ts';
import { readConfig } from '../config/config.ts';
import { defaults } from '../defaults.ts';
import { success } from '@edged/model/exit-code';
import { stateRootOrder } from '../state-root-order.ts';

export interface BlessArguments {
  readonly config: string;
  readonly result: string;
  readonly healthUrl: string | undefined;
  readonly healthUnit: string | undefined;
  readonly healthCommand: string | undefined;
  readonly windowSeconds: number;
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
}

/** What is asked when nothing is said. */
const defaultUnit = 'edged.service';

export async function runBless(args: BlessArguments, context: CommandContext): Promise<number> {
  const config = await readConfig(args.config);
  const url = args.healthUrl;
  const command = args.healthCommand;
  if (url !== undefined && !/^https?:\/\//.test(url)) {
    throw new PrecheckError('config.usage', { found: `--health-url ${url} is no HTTP address` });
  }
  if (command !== undefined && !command.startsWith('/')) {
    throw new PrecheckError('config.usage', {
      found: `--health-command ${command} is not absolute`,
    });
  }
  const unit = args.healthUnit ?? (url || command ? undefined : defaultUnit);
  const order = {
    stateRoot: stateRootOrder(config, context.settings, defaults.lockWaitSeconds),
    resultFile: args.result,
    health: {
      url,
      unit,
      command,
      windowMilliseconds: args.windowSeconds * 1000,
      intervalMilliseconds: args.intervalSeconds * 1000,
      timeoutMilliseconds: args.timeoutSeconds * 1000,
    },
  };
  await bless(order, context.host, linuxTools, reportTo(context.log));
  return success;
}
