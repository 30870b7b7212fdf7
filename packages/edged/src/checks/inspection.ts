/**
 * Runs checks in a worker process, so that none of them can take longer than its limit: what does
 * not answer is `unknown`, and a new worker goes on behind it.
 */
import { linuxHost } from '@edged/host/linux-host';
import { linuxTools } from '@edged/host/linux-tools';
import type { AskWorker } from '@edged/host/linux-worker';
import { type NextOs, nextOsHost } from '@edged/host/next-os';
import { printable } from '../output/log-writer.ts';
import { workerCommand } from '../command-line/options.ts';
import type { Settings } from '../settings.ts';
import type { CheckResult } from './check.ts';
import { checkById, runCheck } from './registry.ts';
import { type Subject, type SubjectOrder, subjectOf } from './subject.ts';

/** As JSON, from the one who asks to the worker. */
export interface InspectionOrder extends Omit<SubjectOrder, 'isNextOs' | 'nextOsIsMounted'> {
  readonly checks: readonly string[];
  /** In the place of EDGE_STATE_ROOT. */
  readonly stateRoot: string | undefined;
  /** Look at the device as it will be under this OS. */
  readonly next: { readonly os: NextOs; readonly kept: readonly string[] } | undefined;
}

interface WorkerRequest extends InspectionOrder {
  readonly done: readonly CheckResult[];
}

/** For a worker to come up, on the slowest machine. */
const startSeconds = 60;

export async function inspect(
  order: InspectionOrder,
  askWorker: AskWorker,
  seen: (result: CheckResult) => void = () => undefined,
): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = [];
  const add = (found: CheckResult): void => {
    // names and records on the device may hold what a terminal obeys
    const result = { ...found, summary: printable(found.summary) };
    results.push(result);
    seen(result);
  };
  const left = (): readonly string[] => order.checks.slice(results.length);
  const limitSeconds = (): number => {
    const [next] = left();
    return next === undefined ? 1 : checkById(next).timeLimitSeconds;
  };
  while (left().length > 0) {
    const request: WorkerRequest = { ...order, checks: left(), done: results };
    let isReady = false;
    const { kind, complaint } = await askWorker({
      args: [workerCommand],
      input: JSON.stringify(request),
      line(text) {
        if (isReady) add(JSON.parse(text) as CheckResult);
        isReady = true;
      },
      patienceMilliseconds: () => (isReady ? limitSeconds() : startSeconds) * 1000,
    });
    const [id] = left();
    if (id !== undefined) add(unanswered(id, kind, complaint));
  }
  return results;
}

function unanswered(id: string, kind: 'ended' | 'silent', complaint: string): CheckResult {
  const { timeLimitSeconds } = checkById(id);
  if (kind === 'silent') {
    const summary = `no answer within ${timeLimitSeconds} s`;
    const details = [{ check: id, limit_seconds: timeLimitSeconds }];
    return { id, status: 'unknown', summary, reason: 'inspection.timed_out', details };
  }
  const problem = complaint.slice(0, 1000) || 'the worker ended without a word';
  const details = [{ check: id, problem }];
  return { id, status: 'unknown', summary: problem, reason: 'internal.defect', details };
}

/** The worker: a line when it is ready, then a result a line, each as soon as it is known. */
export async function runChecks(
  request: string,
  settings: Settings,
  print: (text: string) => void,
): Promise<void> {
  const order = JSON.parse(request) as WorkerRequest;
  const done = new Map(order.done.map((result) => [result.id, result]));
  const subject = openSubject(order, settings);
  print('ready\n');
  try {
    for (const id of order.checks) {
      const result = await runCheck(checkById(id), subject, done);
      done.set(id, result);
      print(`${JSON.stringify(result)}\n`);
    }
  } finally {
    await subject.close();
  }
}

export function openSubject(order: InspectionOrder, settings: Settings): Subject {
  const { config, resultFile, next, stateRoot = settings.stateRoot } = order;
  const host = next ? nextOsHost(next.os, next.kept) : linuxHost();
  const isNextOs = next !== undefined;
  const nextOsIsMounted = next?.os.root !== undefined;
  const subject = { config, resultFile, isNextOs, nextOsIsMounted };
  return subjectOf(subject, host, linuxTools, { ...settings, stateRoot });
}
