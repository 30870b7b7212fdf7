/**
 * Issues certificates (ECDSA P-256). The one importer of `@peculiar/x509`, loaded only when asked.
 */
// oxlint-disable-next-line import/no-unassigned-import -- the library needs its side effect
import 'reflect-metadata';
import { createPrivateKey, webcrypto } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  PemConverter,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

export interface IssuedPair {
  readonly certificatePem: string;
  /** PKCS#8. */
  readonly keyPem: string;
}

/** What a successor keeps of the old certificate, and who signs it. PEM. */
export interface SuccessorOrder {
  readonly oldPem: string;
  readonly issuerPem: string;
  readonly issuerKeyPem: string;
  readonly nowMilliseconds: number;
  readonly validDays: number;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const dayMilliseconds = 86_400_000;
/** The clocks of those who will look at it differ. */
const backdatedMilliseconds = 3_600_000;

/** A certificate that is its own CA, valid from one hour before `nowMilliseconds`. */
export async function issueSelfSigned(
  commonName: string,
  nowMilliseconds: number,
  validDays: number,
): Promise<IssuedPair> {
  const keys = await newKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      name: `CN=${commonName}`,
      keys,
      notBefore: new Date(nowMilliseconds - backdatedMilliseconds),
      notAfter: new Date(nowMilliseconds + validDays * dayMilliseconds),
      signingAlgorithm: algorithm,
      extensions: [new BasicConstraintsExtension(true, undefined, true)],
    },
    webcrypto,
  );
  return toPair(certificate, keys);
}

/**
 * A new key and a certificate for it with the subject, the SANs and all else that the old one says
 * of the node, signed by the issuer. Ends no later than the issuer. Throws what the libraries
 * throw.
 */
export async function issueSuccessor(order: SuccessorOrder): Promise<IssuedPair> {
  const old = new X509Certificate(order.oldPem);
  const issuer = new X509Certificate(order.issuerPem);
  const signer = signerOf(order.issuerKeyPem);
  const keys = await newKeys();
  const issuerKeyId = issuer.getExtension(SubjectKeyIdentifierExtension)?.keyId;
  const certificate = await X509CertificateGenerator.create(
    {
      subject: old.subjectName,
      issuer: issuer.subjectName,
      publicKey: keys.publicKey,
      signingKey: await webcrypto.subtle.importKey('pkcs8', signer.pkcs8, signer.algorithm, false, [
        'sign',
      ]),
      signingAlgorithm: signer.algorithm,
      notBefore: new Date(order.nowMilliseconds - backdatedMilliseconds),
      notAfter: endOf(order, issuer),
      extensions: [
        ...old.extensions.filter(({ type }) => !ofTheOldKey.has(type)),
        await SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
        ...(issuerKeyId === undefined ? [] : [new AuthorityKeyIdentifierExtension(issuerKeyId)]),
      ],
    },
    webcrypto,
  );
  return toPair(certificate, keys);
}

/** As `issueSuccessor`, for a certificate that is its own CA: signed with its own new key. */
export async function issueOwnSuccessor(
  order: Omit<SuccessorOrder, 'issuerPem' | 'issuerKeyPem'>,
): Promise<IssuedPair> {
  const old = new X509Certificate(order.oldPem);
  const keys = await newKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      name: old.subjectName,
      keys,
      notBefore: new Date(order.nowMilliseconds - backdatedMilliseconds),
      notAfter: new Date(order.nowMilliseconds + order.validDays * dayMilliseconds),
      signingAlgorithm: algorithm,
      extensions: old.extensions.filter(({ type }) => !ofTheOldKey.has(type)),
    },
    webcrypto,
  );
  return toPair(certificate, keys);
}

/** Subject and authority key identifier (RFC 5280, 4.2.1.1 and 4.2.1.2). */
const ofTheOldKey = new Set(['2.5.29.14', '2.5.29.35']);

const curves: Readonly<Record<string, { namedCurve: string; hash: string }>> = {
  prime256v1: { namedCurve: 'P-256', hash: 'SHA-256' },
  secp384r1: { namedCurve: 'P-384', hash: 'SHA-384' },
  secp521r1: { namedCurve: 'P-521', hash: 'SHA-512' },
};

function signerOf(keyPem: string) {
  const key = createPrivateKey(keyPem);
  const pkcs8 = key.export({ format: 'der', type: 'pkcs8' });
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'ed25519') return { pkcs8, algorithm: { name: 'Ed25519' } };
  if (type === 'rsa') {
    return { pkcs8, algorithm: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' } };
  }
  const curve = type === 'ec' ? curves[details?.namedCurve ?? ''] : undefined;
  if (!curve) throw new Error(`cannot sign with a ${type} key ${details?.namedCurve ?? ''}`);
  return { pkcs8, algorithm: { name: 'ECDSA', ...curve } };
}

function endOf({ nowMilliseconds, validDays }: SuccessorOrder, issuer: X509Certificate): Date {
  const wanted = nowMilliseconds + validDays * dayMilliseconds;
  return new Date(Math.min(wanted, issuer.notAfter.getTime()));
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

async function toPair(
  certificate: X509Certificate,
  keys: webcrypto.CryptoKeyPair,
): Promise<IssuedPair> {
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    certificatePem: `${certificate.toString('pem')}\n`,
    keyPem: `${PemConverter.encode(pkcs8, 'PRIVATE KEY')}\n`,
  };
}
