// What the tools that run tests and print one table of them have in common.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** Runs jest; the rows that tests have appended to the file that the variable names. */
export function runTests(tests, variable, environment = {}) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edged-table-'));
  const table = path.join(directory, 'rows');
  fs.writeFileSync(table, '');
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const jest = [
    'node_modules/jest/bin/jest.js',
    '--config',
    'tests/jest.config.mjs',
    '--runInBand',
  ];
  const { status } = spawnSync(process.execPath, [...flags, ...jest, ...tests], {
    stdio: 'inherit',
    env: { ...process.env, ...environment, [variable]: table },
  });
  const lines = fs.readFileSync(table, 'utf8').split('\n');
  fs.rmSync(directory, { recursive: true });
  return {
    status: status ?? 1,
    rows: lines.filter((line) => line !== '').map((line) => JSON.parse(line)),
  };
}

export function printTable(header, rows) {
  const body = rows.map((row) => row.map(String));
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
}
