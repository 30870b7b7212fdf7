/**
 * What an option of the API is: its type, the range of a number, the shape of what is made of
 * parts. Anything else is `config.usage`: the mistake is the caller's, and not a defect. What the
 * functions of a host or a listener do is not looked at. An unknown option is passed over.
 */
import path from 'node:path';
import { PrecheckError } from '@edged/model/failure';
import { daysLeft } from '../defaults.ts';
import { isWithin, precheckOptions } from '../command-line/options.ts';
import type { DetectOptions } from './detect-os-update.ts';
import type { CertificateOptions, ConfigOptions, PartsOptions } from './precheck.ts';
import { type Shape, shapes } from './shapes.ts';

type Kind = 'string' | 'boolean' | 'number' | 'function' | 'object';
type Known = ConfigOptions & PartsOptions & DetectOptions & CertificateOptions;

const kinds = {
  baseDirectory: ['string'],
  caFile: ['string'],
  caKeyFile: ['string'],
  certFile: ['string'],
  certificate: ['object'],
  config: ['string', 'object'],
  credentialsDirectory: ['string'],
  allowRootFilesystem: ['boolean'],
  dryRun: ['boolean'],
  edgeDomainId: ['string'],
  expectedLabel: ['string'],
  expectedUuid: ['string'],
  failWithinDays: ['number'],
  files: ['object'],
  fingerprint: ['object'],
  host: ['object'],
  kernelCommandLine: ['string'],
  kernelRelease: ['string'],
  keyFile: ['string'],
  lockWaitSeconds: ['number'],
  osRoot: ['string'],
  profile: ['string'],
  progress: ['function'],
  report: ['function'],
  requireKeyring: ['boolean'],
  rotateCertificates: ['boolean'],
  rotationValidDays: ['number'],
  skipMountCheck: ['boolean'],
  stateRoot: ['string'],
  synchronizedMarker: ['string'],
  verifyKeyDigest: ['string'],
  warnWithinDays: ['number'],
} as const satisfies Record<keyof Known, readonly Kind[]>;

type NumberName = {
  [Name in keyof typeof kinds]: (typeof kinds)[Name] extends readonly ['number'] ? Name : never;
}[keyof typeof kinds];

/** The same as of the command line and the config. */
const ranges = new Map<string, readonly [number, number]>(
  Object.entries({
    failWithinDays: daysLeft,
    lockWaitSeconds: precheckOptions['lock-wait-seconds'].range,
    rotationValidDays: precheckOptions['rotation-valid-days'].range,
    warnWithinDays: daysLeft,
  } satisfies Record<NumberName, readonly [number, number]>),
);

/** Throws `config.usage` where an option is of another type than it has, or out of its range. */
export function requireOptions(options: unknown, name = 'options'): void {
  if (kindOf(options) !== 'object') throw misuse(name, options, ['object']);
  for (const [key, allowed] of Object.entries<readonly string[]>(kinds)) {
    const value = (options as Readonly<Record<string, unknown>>)[key]; // an inherited one counts
    if (value === undefined) continue;
    if (!allowed.includes(kindOf(value))) throw misuse(`${name}.${key}`, value, allowed);
    requireShape(`${name}.${key}`, value, shapes.get(key));
    const range = ranges.get(key);
    if (range) requireRange(`${name}.${key}`, Number(value), range);
  }
}

function requireShape(name: string, value: unknown, shape: Shape | undefined): void {
  if (!shape || shape.fits(value)) return;
  const problem = `${name} is of another shape`;
  throw new PrecheckError('config.usage', { problem, allowed: shape.allowed });
}

/** No comparison with `NaN` holds, and so none is passed on. */
function requireRange(name: string, value: number, range: readonly [number, number]): void {
  if (isWithin({ range }, value)) return;
  const allowed = `a number from ${range[0]} to ${range[1]}`;
  throw new PrecheckError('config.usage', { problem: `${name} is ${value}`, allowed });
}

/** The absolute path of an option that must be given; throws `config.usage`. */
export function requiredPath(name: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return path.resolve(value);
  throw misuse(name, value, ['path']);
}

export function misuse(name: string, value: unknown, allowed: readonly string[]): PrecheckError {
  const found = value === '' ? 'empty' : kindOf(value);
  const problem = value === undefined ? `${name} is missing` : `${name} is ${found}`;
  return new PrecheckError('config.usage', { problem, allowed: allowed.join(' or ') });
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : typeof value;
}
