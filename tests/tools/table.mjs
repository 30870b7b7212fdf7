// What the tools that run tests and print one table of them have in common.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { runJest } from './jest.mjs';

/** Runs jest; the rows that tests have appended to the file that the variable names. */
export function runTests(tests, variable, environment = {}) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edged-table-'));
  const table = path.join(directory, 'rows');
  fs.writeFileSync(table, '');
  const { status } = runJest(['--runInBand', ...tests], { ...environment, [variable]: table });
  const lines = fs.readFileSync(table, 'utf8').split('\n');
  fs.rmSync(directory, { recursive: true });
  return {
    status,
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
