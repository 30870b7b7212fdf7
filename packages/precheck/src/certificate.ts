/**
 * The certificate gate (spec section 9, exit 3): the pair can be read, belongs together, comes
 * from the configured CA, is valid now and for more than seven days to come.
 */
import { type KeyObject, X509Certificate, createPrivateKey } from 'node:crypto';
import type { Host } from '@edged/host/host';
import { type FailureDetail, PrecheckError } from '@edged/model/failure';
import { refusingAs } from './disk-failure.ts';
import type { TrustedTime } from './trusted-time.ts';

/** Absolute paths of PEM files. */
export interface CertificateOrder {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
}

const pemLimitBytes = 1024 * 1024;
const certificatePem = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const encryptedPem = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m;
const leastValidityMilliseconds = 7 * 24 * 60 * 60 * 1000;
/** An issuer of an issuer …: deeper than any real chain, and an end to a loop. */
const deepestChain = 8;

export function checkCertificate(order: CertificateOrder, host: Host, time: TrustedTime): void {
  const [leaf, ...intermediates] = readCertificates(order.certFile, host);
  const authorities = readCertificates(order.caFile, host);
  const key = readPrivateKey(order.keyFile, host);
  if (!leaf.checkPrivateKey(key)) {
    throw new PrecheckError('certificate.key_mismatch', {
      cert: order.certFile,
      key: order.keyFile,
    });
  }
  const issuers = chainOf(leaf, intermediates, authorities);
  if (!issuers) {
    const detail = { cert: order.certFile, ca: order.caFile, issuer: oneLine(leaf.issuer) };
    throw new PrecheckError('certificate.ca_mismatch', detail);
  }
  for (const certificate of [leaf, ...issuers]) requireValid(certificate, order, time);
  const left = leaf.validToDate.getTime() - time.milliseconds;
  if (left <= leastValidityMilliseconds) {
    const days = Math.floor((left / 86_400_000) * 10) / 10;
    const detail = { ...validity(leaf, order, time), days_left: days };
    throw new PrecheckError('certificate.expires_soon', detail);
  }
}

function readCertificates(path: string, host: Host): [X509Certificate, ...X509Certificate[]] {
  const text = readPem(path, host);
  try {
    const [first, ...more] = (text.match(certificatePem) ?? []).map(
      (pem) => new X509Certificate(pem),
    );
    if (first) return [first, ...more];
  } catch (error) {
    const found = (error as Error).message;
    throw new PrecheckError('certificate.malformed', { file: path, found }, error);
  }
  throw new PrecheckError('certificate.malformed', { file: path, found: 'no PEM certificate' });
}

function readPrivateKey(path: string, host: Host): KeyObject {
  const text = readPem(path, host);
  if (encryptedPem.test(text)) throw new PrecheckError('certificate.key_encrypted', { file: path });
  try {
    return createPrivateKey(text);
  } catch (error) {
    // OpenSSL's words ("unsupported", "no start line") name no secret
    const found = (error as Error).message;
    throw new PrecheckError('certificate.key_malformed', { file: path, found }, error);
  }
}

function readPem(path: string, host: Host): string {
  const bytes = refusingAs('certificate.unreadable', {}, () => host.readFile(path, pemLimitBytes));
  if (!bytes) throw new PrecheckError('certificate.unreadable', { file: path, errno: 'ENOENT' });
  return Buffer.from(bytes).toString('latin1');
}

/** The issuers up to one of the authorities; undefined when there is no such way. */
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

function requireValid(
  certificate: X509Certificate,
  order: CertificateOrder,
  time: TrustedTime,
): void {
  const detail = validity(certificate, order, time);
  if (certificate.validToDate.getTime() < time.milliseconds) {
    throw new PrecheckError('certificate.expired', detail);
  }
  if (certificate.validFromDate.getTime() > time.milliseconds) {
    throw new PrecheckError('certificate.not_yet_valid', detail);
  }
}

function validity(
  certificate: X509Certificate,
  order: CertificateOrder,
  time: TrustedTime,
): FailureDetail {
  return {
    cert: order.certFile,
    subject: oneLine(certificate.subject),
    not_before: certificate.validFromDate.toISOString(),
    not_after: certificate.validToDate.toISOString(),
    now: time.text,
    time_from: time.verdict,
  };
}

function oneLine(name: string | undefined): string {
  return (name ?? '').split('\n').join(', ');
}
