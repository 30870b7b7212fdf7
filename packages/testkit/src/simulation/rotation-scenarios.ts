/** Rotation of certificate and key while the power fails. They lie at the top of the state root. */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import type { CertificateOrder } from '@edged/precheck/certificate/certificate-gate';
import { issueSelfSigned } from '@edged/precheck/certificate/certificate-issue';
import type { CrashScenario } from './crash-exploration.ts';
import { noRotation } from '../device/plain-order.ts';
import type { Tree } from './sim-disk.ts';
import { type SimOs, simRoot } from './sim-host.ts';

const certificates = ['edge.crt', '.edged-rotation/edge.crt'] as const;
const keys = ['edge.key', '.edged-rotation/edge.key'] as const;

const order: CertificateOrder = {
  ...noRotation,
  certFile: `${simRoot}/edge.crt`,
  keyFile: `${simRoot}/edge.key`,
  caFile: `${simRoot}/edge.crt`,
  caKeyFile: `${simRoot}/edge.key`,
};

/** `settled` is the scenario of a matching boot: what else must hold. */
export async function rotationScenarios(
  settled: CrashScenario,
  issuedAt: number,
): Promise<CrashScenario[]> {
  const { certificatePem, keyPem } = await issueSelfSigned('edge-001', issuedAt, 3650);
  const initial = new Map([
    ...settled.initial,
    ['edge.crt', Buffer.from(certificatePem)],
    ['edge.key', Buffer.from(keyPem)],
  ] as const);
  const rotation = (name: string, isRepeated: boolean): CrashScenario => ({
    ...settled,
    name,
    initial,
    certificateAfter: (cuts) => ({ ...order, rotate: cuts === 0 || isRepeated }),
    afterSuccess: (tree: Tree, os: SimOs) => [
      ...settled.afterSuccess(tree, os),
      ...(belongTogether(tree, 'edge.crt', 'edge.key') ? [] : ['the pair does not match']),
      ...[...tree.keys()]
        .filter((file) => file.includes('.edged-rotation'))
        .map((file) => `left: ${file}`),
    ],
    always: (tree: Tree) => {
      const isWhole = certificates.some((cert) =>
        keys.some((key) => belongTogether(tree, cert, key)),
      );
      return [...settled.always(tree), ...(isWhole ? [] : ['no whole pair is left'])];
    },
  });
  return [
    rotation('certificate rotation', false),
    rotation('certificate rotation, asked for again after the cut', true),
  ];
}

function belongTogether(tree: Tree, cert: string, key: string): boolean {
  const [certPem, keyPem] = [tree.get(cert), tree.get(key)];
  if (!certPem || !keyPem) return false;
  try {
    return new X509Certificate(certPem).checkPrivateKey(createPrivateKey(Buffer.from(keyPem)));
  } catch {
    return false; // torn: OpenSSL throws for every text that is no PEM
  }
}
