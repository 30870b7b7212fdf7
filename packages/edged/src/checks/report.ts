/** Results of checks, for people and for programs. */
import { styleText } from 'node:util';
import { exitCodes, success } from '@edged/model/exit-code';
import { failures } from '@edged/model/failure';
import { describeDetail } from '../output/detail-text.ts';
import type { StdoutStyle } from '../settings.ts';
import { wrap } from '../output/wrap.ts';
import type { CheckResult, CheckStatus } from './check.ts';
import { checkById } from './registry.ts';

const colors = {
  ok: 'green',
  warning: 'yellow',
  failed: 'red',
  skipped: 'gray',
  unknown: 'magenta',
} as const satisfies Record<CheckStatus, Parameters<typeof styleText>[0]>;

const statusColumns = 9;
const titleColumns = 20;

/** One check: a line, and below it what to do about it. */
export function describeCheck(result: CheckResult, style: StdoutStyle): string {
  const { id, status, summary } = result;
  const margin = ' '.repeat(statusColumns);
  const shown = wrap(summary, style.columns, {
    first: `${margin}${checkById(id).title.padEnd(titleColumns)} `,
    rest: ' '.repeat(statusColumns + titleColumns + 1),
  }).slice(statusColumns);
  const word = paint(status.padEnd(statusColumns), colors[status], style);
  const needsCare = status === 'failed' || status === 'warning' || status === 'unknown';
  const advice = needsCare ? adviceOn(result, style, margin) : [];
  return [`${word}${shown}`, ...advice].join('\n');
}

export function adviceOn(
  { status, reason, details = [] }: CheckResult,
  style: StdoutStyle,
  margin: string,
): string[] {
  if (reason === undefined) return [];
  const { remedy, gate, class: kind } = failures[reason];
  const line = (label: string, text: string): string =>
    wrap(text, style.columns, {
      first: `${margin}${label.padEnd(8)}`,
      rest: ' '.repeat(margin.length + 8),
    });
  const isRefusal = status !== 'warning';
  const found = details.map(describeDetail).filter((text) => text !== '');
  return [
    ...found.map((text) => line('found', text)),
    line('reason', `${reason} (${kind}${isRefusal ? `, exit ${exitCodes[gate]}` : ''})`),
    line('do', remedy),
    line('more', `\`edged explain ${reason}\``).replaceAll('`', ''), // in backticks: never broken
  ];
}

export function paint(
  text: string,
  color: Parameters<typeof styleText>[0],
  { color: isColored }: StdoutStyle,
): string {
  return isColored ? styleText(color, text, { validateStream: false }) : text;
}

/** That of the first gate that failed, in the order of precheck; what is unknown is no success. */
export function exitCodeOf(results: readonly CheckResult[]): number {
  const bad = results.find(({ status }) => status === 'failed' || status === 'unknown');
  if (!bad) return success;
  return bad.reason === undefined ? exitCodes.defect : exitCodes[failures[bad.reason].gate];
}

export function tally(results: readonly CheckResult[]): string {
  const statuses: readonly CheckStatus[] = ['ok', 'warning', 'failed', 'unknown', 'skipped'];
  return statuses
    .map((status) => [status, results.filter((result) => result.status === status).length] as const)
    .filter(([status, count]) => count > 0 || status === 'ok' || status === 'failed')
    .map(([status, count]) => `${count} ${status}`)
    .join(', ');
}

export function resultToJson({ id, status, summary, reason, details, facts }: CheckResult): object {
  const kind = reason === undefined ? undefined : failures[reason];
  return {
    id,
    gate: checkById(id).gate,
    at_boot: checkById(id).atBoot,
    status,
    summary,
    ...(reason === undefined || !kind
      ? {}
      : { reason, class: kind.class, message: kind.message, remedy: kind.remedy }),
    ...(details ? { details } : {}),
    ...(facts ? { facts } : {}),
  };
}
