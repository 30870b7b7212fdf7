/** One row for each boot scene, for the tables of `npm run test:boot` and `npm run test:vm`. */
import fs from 'node:fs';

export interface BootRow {
  readonly scene: string;
  readonly precheck: string;
  readonly agent: string;
  readonly seconds: number;
}

/** Appends to the file that BOOT_TABLE names; without it, nothing. */
export function noteBootRow(row: BootRow, table: string | undefined): void {
  if (table) fs.appendFileSync(table, `${JSON.stringify(row)}\n`);
}
