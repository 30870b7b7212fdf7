/**
 * The device that is looked at, each part of it read when a check first asks for it, and once. It
 * is opened more leniently than precheck would: whatever is wrong is to be seen, not to be in the
 * way.
 */
import path from 'node:path';
import type { Host, Tools } from '@edged/host/host';
import type { Records } from '@edged/model/decision';
import { PrecheckError } from '@edged/model/failure';
import type { OsIdentity } from '@edged/model/os-fingerprint';
import { captureIdentity } from '@edged/precheck/capture-fingerprint';
import type { PrecheckOrder } from '@edged/precheck/precheck';
import { type RuntimeContext, contextOf } from '@edged/precheck/reconstruction';
import { readRecords } from '@edged/precheck/records';
import { type StateRoot, openStateRoot } from '@edged/precheck/state-root';
import { type TrustedTime, timesyncMarker, trustedTime } from '@edged/precheck/trusted-time';
import type { Config } from '../config-schema.ts';
import { readConfig } from '../config.ts';
import { precheckOrder } from '../precheck-order.ts';
import { release } from '../release.ts';
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

type LooseOrder = Omit<PrecheckOrder, 'certificate'> & Partial<PrecheckOrder>;

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
  const precheckLike = once(async (): Promise<LooseOrder> => {
    const read = await config();
    if (read) return precheckOrder(read, { ...noRotation, config: order.config ?? '' }, settings);
    const { stateRoot, skipMountCheck, credentialsDirectory } = settings;
    if (stateRoot === undefined) {
      const allowed = '--config FILE, --state-root DIR, or EDGE_STATE_ROOT';
      throw new PrecheckError('config.usage', { problem: 'no device given', allowed });
    }
    return {
      stateRoot: {
        path: path.resolve(stateRoot),
        skipMountCheck,
        allowRootFilesystem: false,
        lockWaitMilliseconds: 0,
      },
      trust: { ...unknownTrust, credentialsDirectory },
      time: { builtAt: release.builtAt, synchronizedMarker: timesyncMarker },
    };
  });
  const stateRoot = once(async () => {
    const { path } = (await precheckLike()).stateRoot;
    const lenient = {
      path,
      skipMountCheck: true,
      allowRootFilesystem: true,
      lockWaitMilliseconds: 0,
    };
    opened = openStateRoot(lenient, evenDenied(host), silent);
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

const noRotation = { rotateCerts: false, rotationValidDays: 365, lockWaitSeconds: 0 } as const;

/** Without a config nothing is known of the audience, and no key is pinned. */
const unknownTrust = {
  edgeDomainId: undefined,
  verifyKeyDigest: undefined,
  requireKeyring: false,
} as const;

/** To look at a state root we need not be able to write there. */
function evenDenied(host: Host): Host {
  return {
    ...host,
    inspectDirectory(directory) {
      const found = host.inspectDirectory(directory);
      return found?.access === 'denied' ? { ...found, access: 'read_only_mount' } : found;
    },
  };
}
