/** `edged simulate`: Tutorial 04 on a device in a temporary directory, with the real precheck. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { paint } from '../checks/report.ts';
import type { CommandContext } from '../command-context.ts';
import { exitCodes, success } from '@edged/model/exit-code';
import { writing } from '../files.ts';
import type { StdoutStyle } from '../settings.ts';
import { SimulatedDevice } from '../simulation/device.ts';
import { type Step, tutorial } from '../simulation/tutorial.ts';

interface Row {
  readonly title: string;
  readonly expected: string;
  readonly seen: string;
  readonly held: boolean;
}

export async function runSimulate(
  keep: boolean,
  { terminal, settings }: CommandContext,
): Promise<number> {
  const style = settings.stdoutStyle();
  const temporary = os.tmpdir();
  const directory = writing(temporary, () =>
    fs.mkdtempSync(path.join(temporary, 'edged-simulate-')),
  );
  try {
    terminal.out(`A device in ${directory}: state root, keys, runtime, certificate.\n`);
    const device = new SimulatedDevice(directory);
    await device.prepare();
    const rows: Row[] = [];
    for (const [index, step] of tutorial.entries()) {
      terminal.out(`\n${paint(`${index + 1}. ${step.title}`, 'bold', style)}\n`);
      rows.push(await live(step, device, (line) => terminal.out(`   ${line}\n`)));
    }
    terminal.out(`\n${table(rows, style)}`);
    const failed = rows.filter(({ held }) => !held).length;
    terminal.out(`\n${rows.length - failed} of ${rows.length} steps as expected\n`);
    return failed === 0 ? success : exitCodes.defect;
  } finally {
    if (keep) terminal.out(`kept: ${directory}\n`);
    else fs.rmSync(directory, { recursive: true });
  }
}

async function live(
  step: Step,
  device: SimulatedDevice,
  say: (line: string) => void,
): Promise<Row> {
  await step.happens(device);
  const before = step.changesNothing ? device.treeDigest() : undefined;
  const { exitCode, logLines } = await device.boot();
  for (const line of logLines) say(line);
  const bootEpoch = device.bootEpoch();
  say(`exit ${exitCode}, ${bootEpoch === undefined ? 'no fingerprint' : `BootEpoch ${bootEpoch}`}`);
  const missed: string[] = [];
  if (step.says !== undefined && !logLines.some((line) => line.includes(step.says ?? ''))) {
    missed.push(`log without ${step.says}`);
  }
  if (before !== undefined && before !== device.treeDigest()) missed.push('state root changed');
  if (step.holds && !step.holds[1](device)) missed.push(`not: ${step.holds[0]}`);
  const expected = verdict(step.exitCode, step.bootEpoch);
  const seen = verdict(exitCode, bootEpoch);
  return {
    title: step.title,
    expected,
    seen: [seen, ...missed].join('; '),
    held: seen === expected && missed.length === 0,
  };
}

function verdict(exitCode: number, bootEpoch: number | undefined): string {
  return `exit ${exitCode}, epoch ${bootEpoch ?? '-'}`;
}

function table(rows: readonly Row[], style: StdoutStyle): string {
  const header = { title: 'step', expected: 'expected', seen: 'seen', held: true };
  const width = (key: 'title' | 'expected' | 'seen'): number =>
    Math.max(...[header, ...rows].map((row) => row[key].length));
  const [title, expected, seen] = [width('title'), width('expected'), width('seen')];
  const line = (row: Row, mark: string): string =>
    [row.title.padEnd(title), row.expected.padEnd(expected), row.seen.padEnd(seen), mark].join(
      '  ',
    );
  const body = rows.map((row) =>
    line(row, row.held ? paint('ok', 'green', style) : paint('NOT AS EXPECTED', 'red', style)),
  );
  return [paint(line(header, '').trimEnd(), 'bold', style), ...body, ''].join('\n');
}
