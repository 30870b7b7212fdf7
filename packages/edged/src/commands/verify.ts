/**
 * `edged verify`: signature, every operation rule and every content, as a device would judge them.
 */
import path from 'node:path';
import { PrecheckError } from '@edged/model/failure';
import { rehearseRuntime } from '@edged/precheck/reconstruction';
import { openStateRoot } from '@edged/precheck/state-root';
import { type CommandContext, reportTo } from '../command-context.ts';
import { success } from '../exit-code.ts';

export function runVerify(stateRootPath: string | undefined, context: CommandContext): number {
  const given = stateRootPath ?? context.settings.stateRoot;
  if (given === undefined) {
    throw new PrecheckError('config.usage', {
      problem: 'no state root given',
      allowed: '--state-root DIR, or EDGE_STATE_ROOT',
    });
  }
  // what is asked here is whether the runtime holds, wherever the tree lies
  const order = {
    path: path.resolve(given),
    skipMountCheck: true,
    allowRootFilesystem: true,
    lockWaitMilliseconds: 0,
  };
  const stateRoot = openStateRoot(order, context.host, () => undefined);
  try {
    const { plan, verified } = rehearseRuntime(stateRoot, context.host, reportTo(context.log));
    for (const { index, src, target, sizeBytes } of plan.operations) {
      const to = target ? ` -> ${target.dst}` : '';
      context.terminal.out(`operation ${index}: ${src}${to} (${sizeBytes} bytes) ok\n`);
    }
    const count = plan.operations.length;
    context.terminal.out(`manifest ok: ${verified.bytes.length} bytes, ${count} operations\n`);
    return success;
  } finally {
    stateRoot.close();
  }
}
