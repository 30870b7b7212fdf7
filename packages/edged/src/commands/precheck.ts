/** `edged precheck`: the oneshot that systemd runs at every boot. */
import { success } from '@edged/model/exit-code';
import { toPrecheckError } from '@edged/model/failure';
import type { Level } from '@edged/precheck/event';
import { precheck } from '@edged/precheck/precheck';
import { openStateRoot, refuseSilentMount } from '@edged/precheck/state-root/state-root';
import { type CommandContext, reportFailure, reportTo } from '../command-context.ts';
import type { Config } from '../config/config-schema.ts';
import { readConfig } from '../config/config.ts';
import type { LogFormat } from '../output/log-writer.ts';
import { precheckOrder } from '../precheck-order.ts';
import { showProgress } from '../output/progress.ts';
import { VerdictWriter } from '../output/verdict-writer.ts';

export interface PrecheckArguments {
  readonly config: string;
  readonly rotateCerts: boolean;
  readonly rotationValidDays: number;
  readonly logLevel: Level;
  readonly logFormat: LogFormat;
  readonly output: 'text' | 'json';
  readonly dryRun: boolean;
  /** Judge the next OS, at `root` or as `osRelease` and `kernelRelease` say; a dry run. */
  readonly plan: boolean;
  readonly root: string | undefined;
  readonly osRelease: string | undefined;
  readonly kernelRelease: string | undefined;
  readonly metricsTextfile: string | undefined;
  /** How long another live precheck is waited for before exit 2. */
  readonly lockWaitSeconds: number;
}

export async function runPrecheck(
  args: PrecheckArguments,
  context: CommandContext,
): Promise<number> {
  const { plan, root, osRelease, kernelRelease } = args;
  if (plan || (root ?? osRelease ?? kernelRelease) !== undefined) {
    return (await import('./plan.ts')).runPlan(args, context);
  }
  if (args.dryRun) return (await import('./dry-run.ts')).runDryRun(args, context);
  const verdicts = new VerdictWriter(args, context);
  await verdicts.begin();
  try {
    const config = await readConfigOn(args, context);
    const progress = showProgress(context.terminal, context.host.clock);
    const order = { ...precheckOrder(config, args, context.settings), progress };
    verdicts.stateRoot = order.stateRoot.path;
    const report = reportTo(context.log);
    const outcome = await precheck(order, context.host, report);
    report('edge.precheck.passed', {
      decision: outcome.decision,
      time_verdict: outcome.timeVerdict,
    });
    await verdicts.write(outcome);
    return success;
  } catch (error) {
    const exitCode = reportFailure(error, context.log);
    await verdicts.write(toPrecheckError(error));
    return exitCode;
  }
}

/**
 * A config that lies in the state root is missing when the disk is, and does not come where the
 * disk does not answer: then that is said (exit 2), for it is what is wrong. Where EDGE_STATE_ROOT
 * does not tell, it is a config like any other.
 */
export async function readConfigOn(
  { config }: Pick<PrecheckArguments, 'config'>,
  { settings, host, log }: CommandContext,
): Promise<Config> {
  const { stateRoot, skipMountCheck } = settings;
  if (stateRoot === undefined || !config.startsWith(`${stateRoot}/`)) return readConfig(config);
  refuseSilentMount({ path: stateRoot, skipMountCheck }, host);
  try {
    return await readConfig(config);
  } catch (error) {
    if (toPrecheckError(error).code !== 'config.unreadable') throw error;
    const order = { skipMountCheck, allowRootFilesystem: false, lockWaitMilliseconds: 0 };
    openStateRoot({ path: stateRoot, ...order }, host, reportTo(log)).close();
    throw error;
  }
}
