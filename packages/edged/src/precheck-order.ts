/** From config, arguments and environment to what one precheck is asked to do. */
import path from 'node:path';
import type { PrecheckOrder } from '@edged/precheck/precheck';
import { timesyncMarker } from '@edged/precheck/trust/trusted-time';
import type { Config } from './config/config-schema.ts';
import { defaults } from './defaults.ts';
import { release } from './release.ts';
import type { Settings } from './settings.ts';
import { stateRootOrder } from './state-root-order.ts';

export interface PrecheckOrderArguments {
  /** Path of the config file: relative paths of certificates start where it lies. */
  readonly config: string;
  readonly rotateCerts: boolean;
  readonly rotationValidDays: number;
  /** How long another live precheck is waited for before exit 2. */
  readonly lockWaitSeconds: number;
}

export function precheckOrder(
  config: Config,
  args: PrecheckOrderArguments,
  settings: Pick<Settings, 'stateRoot' | 'skipMountCheck' | 'credentialsDirectory'>,
): PrecheckOrder {
  const { transport } = config;
  const besideConfig = (file: string): string => path.resolve(path.dirname(args.config), file);
  return {
    stateRoot: stateRootOrder(config, settings, args.lockWaitSeconds),
    certificate: {
      certFile: besideConfig(transport.cert_file),
      keyFile: besideConfig(transport.key_file),
      caFile: besideConfig(transport.ca_file),
      caKeyFile: transport.ca_key_file && besideConfig(transport.ca_key_file),
      failWithinDays: config.certificate?.fail_within_days ?? defaults.failWithinDays,
      warnWithinDays: config.certificate?.warn_within_days,
      rotate: args.rotateCerts,
      rotationValidDays: args.rotationValidDays,
    },
    fingerprint: {
      profile: config.fingerprint?.profile ?? 'classic',
      files: config.fingerprint?.files ?? [],
    },
    trust: {
      edgeDomainId: config.identity.edge_domain_id,
      verifyKeyDigest: config.trust?.verify_key_digest,
      requireKeyring: config.trust?.require_keyring ?? false,
      credentialsDirectory: settings.credentialsDirectory,
    },
    time: {
      builtAt: release.builtAt,
      synchronizedMarker: config.time?.synchronized_marker ?? timesyncMarker,
    },
  };
}
