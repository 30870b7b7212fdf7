/**
 * What TypeScript refuses at a call of the API is refused in JavaScript too, as `config.usage`: the
 * mistake is the caller's, and not a defect. An option that is not known is passed over.
 */
import path from 'node:path';
import { PrecheckError } from '@edged/model/failure';
import type { DetectOptions } from './detect-os-update.ts';
import type { CertificateOptions, ConfigOptions, PartsOptions } from './precheck.ts';

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

/** Throws `config.usage` where an option is of another type than it has. */
export function requireOptions(options: unknown, name = 'options'): void {
  if (kindOf(options) !== 'object') throw misuse(name, options, ['object']);
  for (const [key, value] of Object.entries(options as object)) {
    const allowed: readonly string[] = Object.hasOwn(kinds, key) ? kinds[key as keyof Known] : [];
    if (value === undefined || allowed.length === 0) continue;
    if (!allowed.includes(kindOf(value))) throw misuse(`${name}.${key}`, value, allowed);
  }
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
