// Runs the crash rungs and prints one table: what was tried, what was violated, which mutants were
// caught. Arguments are passed on to jest; CRASH_EFFORT and CRASH_SEED as in the tests.
import { printTable, runTests } from './table.mjs';

const tests = process.argv.length > 2 ? process.argv.slice(2) : ['tests/adversary/crash'];
const { status, rows } = runTests(tests, 'CRASH_TABLE');
rows.sort((one, other) => (one.rung < other.rung ? -1 : 1));
const mutants = (rung) => rows.filter((row) => row.rung === rung && row.mutant !== undefined);
const body = rows
  .filter((row) => row.mutant === undefined)
  .map(({ rung, where, scenarios, crashPoints, states, violations, seconds }) => {
    const tried = mutants(rung);
    const caught = `${tried.filter((each) => each.caught).length} of ${tried.length}`;
    return [rung, where, scenarios, crashPoints, states, violations, caught, seconds.toFixed(1)];
  });
const columns = ['scenarios', 'crash points', 'states', 'violations', 'mutants caught', 'seconds'];
printTable(['rung', 'where', ...columns], body);
if (body.length === 0) console.log('no rung has run');
process.exitCode = status;
