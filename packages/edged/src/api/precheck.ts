/** `precheck`: all of it, in this process. */
import path from 'node:path';
import { PrecheckError } from '@edged/model/failure';
import type { Progress } from '@edged/precheck/event';
import { type PrecheckOrder, precheck as runPrecheck } from '@edged/precheck/precheck';
import type { TimeVerdict } from '@edged/precheck/trust/trusted-time';
import type { InferInput } from 'valibot';
import type { configSchema } from '../config/config-schema.ts';
import { parseConfig, readConfig } from '../config/config.ts';
import { defaults } from '../defaults.ts';
import { precheckOrder } from '../precheck-order.ts';
import type { DecisionKind } from './detect-os-update.ts';
import {
  type DeviceOptions,
  type MachineOptions,
  type RehearsalOptions,
  type Rehearsed,
  type ReportOptions,
  type StateRootRules,
  type TrustOptions,
  deviceOrderOf,
  onHost,
  reportOf,
} from './options.ts';
import { misuse, requireOptions, requiredPath } from './arguments.ts';
import { refusing } from './refusal.ts';

/** Rotation of the certificate, as `--rotate-certs` (spec section 9). */
export interface CertificateRotationOptions {
  /** Issues a new certificate and key now, whether or not it is due. Default false. */
  readonly rotateCertificates?: boolean;
  /** How long a new certificate is valid, 1 to 3650. Default 365. */
  readonly rotationValidDays?: number;
}

/** Told now and then while files are copied. */
export interface ProgressOptions {
  /** Bytes so far, bytes in all. */
  readonly progress?: Progress;
}

/** A config as an object: its keys as docs/reference/config.md has them. */
export interface ConfigDocument extends InferInput<typeof configSchema> {}

/** What {@link precheck} is asked with where there is a config. */
export interface ConfigOptions
  extends
    MachineOptions,
    Pick<StateRootRules, 'skipMountCheck' | 'lockWaitSeconds'>,
    Pick<TrustOptions, 'credentialsDirectory'>,
    CertificateRotationOptions,
    ReportOptions,
    RehearsalOptions,
    ProgressOptions {
  /**
   * Path of a config file (YAML, TOML or JSON), or what such a file says as an object: the same
   * keys, checked by the same schema (docs/reference/config.md).
   */
  readonly config: string | ConfigDocument;
  /**
   * Where relative paths of certificates start. Default: the directory of the config file; for an
   * object the working directory of the process.
   */
  readonly baseDirectory?: string;
  /** In the place of `state_root.root`, as `EDGE_STATE_ROOT`. */
  readonly stateRoot?: string;
}

/** What {@link precheck} is asked with where there is no config. */
export interface PartsOptions extends DeviceOptions, CertificateRotationOptions, ProgressOptions {
  /** The certificate of the device. Relative paths start at the working directory. */
  readonly certificate: CertificateOptions;
}

/** The files of a certificate, PEM, and how long it must still be valid (spec section 9). */
export interface CertificateOptions {
  /** The leaf, and any intermediates after it. */
  readonly certFile: string;
  /** The private key of the leaf. */
  readonly keyFile: string;
  /** The CA; a self-signed leaf is its own. */
  readonly caFile: string;
  /** The private key of the CA: with it the device issues its own certificates. */
  readonly caKeyFile?: string;
  /** Refuses a certificate that is valid for less, 0 to 3650. Default 7. */
  readonly failWithinDays?: number;
  /** Warns of a certificate that is valid for less, 0 to 3650. Default: never. */
  readonly warnWithinDays?: number;
}

/** A precheck that passed, which is what the exit code 0 says. */
export interface PrecheckPassed extends Rehearsed {
  /** What was decided, and done. */
  readonly decision: DecisionKind;
  /** BootEpoch that the state root is in now: a whole number from 0. */
  readonly bootEpoch: number;
  /** Of the running OS. */
  readonly compositeHash: string;
  /** When the certificate ends, RFC 3339. */
  readonly certificateNotAfter: string;
  /**
   * How far the clock was believed: a time service has set it; it is not before the floor; it is
   * wrong, and the floor was used.
   */
  readonly timeVerdict: TimeVerdict;
  /** As it was asked for. */
  readonly mountCheckSkipped: boolean;
  /** The state root is on a read-only mount, and nothing had to be written. */
  readonly readOnly: boolean;
}

