// Boots what the arguments name (tests/machine/boot/container, tests/machine/vm) and prints one table of it.
import { printTable, runTests } from './table.mjs';

const { status, rows } = runTests(process.argv.slice(2), 'BOOT_TABLE');
const body = rows.map(({ scene, precheck, agent, seconds }) => [
  scene,
  precheck,
  agent,
  seconds.toFixed(1),
]);
printTable(['boot', 'precheck', 'agent', 'seconds'], body);
if (body.length === 0) console.log('nothing was booted');
process.exitCode = status;
