/**
 * The rules for the node's certificate (spec section 9, exit 3): the pair can be read, belongs
 * together, comes from the configured CA, is valid now and for longer than the config asks: by
 * default for more than seven days to come.
 */
import { type KeyObject, X509Certificate, createPrivateKey } from 'node:crypto';
import type { Host } from '@edged/host/host';
import { type FailureDetail, PrecheckError } from '@edged/model/failure';
import { refusingAs } from '../state-root/disk-failure.ts';
import type { Report } from '../event.ts';
import type { TrustedTime } from '../trust/trusted-time.ts';

/** Absolute paths of PEM files. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
}

export interface ValidityRule {
  /** Exit 3 when the leaf has no more than this left. */
  readonly failWithinDays: number;
  /** A warning when it has no more than this left. */
  readonly warnWithinDays: number | undefined;
}

/** A certificate file: the node's own certificate, and what leads from it to a CA. */
export interface CertificateChain {
  readonly leaf: X509Certificate;
  readonly intermediates: readonly X509Certificate[];
}

export interface CertificatePair extends CertificateChain {
  readonly authorities: readonly X509Certificate[];
  readonly key: KeyObject;
}

export const pemLimitBytes = 1024 * 1024;
const certificatePem = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const encryptedPem = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m;
const dayMilliseconds = 86_400_000;
/** An issuer of an issuer …: deeper than any real chain, and an end to a loop. */
const deepestChain = 8;

/** Throws `certificate.unreadable`, `.malformed`, `.key_malformed`, `.key_encrypted`. */
export function readPair(files: CertificateFiles, host: Host): CertificatePair {
  const chain = parseChain(readPem(files.certFile, host), files.certFile);
  const authorities = readAuthorities(files.caFile, host);
  const key = parsePrivateKey(readPem(files.keyFile, host), files.keyFile);
  return { ...chain, authorities, key };
}

export function readAuthorities(caFile: string, host: Host): readonly X509Certificate[] {
  const { leaf, intermediates } = parseChain(readPem(caFile, host), caFile);
  return [leaf, ...intermediates];
}

/** Whatever else stands in the file, before, between or after the PEM blocks, is passed over. */
export function parseChain(text: string, file: string): CertificateChain {
  const malformed = (found: string, cause?: unknown): PrecheckError =>
    new PrecheckError('certificate.malformed', { file, found }, cause);
  const blocks = text.match(certificatePem) ?? [];
  let certificates: X509Certificate[];
  try {
    certificates = blocks.map((pem) => new X509Certificate(pem));
  } catch (error) {
    throw malformed((error as Error).message, error);
  }
  const [leaf, ...intermediates] = certificates;
  if (!leaf) throw malformed('no PEM certificate');
  for (const certificate of certificates) {
    const isPeriod = notBefore(certificate).getTime() <= notAfter(certificate).getTime();
    if (!isPeriod) throw malformed('a validity that is no period of time');
  }
  return { leaf, intermediates };
}

export function parsePrivateKey(text: string, file: string): KeyObject {
  if (encryptedPem.test(text)) throw new PrecheckError('certificate.key_encrypted', { file });
  try {
    return createPrivateKey(text);
  } catch (error) {
    // OpenSSL's words ("unsupported", "no start line") name no secret
    const found = (error as Error).message;
    throw new PrecheckError('certificate.key_malformed', { file, found }, error);
  }
}

export function readPem(path: string, host: Host): string {
  const bytes = refusingAs('certificate.unreadable', {}, () => host.readFile(path, pemLimitBytes));
  if (!bytes) throw new PrecheckError('certificate.unreadable', { file: path, errno: 'ENOENT' });
  return Buffer.from(bytes).toString('latin1');
}

