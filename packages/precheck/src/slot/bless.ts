/**
 * Commits the running slot: only when precheck succeeded in this boot, and the agent was healthy
 * for a window of time without a break. Then, in this order: the records are checked, the boot
 * loader is told, and the evidence of this OS becomes the committed one. A cut in between is made
 * good at the next boot, which comes through here again.
 */
import type { Disk, Host, Tools } from '@edged/host/host';
import { present } from '@edged/model/decision';
import { type EpochEvidence, sameEpoch, serializeEpochEvidence } from '@edged/model/epoch-evidence';
import { PrecheckError } from '@edged/model/failure';
import { evidenceName, layout } from '@edged/model/layout';
import { replaceRecord } from '../change.ts';
import { refusingAs } from '../state-root/disk-failure.ts';
import { ensureDirectory } from '../state-root/durable.ts';
import type { Report } from '../event.ts';
import { beginTransaction, endTransaction, transaction } from '../state-root/journal.ts';
import { type PrecheckResult, readResult } from '../precheck-result.ts';
import { readEvidence, readRecords } from '../state-root/records.ts';
import { commandsToBless, readSlotWithTools } from './slot.ts';
import { type StateRoot, type StateRootOrder, openStateRoot } from '../state-root/state-root.ts';
import { hasUnfinishedWork } from '../state-root/unfinished-work.ts';

/** All that are given must hold. */
export interface HealthOrder {
  /** GET must answer 200 to 299. */
  readonly url: string | undefined;
  /** Must be active, and not have been restarted within the window. */
  readonly unit: string | undefined;
  /** Absolute path of a program; must exit with 0. */
  readonly command: string | undefined;
  /** How long it has to hold without a break. */
  readonly windowMilliseconds: number;
  readonly intervalMilliseconds: number;
  /** After this the agent is unhealthy. */
  readonly timeoutMilliseconds: number;
}

export interface BlessOrder {
  readonly stateRoot: StateRootOrder;
  /** Of the precheck of this boot. */
  readonly resultFile: string;
  readonly health: HealthOrder;
}

/** Of one question, to the agent or to the boot loader. */
const questionMilliseconds = 10_000;

/** Throws `slot.*` and `state_root.*`. */
export async function bless(
  order: BlessOrder,
  host: Host,
  tools: Tools,
  report: Report,
): Promise<void> {
  requirePassed(order, host);
  await waitUntilHealthy(order.health, host, tools);
  const result = requirePassed(order, host); // it may have been run again meanwhile
  await host.prepareToWrite();
  const stateRoot = openStateRoot(order.stateRoot, host, report);
  try {
    const evidence = requireEvidence(stateRoot, result);
    const commit = prepareCommit(stateRoot, evidence, report);
    await tellBootLoader(host, tools, report);
    commit();
  } finally {
    stateRoot.close();
  }
}

async function tellBootLoader(host: Host, tools: Tools, report: Report): Promise<void> {
  const slot = await readSlotWithTools(host, tools);
  const command = commandsToBless[slot.adapter];
  const [program, ...args] = command;
  // RAUC counts tries of good slots as well, where its boot loader does
  if (program === undefined || (slot.adapter === 'systemd-boot' && slot.trial === 'no')) return;
  const { exitCode, problem } = await tools.run(program, args, questionMilliseconds);
  if (exitCode !== 0) {
    throw new PrecheckError('slot.not_marked', { command: command.join(' '), found: problem });
  }
  report('edge.slot.blessed', { adapter: slot.adapter, slot: slot.name ?? '' });
}

function requirePassed({ resultFile: file, stateRoot }: BlessOrder, host: Host): PrecheckResult {
  const result = readResult(file, host);
  const objection = !result
    ? 'there is no result'
    : result.bootId !== host.system.bootId()
      ? 'the result is of another boot'
      : !result.passed
        ? `exit ${result.exitCode}, ${result.reason}`
        : result.stateRoot === stateRoot.path
          ? undefined
          : `it is about the state root ${result.stateRoot}`;
  if (result && objection === undefined) return result;
  throw new PrecheckError('slot.precheck_not_passed', { file, found: objection ?? '' });
}

