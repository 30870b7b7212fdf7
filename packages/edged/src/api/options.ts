/** What the functions of the API are asked with, and how it becomes an order. */
import path from 'node:path';
import type { Host } from '@edged/host/host';
import { linuxHost } from '@edged/host/linux-host';
import { type RehearsedChange, rehearse } from '@edged/host/rehearsal';
import { PrecheckError } from '@edged/model/failure';
import type { FingerprintOrder } from '@edged/precheck/capture-fingerprint';
import type { Report } from '@edged/precheck/event';
import type { PartialOrder } from '@edged/precheck/partial-precheck';
import type { StateRootOrder } from '@edged/precheck/state-root/state-root';
import type { TrustOrder } from '@edged/precheck/trust/trust-anchor';
import { type TimeOrder, timesyncMarker } from '@edged/precheck/trust/trusted-time';
import { defaults } from '../defaults.ts';
import { release } from '../release.ts';
import { requiredPath } from './arguments.ts';

/** The machine that is asked. Without any of these: this one, with the OS that is running. */
export interface MachineOptions {
  /** Directory under which the files of the OS are read. Default `/`. */
  readonly osRoot?: string;
  /** In the place of `uname().release`. */
  readonly kernelRelease?: string;
  /** In the place of `/proc/cmdline`, which the profile `image` and the slot are read from. */
  readonly kernelCommandLine?: string;
  /**
   * A machine of your own: the port of `@edged/host/host`, real (`@edged/host/linux-host`) or
   * simulated. Not together with the three above.
   */
  readonly host?: Host;
}

/** What counts as the fingerprint of an OS, as `fingerprint` in the config (spec section 4). */
export interface FingerprintOptions {
  /** `image`: also what the image states of itself elsewhere. Default `classic`. */
  readonly profile?: 'classic' | 'image';
  /** Absolute paths in the image that tell images apart; with the profile `image` only. */
  readonly files?: readonly string[];
}

/** The state root that is meant. */
export interface StateRootOptions {
  /** The directory; a relative path starts at the working directory of the process. */
  readonly stateRoot: string;
}

/** How a state root is judged before anything is written to it (spec section 2). */
export interface StateRootRules {
  /**
   * Skips the check that the state root is on a persistent filesystem, as
   * `EDGE_STATE_ROOT_SKIP_MOUNT_CHECK=1`: for a temporary directory. Kept in the evidence. The two
   * pins below are asked all the same. Default false.
   */
  readonly skipMountCheck?: boolean;
  /** The root filesystem survives OS updates. Default false. */
  readonly allowRootFilesystem?: boolean;
  /** UUID of the filesystem that must be mounted there. */
  readonly expectedUuid?: string;
  /** Label of the filesystem that must be mounted there. */
  readonly expectedLabel?: string;
  /** Seconds to wait for another live precheck, 0 to 86400. Default 10. */
  readonly lockWaitSeconds?: number;
}

/** Whose word counts, and for which device (spec section 6). */
export interface TrustOptions {
  /** `identity.edge_domain_id`. Without it the audience of a manifest is not judged. */
  readonly edgeDomainId?: string;
  /** BLAKE3 of `identity/manifest-verify.pub`, 64 lower-case hex digits: pins the key. */
  readonly verifyKeyDigest?: string;
  /** Refuses where the OS has no keyring. Default false. */
  readonly requireKeyring?: boolean;
  /** Where systemd puts credentials, keyrings among them. Default: nowhere. */
  readonly credentialsDirectory?: string;
}

/** How it is known what time it is (spec I7). */
export interface ClockOptions {
  /** A file that is there once a time service has set the clock. Default: systemd-timesyncd's. */
  readonly synchronizedMarker?: string;
}

/** Listens to what precheck says while it works. */
export interface ReportOptions {
  /** Receives every event, by its name in docs/reference/events.md, with its attributes. */
  readonly report?: Report;
}

/** Lets everything be done and nothing happen. */
export interface RehearsalOptions {
  /**
   * Writes go to a layer in memory and are lost; the result says in `changes` what would have been
   * written. No lock is taken. Default false.
   */
  readonly dryRun?: boolean;
}

