// Throws hostile input at everything that reads, and prints one table of it. HOSTILE_CASES (100,000
// here) and HOSTILE_SEED (the time here) as in tests/adversary/hostile/fuzz.test.ts.
import { printTable, runTests } from './table.mjs';

const environment = {
  HOSTILE_CASES: process.env.HOSTILE_CASES ?? '100000',
  HOSTILE_ROUNDS: process.env.HOSTILE_ROUNDS ?? '300',
  HOSTILE_SEED: process.env.HOSTILE_SEED ?? String(Math.trunc(Date.now() / 1000) % 2 ** 31),
};
const { status, rows } = runTests(
  ['tests/adversary/hostile', 'tests/fast/vectors'],
  'HOSTILE_TABLE',
  environment,
);
const numbers = ({ cases, acceptedWrongly, crashed, writesOutside }) => [
  cases,
  acceptedWrongly,
  crashed,
  writesOutside,
];
const totals = rows
  .map(numbers)
  .reduce((sums, row) => sums.map((sum, column) => sum + row[column]), [0, 0, 0, 0]);
const header = ['input class', 'cases', 'accepted wrongly', 'crashed', 'writes outside'];
printTable(header, [...rows.map((row) => [row.input, ...numbers(row)]), ['in all', ...totals]]);
console.log(`seed ${environment.HOSTILE_SEED}`);
const isClean = rows.length > 0 && totals.slice(1).every((count) => count === 0);
process.exitCode = isClean ? status : 1;
