/**
 * Runs precheck on a simulated disk, cuts the power after every step, runs it again on every state
 * that may be left, cuts that one too, and asserts spec I1 to I4 throughout. States that were seen
 * are not run twice: precheck is a function of disk, OS and clock.
 */
import { createHash } from 'node:crypto';
import { PrecheckError } from '@edged/model/failure';
import type { CertificateOrder } from '@edged/precheck/certificate/certificate-gate';
import type { PrecheckOrder } from '@edged/precheck/precheck';
import type { PrecheckOutcome } from '@edged/precheck/precheck-result';
import { type CutOptions, cutAfter } from './power-cut.ts';
import { SimDisk, type SimDiskFlaws, type SimDiskRules, type Tree } from './sim-disk.ts';
import { type SimOs, simHost } from './sim-host.ts';

export type Precheck = (
  order: PrecheckOrder,
  host: ReturnType<typeof simHost>,
  report: () => void,
) => Promise<PrecheckOutcome>;

export interface CrashScenario {
  readonly name: string;
  readonly initial: Tree;
  readonly os: SimOs;
  /** Other certificate files than the setting's, by the number of cuts before this boot. */
  readonly certificateAfter?: (cuts: number) => CertificateOrder;
  /** What may be running at the boot after a cut. */
  readonly nextOs: readonly SimOs[];
  readonly rules?: SimDiskRules;
  /** A repair: when it fails its promise stays, since there is nothing to go back to. */
  readonly isRepair?: boolean;
  /** What a hand or an update changes between the cut and the next boot. */
  readonly afterCut?: (tree: Tree) => Tree;
  /** What must hold whenever precheck has exited 0 on this OS; the reasons why it does not. */
  readonly afterSuccess: (tree: Tree, os: SimOs) => readonly string[];
  /** What must hold in whatever a cut leaves. */
  readonly always: (tree: Tree) => readonly string[];
}

export interface ExplorationOptions extends CutOptions {
  /** Cuts in a row: 2 cuts the recovery, 3 the recovery of the recovery. */
  readonly depth: number;
  /** Of the states that a cut leaves all are run; one in so many is cut again. 1: all of them. */
  readonly oneIn: number;
  readonly flaws?: SimDiskFlaws;
  readonly order: PrecheckOrder;
  /** Files outside the state root, by absolute path. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly precheck: Precheck;
  /** Ends at the first violation: what a mutant needs. */
  readonly stopAtFirst?: boolean;
}

export interface Exploration {
  readonly runs: number;
  /** Points at which the power was cut: steps of all runs. */
  readonly crashPoints: number;
  /** Different states that were left, over all points. */
  readonly states: number;
  /** Points at which not every subset of pending changes was tried. */
  readonly sampledPoints: number;
  /** Runs that were not cut, for `oneIn`. */
  readonly notCutAgain: number;
  readonly violations: readonly string[];
}

interface Visit {
  readonly tree: Tree;
  readonly os: SimOs;
  readonly cuts: number;
  readonly path: string;
  /** Whether this run is cut at every point. */
  readonly isCut: boolean;
}

export async function explore(
  scenario: CrashScenario,
  options: ExplorationOptions,
): Promise<Exploration> {
  const seen = new Set<string>();
  const violations: string[] = [];
  const queue: Visit[] = [
    { tree: scenario.initial, os: scenario.os, cuts: 0, path: '', isCut: true },
  ];
  const totals = { runs: 0, crashPoints: 0, sampledPoints: 0, notCutAgain: 0 };
  // the queue grows while it is walked: fewer cuts first
  for (const visit of queue) {
    if (options.stopAtFirst && violations.length > 0) break;
    const complain = (what: string): void => {
      violations.push(`${scenario.name}${visit.path}: ${what}`);
    };
    const disk = await run(visit, scenario, options, complain);
    totals.runs += 1;
    if (visit.cuts >= options.depth) continue;
    if (!visit.isCut) {
      totals.notCutAgain += 1;
      continue;
    }
    for (let count = 0; count <= disk.steps.length; count += 1) {
      totals.crashPoints += 1;
      const { states, exhaustive } = cutAfter(disk, count, options);
      if (!exhaustive) totals.sampledPoints += 1;
      const label = disk.steps[count - 1]?.label ?? 'the start';
      const finished = count === disk.steps.length;
      for (const tree of states) {
        const place = `${visit.path} | cut after ${count} (${label})`;
        const broken = scenario.always(tree);
        const lost = finished ? scenario.afterSuccess(tree, visit.os) : [];
        for (const what of [...broken, ...lost]) {
          violations.push(`${scenario.name}${place}: ${what}`);
        }
        const found = scenario.afterCut?.(tree) ?? tree;
        for (const os of scenario.nextOs) {
          const key = keyOf(found, os);
          if (seen.has(key)) continue;
          seen.add(key);
          queue.push({
            tree: found,
            os,
            cuts: visit.cuts + 1,
            path: place,
            isCut: isChosen(key, options),
          });
        }
      }
    }
  }
  return { ...totals, states: seen.size, violations };
}

async function run(
  visit: Visit,
  scenario: CrashScenario,
  { precheck, order, files, flaws }: ExplorationOptions,
  complain: (what: string) => void,
): Promise<SimDisk> {
  const disk = new SimDisk(visit.tree, flaws, scenario.rules);
  try {
    const certificate = scenario.certificateAfter?.(visit.cuts) ?? order.certificate;
    await precheck({ ...order, certificate }, simHost(disk, visit.os, files), () => undefined);
    for (const what of scenario.afterSuccess(disk.tree(), visit.os)) complain(what);
  } catch (error) {
    if (error instanceof PrecheckError) {
      complain(`exit for ${error.code}: ${JSON.stringify(error.details)}`);
    } else complain(`defect: ${String(error)}`);
  }
  return disk;
}

/** The same seed, the same choice. */
function isChosen(key: string, { oneIn, seed }: ExplorationOptions): boolean {
  return (Buffer.from(key, 'base64').readUInt32LE(0) ^ seed) % oneIn === 0;
}

export function keyOf(tree: Tree, os: SimOs): string {
  const hash = createHash('sha1').update(`${os.osRelease}\0${os.kernelRelease}\0`);
  for (const [path, bytes] of tree) {
    hash.update(`${path}\0${bytes?.length ?? 'directory'}\0`);
    if (bytes) hash.update(bytes);
  }
  return hash.digest('base64');
}
