// `npm test`: the fast tier. `npm run test:all`: every tier, but for the two appliance images, which
// are minutes of emulation (`npm run test:appliances`). Arguments are Jest's, and find tests of any
// tier: `npm test -- tests/fast/unit/model/decision.test.ts`, `npm test -- lock -t 'never two'`.
import { execFileSync } from 'node:child_process';
import { runJest } from './jest.mjs';
import { closingLine } from './reporter.mjs';

/** Each a run of its own. Machines that boot get the cores for themselves. */
const runs = {
  fast: [['tests/fast/']],
  all: [
    ['tests/fast/', 'tests/device/', 'tests/adversary/'],
    ['tests/machine/(boot|vm)/', '--runInBand'],
  ],
};

const [tier, ...rest] = process.argv.slice(2);
const named = rest.filter((word, index) => !word.startsWith('-') && !takesValue(rest[index - 1]));
if (named.some((name) => /^tests\/(?:device|adversary|machine)\b/.test(name))) {
  execFileSync('sh', ['.ci/set-up', 'all'], { stdio: 'inherit' });
}
const ran = (named.length > 0 ? [[]] : runs[tier]).map((paths) => runJest([...paths, ...rest]));
if (ran.length > 1) {
  const sum = (name) => ran.reduce((total, { totals }) => total + totals[name], 0);
  const [passed, failed, skipped] = ['passed', 'failed', 'skipped'].map(sum);
  console.log(`\nin all:\n${closingLine({ passed, failed, skipped })}`);
}
process.exitCode = Math.max(...ran.map(({ status }) => status));

/** Options of Jest whose value is the next word. */
function takesValue(option) {
  return ['-t', '-w', '--testNamePattern', '--maxWorkers', '--outputFile'].includes(option);
}
