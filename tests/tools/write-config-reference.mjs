/** Writes the table of docs/reference/config.md from the schema of the config: `npm run docs`. */
import fs from 'node:fs';
import { configTable } from 'edged/config/config-reference';

const file = new URL('../../docs/reference/config.md', import.meta.url);
const page = fs.readFileSync(file, 'utf8');
const table = /^\| key \|.*(?:\n\|.*)+/m;
if (!table.test(page)) throw new Error('docs/reference/config.md has no table of keys');
fs.writeFileSync(
  file,
  page.replace(table, () => configTable()),
);
