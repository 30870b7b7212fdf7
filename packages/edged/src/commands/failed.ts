/**
 * `edged failed`: run by systemd when precheck, or bless, has failed. Says on the console what
 * happened and what to do, for whoever stands before the device; takes a trial boot back.
 */
import {
  type Responded,
  carryOutResponse,
  judgeFailure,
} from '@edged/precheck/slot/failure-response';
import { linuxTools } from '@edged/host/linux-tools';
import { describeDetail } from '../output/detail-text.ts';
import { printable } from '../output/log-writer.ts';
import { type CommandContext, reportTo } from '../command-context.ts';
import { success } from '@edged/model/exit-code';

export interface FailedArguments {
  readonly result: string;
  readonly delaySeconds: number;
}

export async function runFailed(args: FailedArguments, context: CommandContext): Promise<number> {
  const { host, log, terminal } = context;
  const order = { resultFile: args.result, delayMilliseconds: args.delaySeconds * 1000 };
  const responded = await judgeFailure(args.result, host, linuxTools);
  try {
    terminal.out(`${describe(responded, args.delaySeconds).join('\n')}\n`);
  } catch (error) {
    // a console that takes nothing is no reason to leave the device in a failed trial
    log('warn', 'edged: the console cannot be written', { problem: (error as Error).message });
  }
  await carryOutResponse(responded, order, host, linuxTools, reportTo(log));
  return success;
}

function describe({ result, response, reason }: Responded, delaySeconds: number): string[] {
  const next =
    response === 'reboot'
      ? `Rebooting in ${delaySeconds} s: ${reason}.`
      : `Nothing is rebooted: ${reason}.`;
  return ['', 'edged: this device does not start its agent', ...cause(result), `  ${next}`, ''];
}

function cause(result: Responded['result']): string[] {
  if (!result) {
    return [
      '  Precheck left no verdict: it was not started, or did not run to its end.',
      '  Look at `systemctl status edged-precheck` and `journalctl -b -u edged-precheck`.',
    ];
  }
  if (result.passed) {
    return [
      '  Precheck succeeded; what failed came after it.',
      '  Look at `journalctl -b -u edged-bless -u edged`.',
    ];
  }
  return [
    `  ${printable(`${result.message} (${result.reason}, exit ${result.exitCode})`)}`,
    ...result.details.map((detail) => `  found: ${describeDetail(detail)}`),
    `  ${printable(result.remedy)}`,
    '  Then: systemctl restart edged-precheck && systemctl start edged',
  ];
}