/** One state root, one OS, one word that counts: all that the writing functions are asked with. */
export interface DeviceOptions
  extends
    StateRootOptions,
    StateRootRules,
    MachineOptions,
    FingerprintOptions,
    TrustOptions,
    ClockOptions,
    ReportOptions,
    RehearsalOptions {}

/** What a rehearsal adds to a result. */
export interface Rehearsed {
  /** Files that would have been added, replaced or removed; only after a dry run. */
  readonly changes?: readonly FileChange[];
}

/** A file that a real run would have left otherwise than it is. */
export interface FileChange {
  /** Absolute. */
  readonly path: string;
  /** What would have become of it. */
  readonly change: RehearsedChange['change'];
}

/** Throws `config.usage` when `host` and the parts of another one are given together. */
export function hostOf({ host, osRoot, kernelRelease, kernelCommandLine }: MachineOptions): Host {
  const parts = { osRoot, kernelRelease, kernelCommandLine };
  if (host) {
    const given = Object.entries(parts).find(([, value]) => value !== undefined)?.[0];
    if (given === undefined) return host;
    const problem = `${given} was given together with host`;
    throw new PrecheckError('config.usage', { problem, allowed: 'one of the two' });
  }
  return linuxHost({
    ...(osRoot === undefined ? {} : { osRoot: path.resolve(osRoot) }),
    ...(kernelRelease === undefined ? {} : { kernelRelease }),
    ...(kernelCommandLine === undefined ? {} : { kernelCommandLine }),
  });
}

export function fingerprintOrderOf({ profile, files }: FingerprintOptions): FingerprintOrder {
  return { profile: profile ?? 'classic', files: files ?? [] };
}

/** Throws `config.usage` when no state root is given, which JavaScript does not prevent. */
export function pathOf({ stateRoot }: StateRootOptions): string {
  return requiredPath('options.stateRoot', stateRoot);
}

export function stateRootOrderOf(options: StateRootOptions & StateRootRules): StateRootOrder {
  const { expectedUuid, expectedLabel } = options;
  return {
    path: pathOf(options),
    skipMountCheck: options.skipMountCheck ?? false,
    allowRootFilesystem: options.allowRootFilesystem ?? false,
    ...(expectedUuid === undefined ? {} : { expectedUuid }),
    ...(expectedLabel === undefined ? {} : { expectedLabel }),
    lockWaitMilliseconds: (options.lockWaitSeconds ?? defaults.lockWaitSeconds) * 1000,
  };
}

export function trustOrderOf(options: TrustOptions): TrustOrder {
  return {
    edgeDomainId: options.edgeDomainId,
    verifyKeyDigest: options.verifyKeyDigest,
    requireKeyring: options.requireKeyring ?? false,
    credentialsDirectory: options.credentialsDirectory,
  };
}

export function timeOrderOf({ synchronizedMarker }: ClockOptions): TimeOrder {
  return {
    builtAt: release.builtAt,
    synchronizedMarker: synchronizedMarker ?? timesyncMarker,
  };
}

export function deviceOrderOf(options: DeviceOptions): PartialOrder {
  return {
    stateRoot: stateRootOrderOf(options),
    fingerprint: fingerprintOrderOf(options),
    trust: trustOrderOf(options),
    time: timeOrderOf(options),
  };
}

export function reportOf({ report }: ReportOptions): Report {
  return report ?? (() => undefined);
}

/** Runs on the host that is meant, or on a rehearsal of it. */
export async function onHost<Result>(
  options: MachineOptions & RehearsalOptions,
  act: (host: Host) => Promise<Result>,
): Promise<Result & Rehearsed> {
  const host = hostOf(options);
  const rehearsal = options.dryRun === true ? rehearse(host) : undefined;
  try {
    const result = await act(rehearsal?.host ?? host);
    return { ...result, ...(rehearsal ? { changes: rehearsal.changes() } : {}) };
  } finally {
    rehearsal?.close();
  }
}
