/**
 * `edged precheck --plan`: what precheck will say of an OS that is installed and not yet booted.
 * The real precheck, rehearsed on that OS; and the checks that precheck does not ask, because by
 * then it is too late: C library, units.
 */
import path from 'node:path';
import { linuxHost } from '@edged/host/linux-host';
import { type NextOs, nextOsHost } from '@edged/host/next-os';
import { architectureOf } from '@edged/model/elf';
import { PrecheckError, toPrecheckError } from '@edged/model/failure';
import { refuseSilentMount } from '@edged/precheck/state-root/state-root';
import { circumstancesNow, resultOf } from '@edged/precheck/precheck-result';
import type { CheckResult } from '../checks/check.ts';
import { type InspectionOrder, inspect } from '../checks/inspection.ts';
import { checkById } from '../checks/registry.ts';
import { describeCheck, exitCodeOf, resultToJson, tally } from '../checks/report.ts';
import type { CommandContext } from '../command-context.ts';
import { reportFailure } from '../command-context.ts';
import { describeDetail } from '../output/detail-text.ts';
import { precheckOrder } from '../precheck-order.ts';
import { showProgress } from '../output/progress.ts';
import { type RehearsedPrecheck, rehearsePrecheck } from '../rehearsal.ts';
import { describeRehearsal, rehearsalToJson } from './dry-run.ts';
import { type PrecheckArguments, readConfigOn } from './precheck.ts';

/** In the order in which they need each other; the last two precheck does not ask. */
const planned = [
  'config.file',
  'state_root.directory',
  'state_root.mount',
  'certificate.pair',
  'os.identity',
  'os.change',
  'trust.anchor',
  'manifest.verified',
  'runtime.operations',
  'state_root.space',
  'runtime.libraries',
  'service.units',
] as const;

export async function runPlan(args: PrecheckArguments, context: CommandContext): Promise<number> {
  const { settings, terminal, log, host, askWorker } = context;
  const started = host.clock.monotonicNanoseconds();
  let next: NextOs;
  let stateRoot: string;
  try {
    next = nextOsFrom(args);
    const config = await readConfigOn(args, context);
    const order = precheckOrder(config, args, settings).stateRoot;
    refuseSilentMount(order, host);
    stateRoot = order.path;
  } catch (error) {
    if (args.output === 'json') {
      const circumstances = circumstancesNow(host, started, undefined, settings.skipMountCheck);
      const result = resultOf(toPrecheckError(error), circumstances);
      terminal.out(`${JSON.stringify({ ...result, dry_run: true }, null, 2)}\n`);
    }
    return reportFailure(error, log);
  }
  const { credentialsDirectory } = settings;
  const kept = [
    stateRoot.replace(/\/+$/, ''),
    host.inspectDirectory(stateRoot)?.canonicalPath ?? stateRoot,
    ...(credentialsDirectory === undefined ? [] : [credentialsDirectory]),
  ];
  const progress = showProgress(terminal, host.clock);
  const orderFor = async () => ({
    ...precheckOrder(await readConfigOn(args, context), args, settings),
    progress,
  });
  const rehearsed = await rehearsePrecheck(orderFor, nextOsHost(next, kept), () => undefined);
  const inspection: InspectionOrder = {
    checks: planned,
    config: args.config,
    stateRoot: undefined,
    resultFile: '',
    next: { os: next, kept },
  };
  const checks = await inspect(inspection, askWorker);
  // what precheck asks itself the rehearsal has answered, recovery and rotation included
  const unasked = checks.filter(({ id }) => !checkById(id).atBoot);
  const exitCode = rehearsed.exitCode === 0 ? exitCodeOf(unasked) : rehearsed.exitCode;
  if (args.output === 'json') {
    const circumstances = circumstancesNow(host, started, stateRoot, settings.skipMountCheck);
    const document = {
      ...resultOf(rehearsed.verdict, circumstances),
      dry_run: true,
      plan: {
        root: next.root,
        kernel_release: next.kernelRelease,
        architecture: next.architecture,
        may_boot: exitCode === 0,
        exit_code: exitCode,
        checks: checks.map(resultToJson),
      },
      ...rehearsalToJson(rehearsed),
    };
    terminal.out(`${JSON.stringify(document, null, 2)}\n`);
  } else {
    terminal.out(`${describePlan(next, rehearsed, checks, exitCode, context).join('\n')}\n`);
  }
  return exitCode;
}

