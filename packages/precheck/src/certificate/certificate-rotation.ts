/**
 * Rotation of the node's certificate and key as a pair (spec section 9). Two files cannot be
 * renamed at once, so the pair is brought over in an order from which every interruption can be
 * finished:
 *
 *   write   .edged-rotation/{key,cert}   each synced, then their names, then the directory's
 *   rename  .edged-rotation/key  → key   name synced: from here on the new pair will be
 *   rename  .edged-rotation/cert → cert  name synced
 *   remove  .edged-rotation
 *
 * A cut between the renames leaves a new key beside the old certificate, and the certificate that
 * belongs to it in .edged-rotation. `finishRotation` asks which files belong together, not which
 * step came last; it runs before anything looks at the pair, and precheck runs before the agent.
 *
 * The CA signs only what it has signed before: the identity in a certificate that it never issued
 * gets no successor.
 */
import type { X509Certificate } from 'node:crypto';
import { type Disk, DiskError, type Host, type Owner } from '@edged/host/host';
import { PrecheckError } from '@edged/model/failure';
import {
  type CertificateOrder,
  type CertificateSituation,
  rotationDirectory,
} from './certificate-gate.ts';
import type { IssuedPair } from './certificate-issue.ts';
import {
  type CertificateChain,
  type CertificateFiles,
  checkPair,
  notAfter,
  parseChain,
  parsePrivateKey,
  pemLimitBytes,
  readAuthorities,
  readPem,
  requireIssued,
} from './certificate.ts';
import { parentOf, removeTree } from '../state-root/durable.ts';
import type { Report } from '../event.ts';

/** One of the two files, in its directory. */
interface Place {
  readonly disk: Disk;
  readonly name: string;
}

/** Throws `certificate.rotation_failed`; then the old pair is as it was. */
export async function rotate(
  order: CertificateOrder,
  { stateRoot, host, time }: CertificateSituation,
  report: Report,
): Promise<void> {
  try {
    if (stateRoot.readOnly) throw new Error('the state root is on a read-only mount');
    await host.prepareToWrite();
    stateRoot.lock();
    const old = parseChain(readPem(order.certFile, host), order.certFile);
    const issued = await issue(order, old, host, time.milliseconds);
    const next = await checked(issued, order, host, time);
    const detail = {
      cert: order.certFile,
      subject: next.leaf.subject.split('\n').join(', '),
      not_after: notAfter(next.leaf).toISOString(),
    };
    const oldKey = textOf(host.readFile(order.keyFile, pemLimitBytes));
    withPlaces(order, host, (cert, key) => replacePair(cert, key, issued, oldKey));
    report('edge.certificate.rotated', detail);
  } catch (error) {
    if (error instanceof PrecheckError && error.gate === 'state_root') throw error;
    throw rotationFailed(error);
  }
}

/** Brings an interrupted rotation to its end, forward where a whole new pair is there. */
export function finishRotation(
  order: CertificateOrder,
  { stateRoot, host }: CertificateSituation,
  report: Report,
): void {
  stateRoot.lock();
  const read = (file: string): string | undefined => textOf(host.readFile(file, pemLimitBytes));
  const [certText, keyText] = [read(order.certFile), read(order.keyFile)];
  const [newCert, newKey] = [read(stagedFor(order.certFile)), read(stagedFor(order.keyFile))];
  const isWhole = matches(certText, keyText);
  const forward = {
    cert: !isWhole && (matches(newCert, keyText) || matches(newCert, newKey)),
    key: !isWhole && !matches(newCert, keyText) && matches(newCert ?? certText, newKey),
  };
  try {
    withPlaces(order, host, (cert, key) => {
      if (forward.key) bring(key);
      if (forward.cert) bring(cert);
      sweep(cert, key);
    });
  } catch (error) {
    throw rotationFailed(error);
  }
  report('edge.certificate.rotation_finished', {
    cert: order.certFile,
    found: forward.cert || forward.key ? 'brought to its end' : 'leftovers removed',
  });
}

function stagedFor(file: string): string {
  return `${parentOf(file)}/${rotationDirectory}/${file.slice(file.lastIndexOf('/') + 1)}`;
}

/** Renames the staged file into its place, durably. */
function bring({ disk, name }: Place): void {
  disk.rename(`${rotationDirectory}/${name}`, name);
  disk.syncDirectory('');
}

function sweep(...places: readonly Place[]): void {
  for (const { disk } of places) {
    if (!disk.status(rotationDirectory)) continue;
    removeTree(disk, rotationDirectory);
    disk.syncDirectory('');
  }
}

/** Throws with the old pair in place, unless the disk refuses even to put it back. */
function replacePair(
  cert: Place,
  key: Place,
  issued: IssuedPair,
  oldKey: string | undefined,
): void {
  sweep(cert, key);
  try {
    stageFile(key, issued.keyPem, 0o600);
    stageFile(cert, issued.certificatePem, 0o644);
    for (const { disk } of [key, cert]) {
      disk.syncDirectory(rotationDirectory);
      disk.syncDirectory('');
    }
    key.disk.rename(`${rotationDirectory}/${key.name}`, key.name);
  } catch (error) {
    sweep(cert, key);
    throw error;
  }
  try {
    key.disk.syncDirectory('');
    cert.disk.rename(`${rotationDirectory}/${cert.name}`, cert.name);
  } catch (error) {
    // a cut in here leaves the new key with its certificate beside it, or the old pair
    if (oldKey !== undefined) {
      stageFile(key, oldKey, 0o600);
      bring(key);
    }
    sweep(cert, key);
    throw error;
  }
  cert.disk.syncDirectory('');
  sweep(cert, key);
}

