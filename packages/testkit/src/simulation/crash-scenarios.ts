/** The scenarios of the simulated rung: where the device stands when the power begins to fail. */
import type { BootEpoch } from '@edged/model/boot-epoch';
import { type EpochEvidence, parseEpochEvidence, sameEpoch } from '@edged/model/epoch-evidence';
import { newestEntry, parseEpochHistory } from '@edged/model/epoch-history';
import { layout, stateRootDirectories } from '@edged/model/layout';
import { loadSigningSeed, publicKeyOf, signBytes } from '@edged/model/manifest-signature';
import { compositeHash, parseOsFingerprint } from '@edged/model/os-fingerprint';
import { issueSelfSigned } from '@edged/precheck/certificate/certificate-issue';
import type { PrecheckOrder } from '@edged/precheck/precheck';
import type { CrashScenario, Precheck } from './crash-exploration.ts';
import { rotationScenarios } from './rotation-scenarios.ts';
import { SimDisk, type Tree } from './sim-disk.ts';
import { noRotation, plainTrust } from '../device/plain-order.ts';
import { type SimOs, simHost, simRoot } from './sim-host.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const start = Date.parse('2027-01-01T00:00:00Z');
const day = 86_400_000;

function os(name: string, boot: number): SimOs {
  return {
    osRelease: `ID=edgeos\nVERSION_ID=${name}\n`,
    kernelRelease: `6.1.0-${name}`,
    wallMilliseconds: start + boot * day,
  };
}

const [osA, osB, osC] = [os('a', 1), os('b', 2), os('c', 3)];
const agentData = new Map([
  ['edge/segments/0001.seg', bytes('a segment')],
  ['edge/relay/relay.db', bytes('a database')],
]);

/** A file that the manifest installs: its bytes before and after. */
interface Installed {
  readonly dst: string;
  readonly before: Uint8Array | undefined;
  readonly after: Uint8Array;
}

