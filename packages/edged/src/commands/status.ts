/** `edged status`: one screen on a device, found out now, changing nothing. */
import type { CheckResult } from '../checks/check.ts';
import { type InspectionOrder, inspect } from '../checks/inspection.ts';
import { adviceOn, paint, resultToJson } from '../checks/report.ts';
import type { CommandContext } from '../command-context.ts';
import { success } from '@edged/model/exit-code';
import { printable } from '../output/log-writer.ts';
import { release } from '../release.ts';
import type { StdoutStyle } from '../settings.ts';
import { wrap } from '../output/wrap.ts';
import type { LookArguments } from './doctor.ts';

/** From check to line, in the order of the screen; quick ones only. */
const rows = {
  'service.verdict': 'precheck',
  'os.identity': 'OS',
  'os.change': 'epoch',
  'epoch.records': 'records',
  'manifest.verified': 'manifest',
  'trust.anchor': 'key',
  'certificate.pair': 'certificate',
  'certificate.clock': 'clock',
  'state_root.directory': 'state root',
  'state_root.mount': 'mount',
  'service.slot': 'slot',
} as const;

/** In the order in which they need each other. */
const order = [
  'config.file',
  'state_root.directory',
  'state_root.mount',
  'certificate.pair',
  'certificate.clock',
  'os.identity',
  'os.change',
  'epoch.records',
  'trust.anchor',
  'manifest.verified',
  'service.verdict',
  'service.slot',
] as const;

interface Epoch {
  readonly boot_epoch: number;
  readonly began_at: string;
  readonly kind?: string;
  readonly composite_hash: string;
}

const labelColumns = 13;

export async function runStatus(args: LookArguments, context: CommandContext): Promise<number> {
  const { terminal, settings, host, askWorker } = context;
  const asOf = new Date(host.clock.wallMilliseconds()).toISOString();
  const inspection: InspectionOrder = {
    checks: order,
    config: args.config,
    stateRoot: args.stateRoot,
    resultFile: args.result,
    next: undefined,
  };
  const results = await inspect(inspection, askWorker);
  const byId = new Map(results.map((result) => [result.id, result]));
  const epochs = (byId.get('epoch.records')?.facts?.['epochs'] ?? []) as readonly Epoch[];
  if (args.output === 'json') {
    const document = {
      schema: 'edged.status.v1',
      as_of: asOf,
      version: release.version,
      checks: results.map(resultToJson),
      epochs,
    };
    terminal.out(`${JSON.stringify(document, null, 2)}\n`);
    return success;
  }
  const style = settings.stdoutStyle();
  const device = byId.get('config.file')?.facts?.['edge_domain_id'];
  const who = typeof device === 'string' ? `, device ${device}` : '';
  terminal.out(`${paint(`edged ${release.version}${who}`, 'bold', style)}, as of ${asOf}\n\n`);
  terminal.out(`${[...screen(byId, style), ...timeline(epochs)].join('\n')}\n`);
  const problems = results.filter(isProblem);
  for (const problem of problems) {
    const head = paint(`${problem.status}: ${problem.summary}`, colorOf(problem), style);
    terminal.out(`\n${[head, ...adviceOn(problem, style, '  ')].join('\n')}\n`);
  }
  return success;
}

function screen(byId: ReadonlyMap<string, CheckResult>, style: StdoutStyle): string[] {
  return Object.entries(rows).map(([id, label]) => {
    const result = byId.get(id);
    const mark = result && isProblem(result) ? `${result.status}: ` : '';
    const because = result?.blockedBy === undefined ? '' : 'not known, ';
    const text = `${mark}${because}${result?.summary ?? 'unknown'}`;
    const indent = { first: '', rest: ' '.repeat(labelColumns) };
    const lines = wrap(text, style.columns - labelColumns, indent);
    const shown = result ? paint(lines, colorOf(result), style) : lines;
    return `${label.padEnd(labelColumns)}${shown}`;
  });
}

function isProblem({ status, reason }: CheckResult): boolean {
  return reason !== undefined && ['failed', 'warning', 'unknown'].includes(status);
}

function colorOf({ status }: CheckResult): 'red' | 'yellow' | 'gray' | 'reset' {
  if (status === 'failed' || status === 'unknown') return 'red';
  if (status === 'warning') return 'yellow';
  return status === 'skipped' ? 'gray' : 'reset';
}

/** Newest first, with what began each. */
function timeline(epochs: readonly Epoch[]): string[] {
  if (epochs.length === 0) return [];
  const lines = epochs.map(
    ({ boot_epoch: epoch, began_at: began, kind = '', composite_hash: hash }) =>
      `${String(epoch).padStart(labelColumns - 3)}   ${plain(began, 24).padEnd(26)}` +
      `${kind.replaceAll('_', ' ').padEnd(16)}${plain(hash, 12)}`,
  );
  return ['', 'epochs', ...lines];
}

function plain(text: string, most: number): string {
  return printable(text.slice(0, most));
}
