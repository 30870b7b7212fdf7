/** `edged precheck`: the oneshot that systemd runs at every boot. */
import path from 'node:path';
import type { Level } from '@edged/precheck/event';
import { type PrecheckOrder, type PrecheckOutcome, precheck } from '@edged/precheck/precheck';
import { timesyncMarker } from '@edged/precheck/trusted-time';
import {
  type CommandContext,
  reportFailure,
  reportTo,
  toPrecheckError,
} from '../command-context.ts';
import type { Config } from '../config-schema.ts';
import { readConfig } from '../config.ts';
import { success } from '../exit-code.ts';
import type { LogFormat } from '../log-writer.ts';
import { showProgress } from '../progress.ts';
import { release } from '../release.ts';
import type { Settings } from '../settings.ts';

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
  try {
    const config = await readConfig(args.config);
    const progress = showProgress(context.terminal, context.host.clock);
    const order = { ...orderOf(config, args, context.settings), progress };
    const report = reportTo(context.log);
    const outcome = await precheck(order, context.host, report);
    report('edge.precheck.passed', {
      decision: outcome.decision,
      time_verdict: outcome.timeVerdict,
    });
    writeResult(args, context, success, { ...passed(outcome), state_root: order.stateRoot.path });
    return success;
  } catch (error) {
    const exitCode = reportFailure(error, context.log);
    writeResult(args, context, exitCode, refused(error));
    return exitCode;
  }
}

function orderOf(config: Config, args: PrecheckArguments, settings: Settings): PrecheckOrder {
  const { state_root: stateRoot, transport } = config;
  const besideConfig = (file: string): string => path.resolve(path.dirname(args.config), file);
  return {
    stateRoot: {
      path: settings.stateRoot ?? stateRoot.root,
      skipMountCheck: settings.skipMountCheck,
      allowRootFilesystem: stateRoot.allow_root_filesystem,
      ...(stateRoot.expected_uuid === undefined ? {} : { expectedUuid: stateRoot.expected_uuid }),
      ...(stateRoot.expected_label === undefined
        ? {}
        : { expectedLabel: stateRoot.expected_label }),
      lockWaitMilliseconds: args.lockWaitSeconds * 1000,
    },
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

function writeResult(
  args: PrecheckArguments,
  { terminal, log }: CommandContext,
  exitCode: number,
  result: Record<string, unknown>,
): void {
  if (args.output !== 'json') return;
  const document = { schema: 'edged.precheck.v1', exit_code: exitCode, ...result };
  try {
    terminal.out(`${JSON.stringify(document, null, 2)}\n`);
  } catch (error) {
    // the verdict stands, whether or not its report found room
    log('warn', 'edged: the result cannot be written', { problem: (error as Error).message });
  }
}

function passed(outcome: PrecheckOutcome): Record<string, unknown> {
  return {
    result: 'passed',
    decision: outcome.decision,
    boot_epoch: outcome.bootEpoch,
    composite_hash: outcome.compositeHash,
    time_verdict: outcome.timeVerdict,
    mount_check_skipped: outcome.mountCheckSkipped,
    read_only: outcome.readOnly,
  };
}

function refused(error: unknown): Record<string, unknown> {
  const { gate, code, message, remedy, details } = toPrecheckError(error);
  return { result: 'refused', gate, reason: code, message, remedy, details };
}
