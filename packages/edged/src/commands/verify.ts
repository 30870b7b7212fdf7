/**
 * `edged verify`: signature, every operation rule and every content, as a device would judge them.
 */
import path from 'node:path';
import { PrecheckError } from '@edged/model/failure';
import { contextOf, rehearseRuntime } from '@edged/precheck/reconstruction';
import { type StateRoot, openStateRoot } from '@edged/precheck/state-root';
import type { TrustOrder } from '@edged/precheck/trust-anchor';
import { timesyncMarker } from '@edged/precheck/trusted-time';
import { type CommandContext, reportTo } from '../command-context.ts';
import { success } from '@edged/model/exit-code';
import { release } from '../release.ts';

export interface VerifyArguments {
  readonly stateRoot: string | undefined;
  /** Undefined: the audience is not judged. */
  readonly edgeDomainId: string | undefined;
}

export function runVerify(args: VerifyArguments, context: CommandContext): number {
  return withStateRoot(args.stateRoot, context, (stateRoot) => {
    const { host, terminal, log } = context;
    const report = reportTo(log);
    const order = looseOrder(args.edgeDomainId, context);
    const question = contextOf(stateRoot, host, order, report);
    const { plan, verified } = rehearseRuntime(stateRoot, host, question, report);
    for (const { index, src, target, sizeBytes } of plan.operations) {
      const to = target ? ` -> ${target.dst}` : '';
      terminal.out(`operation ${index}: ${src}${to} (${sizeBytes} bytes) ok\n`);
    }
    const count = plan.operations.length;
    terminal.out(
      `manifest ok: ${verified.bytes.length} bytes, ${count} operation${count === 1 ? '' : 's'}\n`,
    );
    return success;
  });
}

/** What is asked here is whether the runtime holds, wherever the tree lies and without a config. */
export function looseOrder(
  edgeDomainId: string | undefined,
  { settings }: CommandContext,
): { trust: TrustOrder; time: { builtAt: string; synchronizedMarker: string } } {
  return {
    trust: {
      edgeDomainId,
      verifyKeyDigest: undefined,
      requireKeyring: false,
      credentialsDirectory: settings.credentialsDirectory,
    },
    time: { builtAt: release.builtAt, synchronizedMarker: timesyncMarker },
  };
}

/** The state root named by the option or by EDGE_STATE_ROOT, opened to be looked at. */
export function withStateRoot<Result>(
  option: string | undefined,
  { host, settings }: CommandContext,
  act: (stateRoot: StateRoot) => Result,
): Result {
  const given = option ?? settings.stateRoot;
  if (given === undefined) {
    throw new PrecheckError('config.usage', {
      problem: 'no state root given',
      allowed: '--state-root DIR, or EDGE_STATE_ROOT',
    });
  }
  const order = {
    path: path.resolve(given),
    skipMountCheck: true,
    allowRootFilesystem: true,
    lockWaitMilliseconds: 0,
  };
  const stateRoot = openStateRoot(order, host, () => undefined);
  try {
    return act(stateRoot);
  } finally {
    stateRoot.close();
  }
}
