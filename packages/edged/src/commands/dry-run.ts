/** `edged precheck --dry-run`: what a boot would do now, to the file and to the exit code. */
import { PrecheckError } from '@edged/model/failure';
import { circumstancesNow, resultOf } from '@edged/precheck/precheck-result';
import { type CommandContext, reportFailure, reportTo } from '../command-context.ts';
import { printable } from '../output/log-writer.ts';
import { precheckOrder } from '../precheck-order.ts';
import { showProgress } from '../output/progress.ts';
import { type RehearsedPrecheck, rehearsePrecheck } from '../rehearsal.ts';
import { type PrecheckArguments, readConfigOn } from './precheck.ts';

export async function runDryRun(args: PrecheckArguments, context: CommandContext): Promise<number> {
  const { host, settings, terminal, log } = context;
  const started = host.clock.monotonicNanoseconds();
  const progress = showProgress(terminal, host.clock);
  let path: string | undefined;
  const orderFor = async () => {
    const order = precheckOrder(await readConfigOn(args, context), args, settings);
    ({ path } = order.stateRoot);
    return { ...order, progress };
  };
  const rehearsed = await rehearsePrecheck(orderFor, host, reportTo(log));
  const { verdict, exitCode } = rehearsed;
  if (verdict instanceof PrecheckError) reportFailure(verdict, log);
  const would = verdict instanceof PrecheckError ? verdict.code : verdict.decision;
  reportTo(log)('edge.precheck.dry_run', { would, exit_code: exitCode });
  if (args.output === 'json') {
    const circumstances = circumstancesNow(host, started, path, settings.skipMountCheck);
    const result = resultOf(verdict, circumstances);
    const document = { ...result, dry_run: true, ...rehearsalToJson(rehearsed) };
    terminal.out(`${JSON.stringify(document, null, 2)}\n`);
  } else {
    terminal.out(`${describeRehearsal(rehearsed).join('\n')}\n`);
  }
  return exitCode;
}

export function rehearsalToJson({ operations, changes }: RehearsedPrecheck): object {
  return {
    operations: operations.map(({ operation, src, dst, sizeBytes, hash }) => ({
      operation,
      src,
      ...(dst === undefined ? {} : { dst }),
      size_bytes: sizeBytes,
      hash,
    })),
    changes,
  };
}

export function describeRehearsal({
  verdict,
  exitCode,
  operations,
  changes,
}: RehearsedPrecheck): string[] {
  const found =
    verdict instanceof PrecheckError
      ? `refuse: ${verdict.code}`
      : `find ${verdict.decision.replaceAll('_', ' ')}, epoch ${verdict.bootEpoch}`;
  return [
    'dry run: nothing was written, no lock was taken',
    `would ${found}`,
    ...operations.map(({ src, dst, sizeBytes, hash }) => {
      const what = printable(dst === undefined ? `verify ${src}` : `install ${src} -> ${dst}`);
      return `would ${what} (${sizeBytes} bytes, blake3 ${hash})`;
    }),
    ...changes.map(({ path, change }) => `would ${verbs[change]} ${printable(path)}`),
    `would exit ${exitCode}`,
  ];
}

const verbs = { added: 'add', replaced: 'replace', removed: 'remove' } as const;