/** Throws `certificate.*`; says what the time cannot prove. */
export function checkPair(
  pair: CertificatePair,
  files: CertificateFiles,
  rule: ValidityRule,
  time: TrustedTime,
  report: Report,
): void {
  if (!pair.leaf.checkPrivateKey(pair.key)) {
    const detail = { cert: files.certFile, key: files.keyFile };
    throw new PrecheckError('certificate.key_mismatch', detail);
  }
  const issuers = requireIssued(pair, pair.authorities, files);
  for (const certificate of [pair.leaf, ...issuers]) {
    requireValid(certificate, files, time, report);
  }
  const left = millisecondsLeft(pair.leaf, time);
  const detail = {
    ...validity(pair.leaf, files, time),
    days_left: Math.floor((left / dayMilliseconds) * 10) / 10,
  };
  if (left <= rule.failWithinDays * dayMilliseconds) {
    const limit = { limit_days: rule.failWithinDays };
    throw new PrecheckError('certificate.expires_soon', { ...detail, ...limit });
  }
  if (rule.warnWithinDays !== undefined && left <= rule.warnWithinDays * dayMilliseconds) {
    report('edge.certificate.expires', detail);
  }
}

/**
 * The start and the end of the validity; an invalid date where the certificate holds no time. Read
 * from the text that OpenSSL prints: `validFromDate` and `validToDate` came with Node.js 22.10.
 */
export function notBefore({ validFrom }: X509Certificate): Date {
  return new Date(validFrom);
}

export function notAfter({ validTo }: X509Certificate): Date {
  return new Date(validTo);
}

export function millisecondsLeft(leaf: X509Certificate, time: TrustedTime): number {
  return notAfter(leaf).getTime() - time.milliseconds;
}

/** The issuers of the leaf, up to one of the authorities. Throws `certificate.ca_mismatch`. */
export function requireIssued(
  { leaf, intermediates }: CertificateChain,
  authorities: readonly X509Certificate[],
  { certFile, caFile }: CertificateFiles,
): readonly X509Certificate[] {
  const issuers = chainOf(leaf, intermediates, authorities);
  if (issuers) return issuers;
  const detail = { cert: certFile, ca: caFile, issuer: oneLine(leaf.issuer) };
  throw new PrecheckError('certificate.ca_mismatch', detail);
}

/** Undefined when no issuer leads to an authority. */
function chainOf(
  leaf: X509Certificate,
  intermediates: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
): X509Certificate[] | undefined {
  const chain: X509Certificate[] = [];
  let subject = leaf;
  while (chain.length < deepestChain) {
    const authority = authorities.find((candidate) => hasIssued(candidate, subject));
    if (authority)
      return authority.fingerprint256 === leaf.fingerprint256 ? chain : [...chain, authority];
    const issuer = intermediates.find((candidate) => hasIssued(candidate, subject));
    if (!issuer || chain.includes(issuer)) return undefined;
    chain.push(issuer);
    subject = issuer;
  }
  return undefined;
}

function hasIssued(issuer: X509Certificate, subject: X509Certificate): boolean {
  return subject.checkIssued(issuer) && subject.verify(issuer.publicKey);
}

/**
 * What has ended has ended, by a time that has passed for certain. What has not begun, or has ended
 * only by a clock that nobody believes, is said and let pass: the clock is the likelier culprit.
 */
function requireValid(
  certificate: X509Certificate,
  files: CertificateFiles,
  time: TrustedTime,
  report: Report,
): void {
  const detail = validity(certificate, files, time);
  const ends = notAfter(certificate).getTime();
  if (ends < time.milliseconds) throw new PrecheckError('certificate.expired', detail);
  if (time.verdict === 'implausible' && ends < time.clockMilliseconds) {
    report('edge.certificate.expiry_unproven', detail);
  }
  if (notBefore(certificate).getTime() <= time.milliseconds) return;
  if (time.verdict === 'synchronised') {
    throw new PrecheckError('certificate.not_yet_valid', detail);
  }
  report('edge.certificate.validity_unproven', detail);
}

function validity(
  certificate: X509Certificate,
  { certFile }: CertificateFiles,
  time: TrustedTime,
): FailureDetail {
  return {
    cert: certFile,
    subject: oneLine(certificate.subject),
    not_before: notBefore(certificate).toISOString(),
    not_after: notAfter(certificate).toISOString(),
    now: time.text,
    time_verdict: time.verdict,
  };
}

function oneLine(name: string | undefined): string {
  return (name ?? '').split('\n').join(', ');
}
