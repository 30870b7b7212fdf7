/** `edged precheck`: the oneshot that systemd runs at every boot. */
import path from 'node:path';
import type { Host } from '@edged/host/host';
import type { Level } from '@edged/precheck/event';
import { type PrecheckOrder, precheck } from '@edged/precheck/precheck';
import { passed, refused, resultName } from '@edged/precheck/precheck-result';
import { openStateRoot } from '@edged/precheck/state-root';
import { timesyncMarker } from '@edged/precheck/trusted-time';
import {
  type CommandContext,
  reportFailure,
  reportTo,
  toPrecheckError,
} from '../command-context.ts';
import type { Config } from '../config-schema.ts';
import { readConfig } from '../config.ts';
import { removeOutput, replaceOutput } from '../files.ts';
import { success } from '@edged/model/exit-code';
import type { LogFormat } from '../log-writer.ts';
import { showProgress } from '../progress.ts';
import { release } from '../release.ts';
import type { Settings } from '../settings.ts';
import { stateRootOrder } from '../state-root-order.ts';

export interface PrecheckArguments {
  readonly config: string;
  readonly rotateCerts: boolean;
  readonly rotationValidDays: number;
  readonly logLevel: Level;
  readonly logFormat: LogFormat;
  readonly output: 'text' | 'json';
  readonly dryRun: boolean;
  /** How long another live precheck is waited for before exit 2. */
  readonly lockWaitSeconds: number;
}

export async function runPrecheck(
  args: PrecheckArguments,
  context: CommandContext,
): Promise<number> {
  forgetResult(args, context);
  try {
    const config = await readConfigOn(args, context);
    const progress = showProgress(context.terminal, context.host.clock);
    const order = { ...orderOf(config, args, context.settings), progress };
    const report = reportTo(context.log);
    const outcome = await precheck(order, context.host, report);
    report('edge.precheck.passed', {
      decision: outcome.decision,
      time_verdict: outcome.timeVerdict,
    });
    writeResult(args, context, passed(outcome, bootIdOf(context.host), order.stateRoot.path));
    return success;
  } catch (error) {
    const exitCode = reportFailure(error, context.log);
    const failure = toPrecheckError(error);
    writeResult(args, context, refused(failure, exitCode, bootIdOf(context.host)));
    return exitCode;
  }
}

/**
 * A config that lies in the state root is missing when the disk is: then that is said (exit 2), for
 * it is what is wrong. Where EDGE_STATE_ROOT does not tell, it is a config like any other.
 */
async function readConfigOn(args: PrecheckArguments, context: CommandContext): Promise<Config> {
  const { settings, host, log } = context;
  try {
    return await readConfig(args.config);
  } catch (error) {
    const { stateRoot } = settings;
    const isInside = stateRoot !== undefined && args.config.startsWith(`${stateRoot}/`);
    if (!isInside || toPrecheckError(error).code !== 'config.unreadable') throw error;
    const { skipMountCheck } = settings;
    const order = { skipMountCheck, allowRootFilesystem: false, lockWaitMilliseconds: 0 };
    openStateRoot({ path: stateRoot, ...order }, host, reportTo(log)).close();
    throw error;
  }
}

/** Empty where the kernel does not tell: the verdict stands without it. */
function bootIdOf({ system }: Host): string {
  try {
    return system.bootId();
  } catch {
    return '';
  }
}

function orderOf(config: Config, args: PrecheckArguments, settings: Settings): PrecheckOrder {
  const { transport } = config;
  const besideConfig = (file: string): string => path.resolve(path.dirname(args.config), file);
  return {
    stateRoot: stateRootOrder(config, settings, args.lockWaitSeconds),
    certificate: {
      certFile: besideConfig(transport.cert_file),
      keyFile: besideConfig(transport.key_file),
      caFile: besideConfig(transport.ca_file),
      caKeyFile: transport.ca_key_file && besideConfig(transport.ca_key_file),
      failWithinDays: config.certificate?.fail_within_days ?? 7,
      warnWithinDays: config.certificate?.warn_within_days,
      rotate: args.rotateCerts,
      rotationValidDays: args.rotationValidDays,
    },
    fingerprint: {
      profile: config.fingerprint?.profile ?? 'classic',
      files: config.fingerprint?.files ?? [],
    },
    trust: {
      edgeDomainId: config.identity.edge_domain_id,
      verifyKeyDigest: config.trust?.verify_key_digest,
      requireKeyring: config.trust?.require_keyring ?? false,
      credentialsDirectory: settings.credentialsDirectory,
    },
    time: {
      builtAt: release.builtAt,
      synchronizedMarker: config.time?.synchronized_marker ?? timesyncMarker,
    },
    dryRun: args.dryRun,
  };
}

/** Until this precheck has its own, there is no verdict: that of an earlier one is not left. */
function forgetResult({ dryRun }: PrecheckArguments, { settings, log }: CommandContext): void {
  const { runtimeDirectory } = settings;
  if (runtimeDirectory === undefined || dryRun) return;
  try {
    removeOutput(path.join(runtimeDirectory, resultName));
  } catch (error) {
    log('warn', 'edged: the old result cannot be removed', { problem: (error as Error).message });
  }
}

/** To stdout where it was asked for; under systemd also into the runtime directory. */
function writeResult(
  args: PrecheckArguments,
  { terminal, log, settings }: CommandContext,
  result: Record<string, unknown>,
): void {
  const text = `${JSON.stringify(result, null, 2)}\n`;
  const { runtimeDirectory } = settings;
  try {
    if (runtimeDirectory !== undefined && !args.dryRun) {
      replaceOutput(path.join(runtimeDirectory, resultName), Buffer.from(text), 0o644);
    }
    if (args.output === 'json') terminal.out(text);
  } catch (error) {
    // the verdict stands, whether or not its report found room
    log('warn', 'edged: the result cannot be written', { problem: (error as Error).message });
  }
}
