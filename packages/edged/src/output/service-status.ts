/**
 * The status line that `systemctl status` shows (sd_notify(3)), by systemd-notify(1): JavaScript
 * runtimes have no datagram sockets of the Unix kind.
 */
import { linuxTools } from '@edged/host/linux-tools';
import { exitCodes } from '@edged/model/exit-code';
import { PrecheckError } from '@edged/model/failure';
import type { PrecheckOutcome } from '@edged/precheck/precheck-result';

const timeoutMilliseconds = 2000;

/** Needs NOTIFY_SOCKET in the environment. Throws where it cannot be told. */
export async function notifyStatus(verdict: PrecheckOutcome | PrecheckError): Promise<void> {
  const args = [`--status=${statusOf(verdict)}`];
  const { exitCode, problem } = await linuxTools.run('systemd-notify', args, timeoutMilliseconds);
  if (exitCode !== 0) throw new Error(`systemd-notify: ${problem}`);
}

/** One line. */
export function statusOf(verdict: PrecheckOutcome | PrecheckError): string {
  if (verdict instanceof PrecheckError) {
    return `Refused with exit ${exitCodes[verdict.gate]}: ${verdict.code}. ${verdict.remedy}`;
  }
  return `Passed: ${verdict.decision.replaceAll('_', ' ')}, epoch ${verdict.bootEpoch}`;
}
