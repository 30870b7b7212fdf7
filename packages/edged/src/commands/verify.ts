/**
 * `edged verify`: signature, every operation rule and every content, as a device would judge them.
 */
import { contextOf, rehearseRuntime } from '@edged/precheck/reconstruction';
import { type CommandContext, reportTo } from '../command-context.ts';
import { success } from '@edged/model/exit-code';
import { type LookArguments, unasked, withStateRoot } from '../looking.ts';

export function runVerify(args: LookArguments, context: CommandContext): Promise<number> {
  return withStateRoot(args, context, (stateRoot, order) => {
    const { host, terminal, log } = context;
    const report = reportTo(log);
    const question = contextOf(stateRoot, host, order, report);
    const { plan, verified } = rehearseRuntime(stateRoot, host, question, report);
    for (const { index, src, target, sizeBytes } of plan.operations) {
      const to = target ? ` -> ${target.dst}` : '';
      terminal.out(`operation ${index}: ${src}${to} (${sizeBytes} bytes) ok\n`);
    }
    for (const line of unasked(args)) terminal.out(`${line}\n`);
    const count = plan.operations.length;
    terminal.out(
      `manifest ok: ${verified.bytes.length} bytes, ${count} operation${count === 1 ? '' : 's'}\n`,
    );
    return success;
  });
}
