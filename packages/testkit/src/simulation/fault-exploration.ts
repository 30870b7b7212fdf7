/**
 * A disk that refuses: every call of a run fails once, from then on, or from then on in epoch/
 * alone (a directory that is append-only, or another mount), and one in `oneIn` of the failed runs
 * is cut at every step as well. A run that fails must have changed nothing (spec section 5), but
 * what cannot be taken back; whatever it leaves, the next boot puts right.
 */
import { type Disk, DiskError } from '@edged/host/host';
import { PrecheckError } from '@edged/model/failure';
import { layout } from '@edged/model/layout';
import { parseOsFingerprint } from '@edged/model/os-fingerprint';
import { type CrashScenario, type ExplorationOptions, keyOf } from './crash-exploration.ts';
import { cutAfter } from './power-cut.ts';
import { SimDisk, type SimDiskRules, type Tree } from './sim-disk.ts';
import { type SimOs, simHost } from './sim-host.ts';

export interface FaultExploration {
  /** Runs in which a call was refused. */
  readonly faults: number;
  /** Of those, the runs that failed for it. */
  readonly refusals: number;
  /** Boots after a fault, or after a cut of a run with one. */
  readonly boots: number;
  readonly violations: readonly string[];
}

interface Fault {
  /** Which call of the disk, from 0. */
  readonly call: number;
  readonly stays: boolean;
  /** Only what begins with this fails, and is counted. */
  readonly within: string;
}

const ways: readonly Omit<Fault, 'call'>[] = [
  { stays: false, within: '' },
  { stays: true, within: '' },
  { stays: true, within: `${layout.epochs}/` },
];

const changing = new Set([
  'createFile',
  'copyFile',
  'createDirectory',
  'link',
  'rename',
  'removeFile',
  'removeDirectory',
  'syncDirectory',
]);
const looking = new Set(['readFile', 'scanFile', 'list', 'status']);

export async function exploreFaults(
  scenario: CrashScenario,
  options: ExplorationOptions,
): Promise<FaultExploration> {
  const totals = { faults: 0, refusals: 0, boots: 0 };
  const violations: string[] = [];
  const seen = new Set<string>();
  const bootNext = async (tree: Tree, place: string): Promise<void> => {
    for (const os of scenario.nextOs) {
      const key = keyOf(tree, os);
      if (seen.has(key)) continue;
      seen.add(key);
      totals.boots += 1;
      const next = await runWith(undefined, tree, os, scenario.rules, options);
      const objections =
        next.verdict === 'passed'
          ? scenario.afterSuccess(next.disk.tree(), os)
          : [`then ${next.verdict}`];
      for (const what of objections) violations.push(`${scenario.name} | ${place}: ${what}`);
    }
  };
  for (const calls of [changing, looking]) {
    for (const way of calls === changing ? ways : ways.slice(0, 1)) {
      for (let call = 0; ; call += 1) {
        if (options.stopAtFirst && violations.length > 0) return { ...totals, violations };
        const fault = { ...way, calls, call };
        const { initial, os, rules } = scenario;
        const run = await runWith(fault, initial, os, rules, options);
        if (run.hit === undefined) break;
        totals.faults += 1;
        const { stays, within } = way;
        const place = `${stays ? 'from' : 'at'} call ${call} (${run.hit}) ${within}`;
        const { disk, verdict } = run;
        if (verdict !== 'passed') totals.refusals += 1;
        const canBeUndone = !stays || within !== '';
        const isUndone = verdict !== 'passed' && canBeUndone && scenario.isRepair !== true;
        const mustBeAsBefore = isUndone && !isCounted(scenario, disk.tree());
        const objections = [
          ...(verdict.startsWith('defect') ? [verdict] : []),
          ...(verdict === 'passed' ? scenario.afterSuccess(disk.tree(), scenario.os) : []),
          ...(mustBeAsBefore ? differences(scenario.initial, disk.tree(), within) : []),
        ].filter((what) => !(verdict === 'passed' && what.startsWith('I3: left over')));
        for (const what of objections) violations.push(`${scenario.name} | ${place}: ${what}`);
        const isCut = calls === changing && (call + options.seed) % options.oneIn === 0;
        const cuts = isCut ? disk.steps.length : 0;
        for (let count = 0; count < cuts; count += 1) {
          const label = disk.steps[count - 1]?.label ?? 'the start';
          for (const tree of cutAfter(disk, count, options).states) {
            for (const what of scenario.always(tree)) violations.push(`${place}, cut: ${what}`);
            await bootNext(tree, `${place}, cut after ${count} (${label})`);
          }
        }
        await bootNext(disk.tree(), place);
      }
    }
  }
  return { ...totals, violations };
}

interface Run {
  readonly disk: SimDisk;
  /** `passed`, a reason, or `defect: …`. */
  readonly verdict: string;
  /** The call that was refused; undefined when the run made fewer calls. */
  readonly hit: string | undefined;
}

async function runWith(
  fault: (Fault & { readonly calls: ReadonlySet<string> }) | undefined,
  tree: Tree,
  os: SimOs,
  rules: SimDiskRules | undefined,
  { precheck, order, files, flaws }: ExplorationOptions,
): Promise<Run> {
  const disk = new SimDisk(tree, flaws, rules);
  let hit: string | undefined;
  let made = 0;
  const refuse = (name: string, target: unknown): void => {
    if (!fault?.calls.has(name) || !String(target).startsWith(fault.within)) return;
    const call = made++;
    if (call !== fault.call && !(fault.stays && call > fault.call)) return;
    hit ??= `${name} ${String(target)}`;
    throw new DiskError(name, String(target), 'EIO');
  };
  const faulty = new Proxy(disk, {
    get(target, name: keyof Disk) {
      return (...operands: never[]): unknown => {
        refuse(name, operands[0]);
        return Reflect.apply(target[name], target, operands);
      };
    },
  });
  const host = { ...simHost(disk, os, files), openDisk: () => faulty };
  try {
    await precheck(order, host, () => undefined);
    return { disk, verdict: 'passed', hit };
  } catch (error) {
    const verdict = error instanceof PrecheckError ? error.code : `defect: ${String(error)}`;
    return { disk, verdict, hit };
  }
}

/** The fingerprint is that of the new epoch: there is only forward from here. */
function isCounted({ initial }: CrashScenario, tree: Tree): boolean {
  return epochIn(tree) !== epochIn(initial);
}

function epochIn(tree: Tree): number | undefined {
  const bytes = tree.get(layout.fingerprint);
  return bytes && parseOsFingerprint(bytes)?.bootEpoch;
}

/**
 * Files that are not as they were; the result of the failed run aside, and what refuses for good
 * (`within`), for the sake of which the promise stays.
 */
function differences(before: Tree, after: Tree, within: string): string[] {
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths].flatMap((path) => {
    const [one, other] = [before.get(path), after.get(path)];
    if (path === layout.lastResult || path.startsWith(layout.resultStaging)) return [];
    const isRefused = path.startsWith(within) || path.startsWith(layout.transaction);
    if (within !== '' && isRefused) return [];
    const isSame = one && other ? Buffer.from(one).equals(other) : one === other;
    return isSame ? [] : [`a failed run has changed ${path}`];
  });
}
