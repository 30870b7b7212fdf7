/**
 * The certificate gate, in order: finish a rotation that was cut off, rotate when it is asked for
 * or due, check what stands there then.
 */
import type { Host } from '@edged/host/host';
import {
  type CertificateFiles,
  type ValidityRule,
  checkPair,
  millisecondsLeft,
  notAfter,
  parseChain,
  readPair,
  readPem,
} from './certificate.ts';
import { refusingAs } from '../state-root/disk-failure.ts';
import { parentOf } from '../state-root/durable.ts';
import type { Report } from '../event.ts';
import type { StateRoot } from '../state-root/state-root.ts';
import type { TrustedTime } from '../trust/trusted-time.ts';

export interface CertificateOrder extends CertificateFiles, ValidityRule {
  /** The key of the CA; undefined: this device cannot issue certificates. */
  readonly caKeyFile: string | undefined;
  /** `--rotate-certs`: now, whether or not it is due. */
  readonly rotate: boolean;
  readonly rotationValidDays: number;
}

export interface CertificateSituation {
  readonly stateRoot: StateRoot;
  readonly host: Host;
  readonly time: TrustedTime;
}

/**
 * Beside the files that are to be replaced, holding what replaces them under the same names; there
 * only while a rotation is at work or was cut off.
 */
export const rotationDirectory = '.edged-rotation';

/** Until when the certificate is valid, RFC 3339. Throws `certificate.*`. */
export async function passCertificateGate(
  order: CertificateOrder,
  situation: CertificateSituation,
  report: Report,
): Promise<string> {
  const { host, time, stateRoot } = situation;
  const mayWrite = !stateRoot.readOnly;
  if (mayWrite && wasCutOff(order, host)) {
    const { finishRotation } = await import('./certificate-rotation.ts');
    await host.prepareToWrite();
    finishRotation(order, situation, report);
  }
  if (order.rotate || (!stateRoot.readOnly && isDue(order, host, time))) {
    const { rotate } = await import('./certificate-rotation.ts');
    await rotate(order, situation, report);
  }
  const pair = readPair(order, host);
  checkPair(pair, order, order, time, report);
  return notAfter(pair.leaf).toISOString();
}

/** A rotation was begun and not ended: the next precheck ends it. */
export function wasCutOff({ certFile, keyFile }: CertificateFiles, host: Host): boolean {
  const directories = new Set([certFile, keyFile].map(parentOf));
  return [...directories].some((directory) =>
    refusingAs(
      'certificate.unreadable',
      {},
      () => host.inspectDirectory(`${directory}/${rotationDirectory}`) !== undefined,
    ),
  );
}

/** A device that can issue does so before it would warn or fail. */
function isDue(order: CertificateOrder, host: Host, time: TrustedTime): boolean {
  if (order.caKeyFile === undefined) return false;
  const { leaf } = parseChain(readPem(order.certFile, host), order.certFile);
  const days = Math.max(order.failWithinDays, order.warnWithinDays ?? 0);
  return millisecondsLeft(leaf, time) <= days * 86_400_000;
}
