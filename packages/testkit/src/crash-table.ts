/** One row for each rung and each mutant, for the table that `npm run test:crash` prints. */
import fs from 'node:fs';

export interface CrashRow {
  readonly rung: string;
  readonly where: string;
  readonly scenarios: number;
  /** Points at which the power failed, a process was killed, or a call failed. */
  readonly crashPoints: number;
  /** Different states looked at. */
  readonly states: number;
  readonly violations: number;
  readonly seconds: number;
}

export interface MutantRow {
  readonly rung: string;
  readonly mutant: string;
  readonly caught: boolean;
}

/** Appends to the file that CRASH_TABLE names; without it, nothing. */
export function noteCrashRow(row: CrashRow | MutantRow, table: string | undefined): void {
  if (table) fs.appendFileSync(table, `${JSON.stringify(row)}\n`);
}
