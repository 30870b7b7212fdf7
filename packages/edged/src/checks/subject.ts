/**
 * The device that is looked at, each part of it read when a check first asks for it, and once. It
 * is opened more leniently than precheck would: whatever is wrong is to be seen, not to be in the
 * way.
 */
import type { Host, Tools } from '@edged/host/host';
import type { Records } from '@edged/model/decision';
import type { OsIdentity } from '@edged/model/os-fingerprint';
import { captureIdentity } from '@edged/precheck/capture-fingerprint';
import { type RuntimeContext, contextOf } from '@edged/precheck/reconstruction';
import { readRecords } from '@edged/precheck/state-root/records';
import { type StateRoot, refuseSilentMount } from '@edged/precheck/state-root/state-root';
import { type TrustedTime, trustedTime } from '@edged/precheck/trust/trusted-time';
import type { Config } from '../config/config-schema.ts';
import { readConfig } from '../config/config.ts';
import { type LooseOrder, looseOrder, openToLook } from '../looking.ts';
import type { Settings } from '../settings.ts';

export interface SubjectOrder {
  /** Undefined: no config was given; then EDGE_STATE_ROOT says what is looked at. */
  readonly config: string | undefined;
  /** The host is that of an OS that does not run yet. */
  readonly isNextOs: boolean;
  /** All of that OS can be read, not its os-release alone. */
  readonly nextOsIsMounted: boolean;
  /** Where a precheck leaves its verdict until the next boot. */
  readonly resultFile: string;
}

export interface Subject extends SubjectOrder {
  readonly host: Host;
  readonly tools: Tools;
  readonly settings: Settings;
  /** Undefined where none was given. Throws `config.*`. */
  readonly readConfig: () => Promise<Config | undefined>;
  /** As precheck would be ordered; without a config, what can be said without one. */
  readonly order: () => Promise<LooseOrder>;
  /** Throws `state_root.*`. */
  readonly stateRoot: () => Promise<StateRoot>;
  readonly records: () => Promise<Records>;
  readonly identity: () => Promise<OsIdentity>;
  readonly time: () => Promise<TrustedTime>;
  /** What a reconstruction would be judged by now. */
  readonly runtime: () => Promise<RuntimeContext>;
  readonly close: () => Promise<void>;
}

const silent = (): void => undefined;

function once<Value>(read: () => Promise<Value>): () => Promise<Value> {
  let seen: Promise<Value> | undefined;
  return () => (seen ??= read());
}

export function subjectOf(
  order: SubjectOrder,
  host: Host,
  tools: Tools,
  settings: Settings,
): Subject {
  let opened: StateRoot | undefined;
  const config = once(async () =>
    order.config === undefined ? undefined : readConfig(order.config),
  );
  const precheckLike = once(async () => looseOrder(await config(), order.config, settings));
  const stateRoot = once(async () => {
    const { stateRoot: where } = await precheckLike();
    refuseSilentMount(where, host);
    opened = openToLook(where.path, host);
    return opened;
  });
  const records = once(async () => readRecords((await stateRoot()).disk));
  return {
    ...order,
    host,
    tools,
    settings,
    readConfig: config,
    order: precheckLike,
    stateRoot,
    records,
    identity: once(async () => captureIdentity(host.system, (await precheckLike()).fingerprint)),
    time: once(async () =>
      trustedTime((await precheckLike()).time, host.clock, host.system, await records(), silent),
    ),
    runtime: once(async () => contextOf(await stateRoot(), host, await precheckLike(), silent)),
    close: async () => opened?.close(),
  };
}
