// Types the two commands of the README as a stranger does, on fresh Debian roots, and prints one
// table of it. What is not committed is not seen. Needs root, mmdebstrap, Debian's mirrors and
// npm's registry; a cell that lacks one of them is skipped and says so.
import fs from 'node:fs';
import { parseArgs } from 'node:util';
import { cells, nameOf } from '@edged/testkit/fresh/cells';
import { liveThrough } from '@edged/testkit/fresh/fresh-cell';
import { gatherMaterials, uncommittedFiles, whyNoFreshRoot } from '@edged/testkit/fresh/materials';
import { closePlaces, megabytesBelow, openPlaces } from '@edged/testkit/fresh/places';
import { readCounts } from '@edged/testkit/fresh/verdict';
import { printTable } from './table.mjs';

const help = `usage: npm run test:fresh -- [--slice | CELL...]

  --slice  the few cells that the gate runs
  --list   the names of the cells
  --help   this text

Without arguments all cells are run, one after the other: a few minutes for each.`;

function readArguments() {
  const options = Object.fromEntries(
    ['slice', 'list', 'help'].map((name) => [name, { type: 'boolean', default: false }]),
  );
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const names = new Set(cells.map(nameOf));
  const unknown = positionals.filter((name) => !names.has(name));
  if (unknown.length > 0) throw new Error(`no cell ${unknown.join(', ')}; --list names them all`);
  if (values.slice && positionals.length > 0)
    throw new Error('--slice and cells exclude each other');
  return {
    ...values,
    chosen: cells.filter(
      (cell) =>
        (!values.slice || cell.isInSlice) &&
        (positionals.length === 0 || positionals.includes(nameOf(cell))),
    ),
  };
}

/** Removes what it made, also when the signal comes. */
async function runCells(chosen, interruption) {
  const { engines } = JSON.parse(fs.readFileSync('package.json', 'utf8'));
  const dirty = uncommittedFiles();
  if (dirty.length > 0) {
    console.log(`not in the roots, since not committed as they are: ${dirty.length} files`);
  }
  const places = openPlaces();
  try {
    const materials = gatherMaterials(places, interruption);
    const results = [];
    for (const [index, cell] of chosen.entries()) {
      console.log(`${nameOf(cell)} (${index + 1} of ${chosen.length})`);
      const say = (line) => console.log(`  ${line}`);
      results.push(await liveThrough(cell, engines.node, materials, say));
    }
    console.log(`kept for the next run: ${megabytesBelow(places.cache)} MB in ${places.cache}`);
    return results;
  } finally {
    closePlaces(places);
  }
}

function printResults(results) {
  const dash = '-';
  const rows = results.map(({ name, start, test, problems, skipped }) => {
    const counts = test && readCounts(test.output);
    return [
      name,
      ...[start, test].flatMap((run) =>
        run ? [run.exitCode ?? 'none', run.seconds.toFixed(1)] : [dash, dash],
      ),
      ...['passed', 'failed', 'skipped'].map((key) => counts?.[key] ?? dash),
      skipped ? `skipped: ${skipped}` : problems.join('; ') || 'as expected',
    ];
  });
  const counts = ['passed', 'failed', 'skipped'];
  console.log();
  printTable(['cell', 'start', 'seconds', 'test', 'seconds', ...counts, 'verdict'], rows);
  const failed = results.filter(({ problems }) => problems.length > 0).length;
  const skipped = results.filter((result) => result.skipped).length;
  const passed = results.length - failed - skipped;
  console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
  return failed === 0 ? 0 : 1;
}

async function main() {
  const { chosen, list, help: isHelp } = readArguments();
  if (isHelp || list) {
    console.log(isHelp ? help : chosen.map(nameOf).join('\n'));
    return 0;
  }
  const whyNot = whyNoFreshRoot();
  if (whyNot) {
    return printResults(
      chosen.map((cell) => ({ name: nameOf(cell), problems: [], skipped: whyNot })),
    );
  }
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => interruption.abort(new Error(`interrupted by ${signal}`)));
  }
  return printResults(await runCells(chosen, interruption.signal));
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`fresh-table: ${error.message}`);
  process.exitCode = 1;
}
