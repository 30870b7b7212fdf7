/**
 * What follows a failed boot (`OnFailure=` of precheck and bless): a trial is taken back by a
 * reboot, which burns one of its tries; a committed slot holds. Works without config and without
 * state root, since these may be what has failed.
 */
import type { Host, Tools } from '@edged/host/host';
import { type BootSlot, type FailureResponse, respondToFailure } from '@edged/model/boot-slot';
import { PrecheckError } from '@edged/model/failure';
import { stated } from '../state-root/disk-failure.ts';
import type { Report } from '../event.ts';
import { type PrecheckResult, readResult } from '../precheck-result.ts';
import { hasWayBack, readSlotWithTools } from './slot.ts';

export interface ResponseOrder {
  readonly resultFile: string;
  /** Between saying so and rebooting, for whoever stands before the device. */
  readonly delayMilliseconds: number;
}

export interface Responded {
  /** Of this boot; undefined when precheck left none. */
  readonly result: PrecheckResult | undefined;
  readonly slot: BootSlot;
  readonly response: FailureResponse;
  readonly reason: string;
}

export async function judgeFailure(file: string, host: Host, tools: Tools): Promise<Responded> {
  const found = stated(() => readResult(file, host));
  const bootId = stated(() => host.system.bootId());
  const result = found?.bootId === bootId ? found : undefined;
  const slot = await readSlotWithTools(host, tools);
  return { result, slot, ...respondToFailure(slot, await hasWayBack(slot, host, tools)) };
}

/** Throws `slot.reboot_failed`. */
export async function carryOutResponse(
  { slot, response, reason }: Responded,
  { delayMilliseconds }: ResponseOrder,
  host: Host,
  tools: Tools,
  report: Report,
): Promise<void> {
  const where = { adapter: slot.adapter, slot: slot.name ?? '', found: reason };
  if (response === 'hold') return report('edge.slot.held', where);
  const triesLeft = slot.triesLeft === undefined ? {} : { tries_left: slot.triesLeft };
  report('edge.slot.rolling_back', { ...where, ...triesLeft });
  host.clock.sleep(delayMilliseconds);
  const { exitCode, problem } = await tools.run('systemctl', ['reboot', '--no-block'], 30_000);
  if (exitCode !== 0) throw new PrecheckError('slot.reboot_failed', { found: problem });
}
