/**
 * How those commands see a device that change nothing: `verify`, `keys`, `status`, `doctor`, and
 * the API. The right to read is enough, wherever the tree lies and whoever owns it, so that what is
 * wrong can be seen and is not in the way; and a config is of use, but not needed.
 */
import path from 'node:path';
import type { Host } from '@edged/host/host';
import { PrecheckError } from '@edged/model/failure';
import type { PrecheckOrder } from '@edged/precheck/precheck';
import { type StateRoot, openStateRoot } from '@edged/precheck/state-root/state-root';
import { timesyncMarker } from '@edged/precheck/trust/trusted-time';
import type { CommandContext } from './command-context.ts';
import type { Config } from './config/config-schema.ts';
import { readConfig } from './config/config.ts';
import { defaults } from './defaults.ts';
import { precheckOrder } from './precheck-order.ts';
import { release } from './release.ts';
import type { Settings } from './settings.ts';

/** Throws `state_root.*`. */
export function openToLook(directory: string, host: Host): StateRoot {
  const order = {
    path: directory,
    skipMountCheck: true,
    allowRootFilesystem: true,
    lockWaitMilliseconds: 0,
  };
  return openStateRoot(order, forReading(host), () => undefined);
}

function forReading(host: Host): Host {
  return {
    ...host,
    inspectDirectory(directory) {
      const found = host.inspectDirectory(directory);
      const access = found?.access === 'denied' ? 'read_only_mount' : found?.access;
      return found && access && { ...found, access, ownedByUsOrRoot: true };
    },
  };
}

export type LooseOrder = Omit<PrecheckOrder, 'certificate'> & Partial<PrecheckOrder>;

/** As precheck would be ordered; without a config, what can be said without one. */
export function looseOrder(
  config: Config | undefined,
  configFile: string | undefined,
  settings: Settings,
): LooseOrder {
  if (config) return precheckOrder(config, { ...noRotation, config: configFile ?? '' }, settings);
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
}

const { rotationValidDays } = defaults;
const noRotation = { rotateCerts: false, rotationValidDays, lockWaitSeconds: 0 } as const;

/** Without a config nothing is known of the audience, and no key is pinned. */
const unknownTrust = {
  edgeDomainId: undefined,
  verifyKeyDigest: undefined,
  requireKeyring: false,
} as const;

export interface LookArguments {
  /** Undefined: what EDGE_STATE_ROOT or the config says. */
  readonly stateRoot: string | undefined;
  /** Undefined: no key is pinned, and the audience is judged only as `edgeDomainId` says. */
  readonly config: string | undefined;
  readonly edgeDomainId?: string | undefined;
}

export async function withStateRoot<Result>(
  { stateRoot: given, config: file, edgeDomainId }: LookArguments,
  { host, settings }: CommandContext,
  act: (stateRoot: StateRoot, order: LooseOrder) => Result,
): Promise<Result> {
  const named = given ? path.resolve(given) : settings.stateRoot;
  const config = file === undefined ? undefined : await readConfig(file);
  const order = looseOrder(config, file, { ...settings, stateRoot: named });
  const trust = edgeDomainId === undefined ? order.trust : { ...order.trust, edgeDomainId };
  const stateRoot = openToLook(order.stateRoot.path, host);
  try {
    return act(stateRoot, { ...order, trust });
  } finally {
    stateRoot.close();
  }
}

/** One line that says what was not asked because no config told. */
export function unasked({ config, edgeDomainId }: LookArguments): readonly string[] {
  if (config !== undefined) return [];
  const audience = edgeDomainId === undefined ? ', audience not judged' : '';
  return [`no config read: key not pinned${audience}`];
}
