// What Jest's own reporter does not say: what is about to run, what was skipped and why (each test
// by name, by what it needs, and how to get that), and one last line that any script can read:
// "N passed, N failed, N skipped". Wants the titles that `testWith` gives (testkit/src/needs.ts).
import fs from 'node:fs';
import path from 'node:path';
import { tools } from '@edged/testkit/tools';

export default class Reporter {
  #started = Date.now();
  #top;

  constructor({ rootDir }) {
    this.#top = rootDir;
  }

  onRunStart({ numTotalTestSuites }) {
    const files = `${numTotalTestSuites} test file${numTotalTestSuites === 1 ? '' : 's'}`;
    process.stdout.write(`running ${files}\n`);
  }

  onRunComplete(_contexts, results) {
    const skipped = results.testResults.flatMap((file) => this.#skippedIn(file));
    const totals = {
      passed: results.numPassedTests,
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
      skipped: skipped.length,
    };
    const file = process.env.EDGED_TEST_TOTALS;
    if (file) fs.writeFileSync(file, JSON.stringify(totals));
    const seconds = Math.round((Date.now() - this.#started) / 1000);
    const text = `${describeSkipped(skipped)}\ntook ${seconds} s\n${closingLine(totals)}\n`;
    // Jest's own summary is still to come; these lines are the last ones
    process.once('exit', () => process.stdout.write(text));
  }

  #skippedIn({ testFilePath, testResults }) {
    return testResults
      .filter(({ status }) => status === 'pending' || status === 'todo')
      .map(({ title, ancestorTitles }) => {
        const [, name, needs] = /^(.*) \(needs ([^()]*)\)$/s.exec(title) ?? [undefined, title];
        const place = path.relative(this.#top, testFilePath);
        return { needs, name: [place, ...ancestorTitles, name].join(' › ') };
      });
  }
}

export function closingLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

function describeSkipped(skipped) {
  // a test that a name pattern left out was not asked for, and is not named
  const named = skipped.filter(({ needs }) => needs !== undefined);
  const groups = new Map();
  for (const { needs, name } of named) groups.set(needs, [...(groups.get(needs) ?? []), name]);
  const lines = [...groups].flatMap(([needs, names]) => [
    `\nskipped, for want of ${needs}: ${names.length}`,
    ...names.map((name) => `  ${name}`),
  ]);
  const packages = new Set(
    named.flatMap(({ needs }) => needs.split(', ')).flatMap((need) => tools[need]?.debian ?? []),
  );
  if (packages.size > 0) {
    lines.push(`\nto run what lacks a tool (Debian): apt-get install ${[...packages].join(' ')}`);
  }
  if (named.some(({ needs }) => needs.split(', ').includes('root'))) {
    lines.push('to run what needs root: sudo npm test');
  }
  return lines.join('\n');
}