async function waitUntilHealthy(health: HealthOrder, host: Host, tools: Tools): Promise<void> {
  const now = (): number => Number(host.clock.monotonicNanoseconds() / 1_000_000n);
  const started = now();
  let healthySince: number | undefined;
  let lastProblem = '';
  let invocation = '';
  for (;;) {
    const left = started + health.timeoutMilliseconds - now();
    const limit = Math.max(Math.min(left, questionMilliseconds), leastMilliseconds);
    const { problem, run } = await probe(health, tools, limit);
    if (problem !== undefined || run !== invocation) healthySince = undefined;
    invocation = run;
    lastProblem = problem ?? lastProblem;
    const time = now();
    if (problem === undefined) healthySince ??= time;
    if (healthySince !== undefined && time - healthySince >= health.windowMilliseconds) return;
    if (time - started >= health.timeoutMilliseconds) {
      throw new PrecheckError('slot.agent_unhealthy', {
        found: lastProblem || 'it was healthy, but not for the whole window',
        window_seconds: health.windowMilliseconds / 1000,
        waited_seconds: Math.round((time - started) / 1000),
      });
    }
    host.clock.sleep(health.intervalMilliseconds);
  }
}

/** Also the last question, at the end of the time, is given a chance. */
const leastMilliseconds = 1000;

/** What is wrong, if anything; and which run of the unit it was that was looked at. */
async function probe(
  { url, unit, command }: HealthOrder,
  tools: Tools,
  limitMilliseconds: number,
): Promise<{ readonly problem: string | undefined; readonly run: string }> {
  let run = '';
  if (unit !== undefined) {
    const args = ['show', '--property=ActiveState,InvocationID', unit];
    const { exitCode, stdout, problem } = await tools.run('systemctl', args, limitMilliseconds);
    run = /^InvocationID=(.*)$/m.exec(stdout)?.[1] ?? '';
    const state = /^ActiveState=(.*)$/m.exec(stdout)?.[1] ?? problem;
    if (exitCode !== 0 || state !== 'active') return { problem: `${unit} is ${state}`, run };
  }
  if (url !== undefined) {
    const status = await tools.httpStatus(url, limitMilliseconds);
    const isGood = typeof status === 'number' && status >= 200 && status < 300;
    if (!isGood) return { problem: `${url}: ${status}`, run };
  }
  if (command !== undefined) {
    const { exitCode, problem } = await tools.run(command, [], limitMilliseconds);
    const ended = exitCode === undefined ? problem : `exit ${exitCode}`;
    if (exitCode !== 0) return { problem: `${command}: ${ended}`, run };
  }
  return { problem: undefined, run };
}

/** The evidence of this OS, in records that are as precheck left them. */
function requireEvidence(stateRoot: StateRoot, result: PrecheckResult): EpochEvidence {
  const { current, fingerprint } = readRecords(stateRoot.disk);
  const evidence = present(current);
  const stored = present(fingerprint);
  const isInOrder =
    evidence !== undefined &&
    stored !== undefined &&
    sameEpoch(evidence.osFingerprint, stored) &&
    stored.compositeHash === result.compositeHash &&
    !hasUnfinishedWork(stateRoot);
  if (isInOrder) return evidence;
  const found = 'the records are not as precheck leaves them';
  throw new PrecheckError('slot.precheck_not_passed', { state_root: stateRoot.path, found });
}

/** What can refuse does so now. `epoch/committed` then shows what `epoch/current` shows. */
function prepareCommit(stateRoot: StateRoot, evidence: EpochEvidence, report: Report): () => void {
  const { disk } = stateRoot;
  if (stateRoot.readOnly || isCommitted(disk, evidence)) return () => undefined;
  stateRoot.lock();
  return () => {
    refusingAs('state_root.io_error', {}, () => replaceCommitted(disk, evidence));
    report('edge.slot.evidence_committed', { boot_epoch: evidence.osFingerprint.bootEpoch });
  };
}

function isCommitted(disk: Disk, evidence: EpochEvidence): boolean {
  const committed = present(readEvidence(disk, layout.committedEpoch));
  return (
    committed !== undefined &&
    sameEpoch(committed.osFingerprint, evidence.osFingerprint) &&
    committed.rotatedAt === evidence.rotatedAt
  );
}

/** What a cut leaves of it the next precheck sweeps. */
function replaceCommitted(disk: Disk, evidence: EpochEvidence): void {
  beginTransaction(disk);
  ensureDirectory(disk, layout.committedEpoch);
  const file = `${layout.committedEpoch}/${evidenceName}`;
  replaceRecord(disk, transaction.committed, file, serializeEpochEvidence(evidence));
  endTransaction(disk);
}
