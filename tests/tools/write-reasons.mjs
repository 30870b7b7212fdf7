/** Writes docs/reference/reasons.md from the table of failures: `npm run docs`. */
import fs from 'node:fs';
import { failures } from '@edged/model/failure';
import { exitCodes } from '@edged/model/exit-code';

const gates = [...new Set(Object.values(failures).map(({ gate }) => gate))];
const section = (gate) => {
  const rows = Object.entries(failures)
    .filter(([, failure]) => failure.gate === gate)
    .map(([code, { message, remedy }]) => `| \`${code}\` | ${message} | ${remedy} |`);
  const head = [`## Gate \`${gate}\`: exit ${exitCodes[gate]}`, ''];
  return [...head, '| reason | message | what to do |', '|---|---|---|', ...rows, ''].join('\n');
};
const intro = 'Every refusal carries one of these in `reason`. They are stable.';
const page = ['# Reasons', '', intro, '', ...gates.map(section)].join('\n');
fs.writeFileSync(new URL('../../docs/reference/reasons.md', import.meta.url), page);
