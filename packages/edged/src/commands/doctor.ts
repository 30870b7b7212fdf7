/**
 * `edged doctor`: every check there is, none stopping another; with `--fix` what is safe is done.
 */
import { toPrecheckError } from '@edged/model/failure';
import { asFailure } from '@edged/precheck/state-root/disk-failure';
import type { CheckResult } from '../checks/check.ts';
import { fixes } from '../checks/fixes.ts';
import { type InspectionOrder, inspect, openSubject } from '../checks/inspection.ts';
import { checkById, checks } from '../checks/registry.ts';
import { describeCheck, exitCodeOf, resultToJson, tally } from '../checks/report.ts';
import { type CommandContext, reportTo } from '../command-context.ts';
import { describeDetail } from '../output/detail-text.ts';
import { printable } from '../output/log-writer.ts';

export interface LookArguments {
  readonly config: string | undefined;
  readonly stateRoot: string | undefined;
  readonly result: string;
  readonly output: 'text' | 'json';
}

export interface DoctorArguments extends LookArguments {
  readonly fix: boolean;
}

interface Repair {
  readonly check: string;
  readonly outcome: string;
  readonly done: boolean;
}

export async function runDoctor(args: DoctorArguments, context: CommandContext): Promise<number> {
  const { terminal, settings, host, askWorker } = context;
  const isText = args.output === 'text';
  const announce = (at: number): void => {
    const next = checks[at];
    terminal.status(next ? `looking at: ${next.title}` : '');
  };
  const show = (result: CheckResult): void => {
    terminal.status('');
    if (isText) terminal.out(`${describeCheck(result, settings.stdoutStyle())}\n`);
  };
  const all: InspectionOrder = {
    checks: checks.map(({ id }) => id),
    config: args.config,
    stateRoot: args.stateRoot,
    resultFile: args.result,
    next: undefined,
  };
  const asOf = new Date(host.clock.wallMilliseconds()).toISOString();
  announce(0);
  let results = await inspect(all, askWorker, (result) => {
    show(result);
    announce(checks.findIndex(({ id }) => id === result.id) + 1);
  });
  const repairs = args.fix ? await repair(results, all, context) : [];
  for (const { check, outcome, done } of repairs) {
    if (isText)
      terminal.out(
        `\n${done ? 'fixed' : 'not fixed'}: ${checkById(check).title}: ${printable(outcome)}\n`,
      );
  }
  if (repairs.some(({ done }) => done)) {
    if (isText) terminal.out('\nlooked at again:\n');
    const again = new Set(repairs.map(({ check }) => check));
    results = await inspect(all, askWorker, (result) => {
      if (again.has(result.id)) show(result);
    });
  }
  const exitCode = exitCodeOf(results);
  if (isText) terminal.out(`\n${tally(results)}\n`);
  else {
    const document = {
      schema: 'edged.doctor.v1',
      as_of: asOf,
      exit_code: exitCode,
      checks: results.map(resultToJson),
      repairs,
    };
    terminal.out(`${JSON.stringify(document, null, 2)}\n`);
  }
  return exitCode;
}

/** Nothing is repaired on a state root that is not one. */
async function repair(
  results: readonly CheckResult[],
  order: InspectionOrder,
  { settings, log }: CommandContext,
): Promise<readonly Repair[]> {
  const statusOf = (id: string): string | undefined => results.find((one) => one.id === id)?.status;
  const isSound = ['state_root.directory', 'state_root.mount'].every((id) =>
    ['ok', 'warning'].includes(statusOf(id) ?? ''),
  );
  const repairs: Repair[] = [];
  for (const result of results) {
    const fix = result.reason && fixes[result.reason];
    if (!fix || result.status === 'ok') continue;
    const check = result.id;
    if (!isSound) {
      repairs.push({ check, outcome: 'the state root itself comes first', done: false });
      continue;
    }
    const subject = openSubject(order, settings);
    try {
      repairs.push({ check, outcome: await fix(result, subject, reportTo(log)), done: true });
    } catch (error) {
      const { message, details } = toPrecheckError(asFailure('state_root.io_error', error));
      const found = details.map(describeDetail).join('; ');
      repairs.push({ check, outcome: `${message}: ${found}`, done: false });
    } finally {
      await subject.close();
    }
  }
  return repairs;
}
