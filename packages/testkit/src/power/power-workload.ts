/**
 * What the device does while the power rig records, and what must hold after a cut. Two files are
 * installed at every replacement; before each, both are old again, so that a half-done
 * installation shows.
 */
import fs from 'node:fs';
import path from 'node:path';
import { DiskError, type Host } from '@edged/host/host';
import { layout } from '@edged/model/layout';
import { loadSigningSeed, publicKeyOf, signBytes } from '@edged/model/manifest-signature';
import { type IssuedPair, issueSelfSigned } from '@edged/precheck/certificate/certificate-issue';
import { withDisk } from '../device/faults.ts';
import type { CommandLibrary } from '../mutants.ts';
import { noRotation, plainTrust } from '../device/plain-order.ts';

/** The state root, relative to the mount point. */
const stateRoot = 'edged';
const installed = ['runtime/bin/one', 'runtime/new/deep/two'] as const;
const newContent = (name: string): Buffer => Buffer.alloc(40_000, `new ${name} `);
const oldContent = (name: string): Buffer => Buffer.alloc(30_000, `old ${name} `);
const agentData = Buffer.alloc(10_000, 'a segment ');
const start = Date.parse('2027-01-01T00:00:00Z');
const pair: IssuedPair = await issueSelfSigned('edge-001', start, 3650);

/** Even acknowledgements: epoch n/2 was promised. Odd: the files are old again, all of them. */
export interface Promised {
  readonly epoch: number;
  readonly filesAreOld: boolean;
}

export function promisedBy(acknowledgement: number): Promised | undefined {
  if (acknowledgement < 0) return undefined;
  return { epoch: acknowledgement >> 1, filesAreOld: acknowledgement % 2 === 1 };
}

/** A state root as it leaves the factory. */
export async function prepareStateRoot(mountPoint: string): Promise<void> {
  const write = (name: string, bytes: Uint8Array): void => {
    const file = path.join(mountPoint, stateRoot, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, bytes);
  };
  const seed = loadSigningSeed(new Uint8Array(32).fill(9));
  const operations = installed.map((dst) => {
    const src = `runtime/binaries/${path.basename(dst)}`;
    write(src, newContent(dst));
    return { op: 'copy_binary', src, dst };
  });
  const manifest = Buffer.from(JSON.stringify({ version: '1', operations }));
  write('runtime/manifest.json', manifest);
  write('runtime/manifest.json.sig', signBytes(manifest, seed));
  write('identity/manifest-verify.pub', publicKeyOf(seed));
  write('edge/segments/0001.seg', agentData);
  write(installed[0], oldContent(installed[0]));
}

/**
 * A first run and `replacements` replacements, each acknowledged. Throws when one is refused.
 * `keepsResult`: the device is left to write its results.
 */
export async function liveThrough(
  mountPoint: string,
  replacements: number,
  library: CommandLibrary,
  keepsResult: boolean,
  acknowledge: (number: number) => void,
): Promise<void> {
  for (let epoch = 0; epoch <= replacements; epoch += 1) {
    await boot(mountPoint, epoch, library, keepsResult ? (host) => host : withoutResult);
    acknowledge(epoch * 2);
    if (epoch === replacements) return;
    for (const dst of installed) makeOld(path.join(mountPoint, stateRoot, dst));
    acknowledge(epoch * 2 + 1);
  }
}

/** Boots after a cut and says what is wrong. `sameOs`: the device came back with the OS before. */
export async function objectionsAfterCut(
  mountPoint: string,
  promised: Promised | undefined,
  replacements: number,
  sameOs: boolean,
  library: CommandLibrary,
): Promise<string[]> {
  const root = path.join(mountPoint, stateRoot);
  const torn = installed.filter((dst) => contentOf(root, dst) === 'torn');
  const next = promised === undefined ? 0 : Math.min(promised.epoch + 1, replacements);
  const running = sameOs && promised !== undefined ? promised.epoch : next;
  const objections = torn.map((dst) => `I4: ${dst} is torn`);
  const saved = savedEpoch(root);
  if (promised !== undefined && (saved ?? -1) < promised.epoch) {
    objections.push(`I4: epoch ${promised.epoch} was promised, ${saved ?? 'nothing'} is on disk`);
  }
  try {
    await boot(mountPoint, running, library);
  } catch (error) {
    return [...objections, `the next boot is refused: ${describe(error)}`];
  }
  const { epoch, current, previous, repaired } = readEpochs(root);
  const expected = running === next ? [next] : [running, running + 2];
  if (!expected.includes(epoch))
    objections.push(`I1: epoch ${epoch}, expected ${expected.join('/')}`);
  if (current !== epoch) objections.push(`I2: current is ${current} at epoch ${epoch}`);
  if (epoch > 0 && previous !== epoch - 1) objections.push(`I2: previous is ${previous}`);
  if (repaired) objections.push('the evidence was lost');
  const contents = installed.map((dst) => contentOf(root, dst));
  const settled =
    epoch > (promised?.epoch ?? 0)
      ? contents.every((content) => content === 'new')
      : !promised?.filesAreOld ||
        contents.every((content) => content === 'old' || content === 'absent');
  if (!settled) objections.push(`I4: at epoch ${epoch} the files are ${contents.join(', ')}`);
  if (!fs.readFileSync(path.join(root, 'edge/segments/0001.seg')).equals(agentData)) {
    objections.push('I3: the data of the agent has changed');
  }
  const names = fs.readdirSync(root, { recursive: true, encoding: 'utf8' });
  const leftovers = names.filter((name) => /transaction|\.precheck|epoch_\d/.test(name));
  if (leftovers.length > 0) objections.push(`I3: left over: ${leftovers.join(' ')}`);
  return objections;
}