/**
 * One precheck (spec section 5): state root, recovery, certificate, OS change, reconstruction,
 * epoch. The same as `edged precheck`, but for this: the environment is not looked at, nothing is
 * printed, and a refusal is thrown. When it returns, all that it did is durable.
 *
 * @throws {@link PrecheckError} every code in docs/reasons.md but those of the gates
 * `slot` and `inspection`; `exitCodes[error.gate]` is the exit code that the command would have.
 */
export async function precheck(options: ConfigOptions | PartsOptions): Promise<PrecheckPassed> {
  return refusing(options, () =>
    onHost(options, async (host) => {
      const order = 'config' in options ? await orderFrom(options) : orderOfParts(options);
      const { progress } = options;
      const told = progress ? { ...order, progress } : order;
      const outcome = await runPrecheck(told, host, reportOf(options));
      const { decision, bootEpoch, compositeHash, certificateNotAfter } = outcome;
      const { timeVerdict, mountCheckSkipped, readOnly } = outcome;
      const done = { decision, bootEpoch, compositeHash, certificateNotAfter };
      return { ...done, timeVerdict, mountCheckSkipped, readOnly };
    }),
  );
}

async function orderFrom(options: ConfigOptions): Promise<PrecheckOrder> {
  const { config, stateRoot, baseDirectory } = options;
  if (config === undefined) throw withoutConfig();
  const name = 'options.config';
  const isFile = typeof config === 'string';
  const read = isFile ? await readConfig(config) : await parseConfig(textOf(config, name), name);
  const file = isFile ? config : name;
  const settings = {
    stateRoot: stateRoot === undefined ? undefined : path.resolve(stateRoot),
    skipMountCheck: options.skipMountCheck ?? false,
    credentialsDirectory: options.credentialsDirectory,
  };
  const args = {
    config: baseDirectory === undefined ? path.resolve(file) : path.resolve(baseDirectory, name),
    rotateCerts: options.rotateCertificates ?? false,
    rotationValidDays: options.rotationValidDays ?? defaults.rotationValidDays,
    lockWaitSeconds: options.lockWaitSeconds ?? defaults.lockWaitSeconds,
  };
  return precheckOrder(read, args, settings);
}

function textOf(config: ConfigDocument, name: string): string {
  try {
    return JSON.stringify(config, null, 2);
  } catch (error) {
    const problem = `${name} cannot be written as JSON`;
    throw new PrecheckError('config.usage', { problem, allowed: 'what JSON can say' }, error);
  }
}

function withoutConfig(): PrecheckError {
  return misuse('options.config', undefined, ['a config', 'stateRoot together with certificate']);
}

function orderOfParts(options: PartsOptions): PrecheckOrder {
  if (options.certificate === undefined) throw withoutConfig();
  const name = 'options.certificate';
  requireOptions(options.certificate, name);
  const { certFile, keyFile, caFile, caKeyFile, ...rule } = options.certificate;
  return {
    ...deviceOrderOf(options),
    certificate: {
      certFile: requiredPath(`${name}.certFile`, certFile),
      keyFile: requiredPath(`${name}.keyFile`, keyFile),
      caFile: requiredPath(`${name}.caFile`, caFile),
      caKeyFile: caKeyFile === undefined ? undefined : path.resolve(caKeyFile),
      failWithinDays: rule.failWithinDays ?? defaults.failWithinDays,
      warnWithinDays: rule.warnWithinDays,
      rotate: options.rotateCertificates ?? false,
      rotationValidDays: options.rotationValidDays ?? defaults.rotationValidDays,
    },
  };
}