/** With the owner and the mode of the file that it replaces: the agent must be able to read it. */
function stageFile({ disk, name }: Place, pem: string, mode: number): void {
  const old = disk.status(name);
  const staged = `${rotationDirectory}/${name}`;
  if (!disk.status(rotationDirectory)) disk.createDirectory(rotationDirectory, 0o700);
  disk.createFile(staged, Buffer.from(pem), old?.mode ?? mode);
  const owner = disk.status(staged)?.owner;
  if (old && owner && !isSame(old.owner, owner)) disk.changeOwner(staged, old.owner);
}

function isSame(one: Owner, other: Owner): boolean {
  return one.userId === other.userId && one.groupId === other.groupId;
}

function withPlaces(
  { certFile, keyFile }: CertificateFiles,
  host: Host,
  act: (cert: Place, key: Place) => void,
): void {
  const cert = open(certFile, host);
  try {
    const key = open(keyFile, host);
    try {
      act(cert, key);
    } finally {
      key.disk.close();
    }
  } finally {
    cert.disk.close();
  }
}

function open(file: string, host: Host): Place {
  const directory = host.inspectDirectory(parentOf(file) || '/');
  if (!directory) throw new DiskError('open', parentOf(file), 'ENOENT');
  const disk = host.openDisk(directory.canonicalPath);
  const name = file.slice(file.lastIndexOf('/') + 1);
  const kind = disk.status(name)?.kind;
  if (kind === 'file' || kind === undefined) return { disk, name };
  disk.close();
  throw new Error(`${file} is a ${kind}; only a regular file can be replaced durably`);
}

async function issue(
  order: CertificateOrder,
  old: CertificateChain,
  host: Host,
  nowMilliseconds: number,
): Promise<IssuedPair> {
  const { caKeyFile, certFile, caFile, rotationValidDays: validDays } = order;
  if (caKeyFile === undefined) throw new Error('transport.ca_key_file is not configured');
  const authorities = readAuthorities(caFile, host);
  requireIssued(old, authorities, order);
  const keyPem = readPem(caKeyFile, host);
  const caKey = parsePrivateKey(keyPem, caKeyFile);
  const oldPem = old.leaf.toString();
  const { issueOwnSuccessor, issueSuccessor } = await import('./certificate-issue.ts');
  if (caFile === certFile && old.leaf.checkPrivateKey(caKey)) {
    if (caKeyFile !== order.keyFile) {
      throw new Error('a certificate that is its own CA has one key: key_file and ca_key_file');
    }
    return issueOwnSuccessor({ oldPem, nowMilliseconds, validDays });
  }
  const candidates: readonly X509Certificate[] = [...old.intermediates, ...authorities];
  const issuer = candidates.find((candidate) => candidate.checkPrivateKey(caKey));
  if (!issuer) throw new Error(`${caKeyFile} is the key of no certificate in ca_file`);
  const issued = await issueSuccessor({
    oldPem,
    issuerPem: issuer.toString(),
    issuerKeyPem: keyPem,
    nowMilliseconds,
    validDays,
  });
  const chain = old.intermediates.map((certificate) => certificate.toString()).join('');
  return { ...issued, certificatePem: issued.certificatePem + chain };
}

/** The new pair as the gate would judge it, before anything is written. */
async function checked(
  { certificatePem, keyPem }: IssuedPair,
  order: CertificateOrder,
  host: Host,
  time: CertificateSituation['time'],
): Promise<CertificateChain> {
  const chain = parseChain(certificatePem, order.certFile);
  const key = parsePrivateKey(keyPem, order.keyFile);
  const isOwnAuthority = order.caFile === order.certFile;
  const authorities = isOwnAuthority ? [chain.leaf] : readAuthorities(order.caFile, host);
  checkPair({ ...chain, authorities, key }, order, order, time, () => undefined);
  return chain;
}

function matches(certText: string | undefined, keyText: string | undefined): boolean {
  if (certText === undefined || keyText === undefined) return false;
  try {
    return parseChain(certText, '').leaf.checkPrivateKey(parsePrivateKey(keyText, ''));
  } catch (error) {
    if (error instanceof PrecheckError) return false;
    throw error;
  }
}

function textOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes && Buffer.from(bytes).toString('latin1');
}

function rotationFailed(error: unknown): PrecheckError {
  if (error instanceof PrecheckError) {
    const { message, details } = error;
    const detail = { found: message, ...details[0] };
    return new PrecheckError('certificate.rotation_failed', detail, error);
  }
  const found = error instanceof Error ? error.message : String(error);
  return new PrecheckError('certificate.rotation_failed', { found }, error);
}