export interface CrashSetting {
  readonly scenarios: readonly CrashScenario[];
  readonly order: PrecheckOrder;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

export async function crashSetting(precheck: Precheck): Promise<CrashSetting> {
  const { certificatePem, keyPem } = await issueSelfSigned('edge-001', start, 3650);
  const files = new Map([
    ['/etc/edged/edge.crt', bytes(certificatePem)],
    ['/etc/edged/edge.key', bytes(keyPem)],
  ]);
  const order: PrecheckOrder = {
    stateRoot: {
      path: simRoot,
      skipMountCheck: false,
      allowRootFilesystem: false,
      lockWaitMilliseconds: 0,
    },
    certificate: {
      certFile: '/etc/edged/edge.crt',
      keyFile: '/etc/edged/edge.key',
      caFile: '/etc/edged/edge.crt',
      ...noRotation,
    },
    ...plainTrust,
  };
  const live = async (tree: Tree, running: SimOs): Promise<Tree> => {
    const disk = new SimDisk(tree);
    await precheck(order, simHost(disk, running, files), () => undefined);
    return disk.tree();
  };
  return { scenarios: await build(live), order, files };
}

async function build(live: (tree: Tree, os: SimOs) => Promise<Tree>): Promise<CrashScenario[]> {
  const [empty, one, five] = [installing(0), installing(1), installing(5)];
  const bare = await live(empty.tree, osA);
  const single = await live(one.tree, osA);
  const many = await live(five.tree, osA);
  const rotated = await live(await live(single, osB), osA);
  const match = scenario('match', bare, osA, { epochs: [[osA, 0]] });
  return [
    scenario('first run', empty.tree, osA, { epochs: [[osA, 0]] }),
    scenario('first run on an empty partition', agentOnly(), osA, { epochs: [[osA, 0]] }),
    match,
    ...(await rotationScenarios(match, start)),
    scenario('reconstruction, 0 operations', bare, osB, { epochs: [[osB, 1]] }),
    ...replacements(one, single, five, many),
    ...losses(one, single, rotated),
  ];
}

type Prepared = ReturnType<typeof installing>;

function replacements(one: Prepared, single: Tree, five: Prepared, many: Tree): CrashScenario[] {
  const previousOf = new Map([[2, osB]]);
  const back = scenario(
    'back to the old OS during recovery',
    many,
    osB,
    {
      epochs: [
        [osA, 0],
        [osA, 2],
      ],
      previousOf,
      installed: five.installed,
    },
    [osA],
  );
  return [
    scenario('reconstruction, 1 operation', single, osB, {
      epochs: [[osB, 1]],
      installed: one.installed,
    }),
    scenario('reconstruction, 5 operations', many, osB, {
      epochs: [[osB, 1]],
      installed: five.installed,
    }),
    scenario(
      'second replacement during recovery',
      single,
      osB,
      {
        epochs: [
          [osC, 1],
          [osC, 2],
        ],
        previousOf,
        installed: one.installed,
      },
      [osC],
    ),
    back,
    {
      ...back,
      name: 'back to the old OS, which knows another key',
      afterCut: signedByAnother,
    },
    {
      ...scenario('another key since the cut', many, osB, {
        epochs: [[osB, 1]],
        installed: five.installed,
      }),
      afterCut: signedByAnother,
    },
  ];
}

function losses(one: Prepared, single: Tree, rotated: Tree): CrashScenario[] {
  const installed = unchanged(one.installed);
  return [
    scenario('rotation with a previous', rotated, osC, { epochs: [[osC, 3]], installed }),
    scenario('lost fingerprint', without(single, layout.fingerprint), osA, {
      epochs: [[osA, 1]],
      installed: one.installed,
    }),
    {
      ...scenario('lost evidence', without(rotated, layout.currentEpoch), osA, {
        epochs: [[osA, 2]],
        installed,
        mayBeRepaired: true,
      }),
      isRepair: true,
    },
    scenario('an epoch that was edited', withEpoch(rotated, 1), osA, {
      epochs: [[osA, 2]],
      installed,
    }),
    scenario('an OS that was counted, and not saved', unsaved(rotated, osB, 1), osA, {
      epochs: [[osA, 2]],
      installed,
    }),
    scenario('evidence of the original, complete but not renamed', halfRotated(rotated), osA, {
      epochs: [[osA, 2]],
      installed,
    }),
  ];
}

function scenario(
  name: string,
  initial: Tree,
  running: SimOs,
  expected: Expectation,
  nextOs: readonly SimOs[] = [running],
): CrashScenario {
  return {
    name,
    initial,
    os: running,
    nextOs,
    afterSuccess: (tree, now) => objectionsAfterSuccess(tree, now, expected),
    always: (tree) => objectionsAlways(tree, initial, expected.installed ?? []),
  };
}

interface Expectation {
  /** The epochs that a successful precheck on this OS may end at. */
  readonly epochs: readonly (readonly [SimOs, number])[];
  /** For an epoch: the OS that the epoch before it must be of. */
  readonly previousOf?: ReadonlyMap<number, SimOs>;
  readonly installed?: readonly Installed[];
  readonly mayBeRepaired?: boolean;
}

function objectionsAfterSuccess(tree: Tree, now: SimOs, expected: Expectation): string[] {
  const objections: string[] = [];
  const stored = parse(tree, layout.fingerprint, parseOsFingerprint);
  const current = parse(tree, `${layout.currentEpoch}/evidence.json`, parseEpochEvidence);
  const previous = parse(tree, `${layout.previousEpoch}/evidence.json`, parseEpochEvidence);
  const history = parse(tree, layout.history, parseEpochHistory);
  if (!stored || !current) return ['fingerprint or evidence is missing or torn'];
  const epoch = stored.bootEpoch;
  const allowed = expected.epochs.filter(([running]) => running === now).map(([, each]) => each);
  const isAllowed = allowed.length === 0 || allowed.includes(epoch);
  if (!isAllowed) objections.push(`I1: epoch ${epoch}, expected ${allowed.join(' or ')}`);
  if (stored.compositeHash !== hashOf(now)) objections.push('I2: fingerprint is of another OS');
  if (!sameEpoch(stored, current.osFingerprint)) objections.push('I2: current disagrees');
  if (!expected.mayBeRepaired && isRepaired(current)) objections.push('the evidence was lost');
  objections.push(...objectionsToPrevious(epoch, previous, expected));
  if (newestEntry(history ?? [])?.bootEpoch !== epoch) objections.push('I1: history disagrees');
  const leftovers = [...tree.keys()].filter((path) => /transaction|epoch_\d/.test(path));
  if (leftovers.length > 0) objections.push(`I3: left over: ${leftovers.join(' ')}`);
  const files = (expected.installed ?? []).map(({ dst, before, after }) => {
    const found = tree.get(dst);
    return { isOld: same(found, before), isNew: same(found, after) };
  });
  const wantsNew = epoch > 0;
  const settled = wantsNew ? files.every(({ isNew }) => isNew) : files.every(({ isOld }) => isOld);
  if (!settled)
    objections.push(`I4: at epoch ${epoch} files are not all ${wantsNew ? 'new' : 'old'}`);
  return objections;
}

function objectionsToPrevious(
  epoch: BootEpoch,
  previous: EpochEvidence | undefined,
  { previousOf, mayBeRepaired }: Expectation,
): string[] {
  if (epoch === 0) return [];
  if (previous?.osFingerprint.bootEpoch !== epoch - 1) {
    return [`I2: previous is ${previous?.osFingerprint.bootEpoch ?? 'missing'} at epoch ${epoch}`];
  }
  const before = previousOf?.get(epoch);
  const isRight = !before || previous.osFingerprint.compositeHash === hashOf(before);
  const objections = isRight ? [] : ['I2: previous is of another OS'];
  if (!mayBeRepaired && isRepaired(previous)) objections.push('the previous evidence was lost');
  return objections;
}

function objectionsAlways(tree: Tree, initial: Tree, installed: readonly Installed[]): string[] {
  const objections: string[] = [];
  for (const [path, data] of agentData) {
    if (initial.has(path) && !same(tree.get(path), data)) objections.push(`I3: ${path} changed`);
  }
  for (const { dst, before, after } of installed) {
    const found = tree.get(dst);
    if (!same(found, before) && !same(found, after)) objections.push(`I4: ${dst} is torn`);
  }
  return objections;
}

/** A state root whose manifest installs this many files, every other one over an old file. */
function installing(count: number): { tree: Tree; installed: readonly Installed[] } {
  const tree = new Map<string, Uint8Array | undefined>(agentOnly());
  for (const directory of [...stateRootDirectories, 'runtime/bin']) tree.set(directory, undefined);
  const installed = Array.from({ length: count }, (_, index) => ({
    // odd ones go to a directory that is not there yet
    dst: index % 2 === 0 ? `runtime/bin/file-${index}` : `runtime/new/deep/file-${index}`,
    before: index % 2 === 0 ? bytes(`old ${index}`) : undefined,
    after: bytes(`the new file ${index}`),
  }));
  for (const [index, { dst, before, after }] of installed.entries()) {
    if (before) tree.set(dst, before);
    tree.set(`${layout.binaries}/file-${index}`, after);
  }
  const operations = installed.map(({ dst }, index) => ({
    op: 'copy_binary',
    src: `${layout.binaries}/file-${index}`,
    dst,
  }));
  const manifest = bytes(JSON.stringify({ version: '1', operations }));
  tree.set(layout.manifest, manifest);
  return { tree: signedBy(7, tree), installed };
}

/** The manifest signed by the key of this number, and that key the one that counts. */
function signedBy(key: number, tree: Tree): Tree {
  const seed = loadSigningSeed(new Uint8Array(32).fill(key));
  const manifest = tree.get(layout.manifest) ?? new Uint8Array();
  const signed = [
    [layout.signature, signBytes(manifest, seed)],
    [layout.verifyKey, publicKeyOf(seed)],
  ] as const;
  return new Map([...tree, ...signed]);
}

/** What an interrupted reconstruction was signed with counts no more. */
function signedByAnother(tree: Tree): Tree {
  return signedBy(8, tree);
}

/**
 * The files as they are once a reconstruction has installed them: nothing is to change any more.
 */
function unchanged(installed: readonly Installed[]): Installed[] {
  return installed.map(({ dst, after }) => ({ dst, before: after, after }));
}

function agentOnly(): Tree {
  return new Map<string, Uint8Array | undefined>([
    ['edge', undefined],
    ['edge/relay', undefined],
    ['edge/segments', undefined],
    ...agentData,
  ]);
}

function without(tree: Tree, path: string): Tree {
  const isBelow = (name: string): boolean => name === path || name.startsWith(`${path}/`);
  return new Map([...tree].filter(([name]) => !isBelow(name)));
}

/** The stored epoch edited by hand. */
function withEpoch(tree: Tree, epoch: number): Tree {
  return new Map([...tree, [layout.fingerprint, edited(tree, { boot_epoch: epoch })]]);
}

/** The fingerprint of the epoch before, beside the evidence of the newest. */
function unsaved(tree: Tree, before: SimOs, epoch: number): Tree {
  const changes = {
    boot_epoch: epoch,
    composite_hash: hashOf(before),
    os_release: before.osRelease,
    uname_release: before.kernelRelease,
  };
  return new Map([...tree, [layout.fingerprint, edited(tree, changes)]]);
}

function edited(tree: Tree, changes: Readonly<Record<string, unknown>>): Uint8Array {
  const stored = JSON.parse(Buffer.from(tree.get(layout.fingerprint) ?? []).toString()) as object;
  return bytes(JSON.stringify({ ...stored, ...changes }));
}

/**
 * As the original leaves it between its renames: fingerprint saved, `current` already `previous`.
 */
function halfRotated(tree: Tree): Tree {
  const renamed = [...tree].map(([name, data]) => {
    const moved = name.replace(/^epoch\/current/, 'epoch/epoch_1800000000000000000.tmp');
    return [moved, data] as const;
  });
  return new Map(renamed);
}

function hashOf({ osRelease, kernelRelease }: SimOs): string {
  const release = bytes(osRelease);
  return compositeHash({ etcOsRelease: release, usrLibOsRelease: release, kernelRelease });
}

function isRepaired({ more }: EpochEvidence): boolean {
  return more['repaired'] === true;
}

function parse<Document>(
  tree: Tree,
  path: string,
  read: (data: Uint8Array) => Document | undefined,
): Document | undefined {
  const data = tree.get(path);
  return data && read(data);
}

function same(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  if (!one || !other) return one === other;
  return Buffer.from(one).equals(other);
}
