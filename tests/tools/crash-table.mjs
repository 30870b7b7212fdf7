// Runs the crash rungs and prints one table: what was tried, what was violated, which mutants were
// caught. Arguments are passed on to jest; CRASH_EFFORT and CRASH_SEED as in the tests.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edged-crash-'));
const table = path.join(directory, 'rows');
fs.writeFileSync(table, '');
const tests = process.argv.length > 2 ? process.argv.slice(2) : ['tests/crash'];
const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
const jest = ['node_modules/jest/bin/jest.js', '--config', 'tests/jest.config.mjs', '--runInBand'];
const { status } = spawnSync(process.execPath, [...flags, ...jest, ...tests], {
  stdio: 'inherit',
  env: { ...process.env, CRASH_TABLE: table },
});
const rows = fs
  .readFileSync(table, 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line))
  .sort((one, other) => (one.rung < other.rung ? -1 : 1));
fs.rmSync(directory, { recursive: true });

const header = [
  'rung',
  'where',
  'scenarios',
  'crash points',
  'states',
  'violations',
  'mutants caught',
  'seconds',
];
const mutants = (rung) => rows.filter((row) => row.rung === rung && row.mutant !== undefined);
const body = rows
  .filter((row) => row.mutant === undefined)
  .map((row) => {
    const tried = mutants(row.rung);
    const caught = `${tried.filter((each) => each.caught).length} of ${tried.length}`;
    const { rung, where, scenarios, crashPoints, states, violations, seconds } = row;
    return [
      rung,
      where,
      scenarios,
      crashPoints,
      states,
      violations,
      caught,
      seconds.toFixed(1),
    ].map(String);
  });
const widths = header.map((title, column) =>
  Math.max(title.length, ...body.map((row) => row[column].length)),
);
for (const row of [header, ...body]) {
  console.log(
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd(),
  );
}
if (body.length === 0) console.log('no rung has run');
process.exitCode = status ?? 1;
