/** What must hold in a scenario of the simulated rung: spec I1 to I4, looked at from outside. */
import type { BootEpoch } from '@edged/model/boot-epoch';
import { type EpochEvidence, parseEpochEvidence, sameEpoch } from '@edged/model/epoch-evidence';
import { newestEntry, parseEpochHistory } from '@edged/model/epoch-history';
import { layout } from '@edged/model/layout';
import { compositeHash, parseOsFingerprint } from '@edged/model/os-fingerprint';
import type { CrashScenario } from './crash-exploration.ts';
import type { Tree } from './sim-disk.ts';
import type { SimOs } from './sim-host.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
/** When the oldest of the systems was built. */
export const firstBoot = Date.parse('2027-01-01T00:00:00Z');
const day = 86_400_000;

function os(name: string, boot: number): SimOs {
  return {
    osRelease: `ID=edgeos\nVERSION_ID=${name}\n`,
    kernelRelease: `6.1.0-${name}`,
    wallMilliseconds: firstBoot + boot * day,
  };
}

export const [osA, osB, osC] = [os('a', 1), os('b', 2), os('c', 3)];
export const agentData = new Map([
  ['edge/segments/0001.seg', bytes('a segment')],
  ['edge/relay/relay.db', bytes('a database')],
]);

/** A file that the manifest installs: its bytes before and after. */
export interface Installed {
  readonly dst: string;
  readonly before: Uint8Array | undefined;
  readonly after: Uint8Array;
}

export function scenario(
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

export interface Expectation {
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
  const leftovers = [...tree.keys()].filter((path) => /transaction|epoch_\d|\.tmp/.test(path));
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

export function hashOf({ osRelease, kernelRelease }: SimOs): string {
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
