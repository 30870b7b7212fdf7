/**
 * Issues certificates (ECDSA P-256). The one importer of `@peculiar/x509`, loaded only when asked.
 */
// oxlint-disable-next-line import/no-unassigned-import -- the library needs its side effect
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { X509CertificateGenerator, BasicConstraintsExtension, PemConverter } from '@peculiar/x509';

export interface IssuedPair {
  readonly certificatePem: string;
  /** PKCS#8. */
  readonly keyPem: string;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const daySeconds = 86_400;

/** A certificate that is its own CA, valid from one hour before `nowMilliseconds`. */
export async function issueSelfSigned(
  commonName: string,
  nowMilliseconds: number,
  validDays: number,
): Promise<IssuedPair> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      name: `CN=${commonName}`,
      keys,
      notBefore: new Date(nowMilliseconds - 3_600_000),
      notAfter: new Date(nowMilliseconds + validDays * daySeconds * 1000),
      signingAlgorithm: algorithm,
      extensions: [new BasicConstraintsExtension(true, undefined, true)],
    },
    webcrypto,
  );
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    certificatePem: `${certificate.toString('pem')}\n`,
    keyPem: `${PemConverter.encode(pkcs8, 'PRIVATE KEY')}\n`,
  };
}