/**
 * The result of a precheck is written after its last promise, and its fsync commits all that a
 * filesystem has not yet committed. A mutant must not be saved by it.
 */
const withoutResult = withDisk((disk) => ({
  createDirectory(directory: string, mode: number): void {
    if (directory === layout.resultStaging) throw new DiskError('mkdir', directory, 'EROFS');
    disk.createDirectory(directory, mode);
  },
}));

async function boot(
  mountPoint: string,
  epoch: number,
  library: CommandLibrary,
  wrapHost: (host: Host) => Host = (host) => host,
): Promise<void> {
  const files = new Map([
    ['/etc/edged/edge.crt', Buffer.from(pair.certificatePem)],
    ['/etc/edged/edge.key', Buffer.from(pair.keyPem)],
  ]);
  const real = library.linuxHost();
  const osRelease = Buffer.from(`ID=edgeos\nVERSION_ID=${epoch}\n`);
  const host: Host = {
    ...real,
    readFile: (file) => files.get(file),
    clock: { ...real.clock, wallMilliseconds: () => start + epoch * 86_400_000 },
    system: { ...real.system, readImageFile: () => osRelease },
  };
  const certificate = {
    certFile: '/etc/edged/edge.crt',
    keyFile: '/etc/edged/edge.key',
    caFile: '/etc/edged/edge.crt',
    ...noRotation,
  };
  const order = {
    stateRoot: {
      path: path.join(mountPoint, stateRoot),
      skipMountCheck: false,
      allowRootFilesystem: false,
      lockWaitMilliseconds: 0,
    },
    certificate,
    ...plainTrust,
  };
  await library.precheck(order, wrapHost(host), () => undefined);
}

/** Durably, as any careful program would. */
function makeOld(file: string): void {
  if (!fs.existsSync(file)) return; // not there yet is old, too
  const name = installed.find((dst) => file.endsWith(dst)) ?? '';
  const staging = `${file}.tmp`;
  fs.writeFileSync(staging, oldContent(name), { flush: true });
  fs.renameSync(staging, file);
  const fd = fs.openSync(path.dirname(file), 'r');
  fs.fsyncSync(fd);
  fs.closeSync(fd);
}

function contentOf(root: string, dst: string): 'old' | 'new' | 'torn' | 'absent' {
  const file = path.join(root, dst);
  if (!fs.existsSync(file)) return 'absent';
  const bytes = fs.readFileSync(file);
  if (bytes.equals(newContent(dst))) return 'new';
  return bytes.equals(oldContent(dst)) ? 'old' : 'torn';
}

function readEpochs(root: string): {
  epoch: number;
  current: number;
  previous: number | undefined;
  repaired: boolean;
} {
  interface Evidence {
    readonly os_fingerprint: { readonly boot_epoch: number };
    readonly repaired?: boolean;
  }
  const read = (name: string): unknown =>
    JSON.parse(fs.readFileSync(path.join(root, name), 'utf8')) as unknown;
  const { boot_epoch: epoch } = read('bootstrap/os_fingerprint.json') as { boot_epoch: number };
  const current = read('epoch/current/evidence.json') as Evidence;
  const hasPrevious = fs.existsSync(path.join(root, 'epoch/previous/evidence.json'));
  const previous = hasPrevious ? (read('epoch/previous/evidence.json') as Evidence) : undefined;
  return {
    epoch,
    current: current.os_fingerprint.boot_epoch,
    previous: previous?.os_fingerprint.boot_epoch,
    repaired: current.repaired === true,
  };
}

/** As the cut left it; undefined when there is no whole fingerprint. */
function savedEpoch(root: string): number | undefined {
  try {
    const text = fs.readFileSync(path.join(root, 'bootstrap/os_fingerprint.json'), 'utf8');
    return (JSON.parse(text) as { boot_epoch: number }).boot_epoch;
  } catch {
    return undefined; // absent or torn: the caller says so where it must not be
  }
}

function describe(error: unknown): string {
  const { code, details, message } = error as {
    code?: string;
    details?: unknown;
    message?: string;
  };
  return code === undefined ? String(message) : `${code} ${JSON.stringify(details)}`;
}