function describePlan(
  next: NextOs,
  rehearsed: RehearsedPrecheck,
  checks: readonly CheckResult[],
  exitCode: number,
  { settings }: CommandContext,
): string[] {
  const style = settings.stdoutStyle();
  const where = next.root ?? next.osRelease ?? '';
  const verdict =
    exitCode === 0
      ? 'this OS may be booted'
      : rehearsed.exitCode === 0
        ? 'precheck would let the agent start, but it is not fit to run: do not boot this OS'
        : 'the agent would not start: do not boot this OS';
  return [
    `the next OS: ${where}, kernel ${next.kernelRelease}, ${next.architecture ?? 'this machine'}`,
    '',
    ...checks.map((check) => describeCheck(check, style)),
    '',
    ...describeRehearsal(rehearsed),
    ...unseenRefusal(rehearsed, checks),
    '',
    tally(checks),
    verdict,
  ];
}

/** A refusal that none of the checks has told: a lock that is held, say. */
function unseenRefusal(
  { verdict }: RehearsedPrecheck,
  checks: readonly CheckResult[],
): readonly string[] {
  if (!(verdict instanceof PrecheckError)) return [];
  if (checks.some(({ reason }) => reason === verdict.code)) return [];
  const details = verdict.details.map((detail) => `  found   ${describeDetail(detail)}`);
  return [`  ${verdict.message}`, ...details, `  do      ${verdict.remedy}`];
}

/** Throws `config.usage`. */
function nextOsFrom({ plan, root, osRelease, kernelRelease }: PrecheckArguments): NextOs {
  if (!plan) throw usage('--root, --os-release and --kernel-release belong to --plan');
  if (root === undefined && osRelease === undefined) {
    throw usage(
      '--plan needs the next OS',
      '--root DIR, or --os-release FILE with --kernel-release',
    );
  }
  const place = root === undefined ? undefined : path.resolve(root);
  if (place !== undefined && linuxHost().inspectDirectory(place)?.isDirectory !== true) {
    throw usage(`--root ${place} is no directory`, 'where the next OS is mounted');
  }
  return {
    root: place,
    osRelease: osRelease === undefined ? undefined : path.resolve(osRelease),
    kernelRelease: kernelRelease ?? onlyKernelIn(place),
    architecture: place === undefined ? undefined : architectureIn(place),
  };
}

/** The kernel that an image brings is told by its modules. */
function onlyKernelIn(root: string | undefined): string {
  if (root === undefined)
    throw usage('--os-release needs --kernel-release', '`uname -r` of that OS');
  const { system } = linuxHost({ osRoot: root });
  const places = ['/usr/lib/modules', '/lib/modules'];
  const kernels = [...new Set(places.flatMap((place) => system.listImageDirectory(place) ?? []))];
  const [only] = kernels;
  if (only !== undefined && kernels.length === 1) return only;
  const found = kernels.length === 0 ? 'no kernel' : `several kernels (${kernels.join(', ')})`;
  throw usage(`${root} holds ${found} in lib/modules`, '--kernel-release RELEASE');
}

const headerBytes = 64;
const programLimitBytes = 256 * 1024 * 1024;

/** Of a program that every OS brings; undefined where none can be read. */
function architectureIn(root: string): string | undefined {
  const { system } = linuxHost({ osRoot: root });
  for (const program of ['/bin/sh', '/sbin/init', '/usr/lib/systemd/systemd']) {
    const bytes = system.readImageFile(program, programLimitBytes);
    const architecture = bytes && architectureOf(bytes.subarray(0, headerBytes));
    if (architecture !== undefined) return architecture;
  }
  return undefined;
}

function usage(problem: string, allowed?: string): PrecheckError {
  return new PrecheckError('config.usage', { problem, ...(allowed ? { allowed } : {}) });
}
