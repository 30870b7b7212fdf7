/** One row for each class of hostile input, for the table that `npm run test:hostile` prints. */
import fs from 'node:fs';

export interface HostileRow {
  /** Class of input. */
  readonly input: string;
  readonly cases: number;
  /** Cases that were let through although they must not be. */
  readonly acceptedWrongly: number;
  /** Cases that ended in anything but a verdict with a reason. */
  readonly crashed: number;
  /** Cases after which something outside the state root was changed. */
  readonly writesOutside: number;
}

/** Appends to the file that HOSTILE_TABLE names; without it, nothing. */
export function noteHostileRow(row: HostileRow, table: string | undefined): void {
  if (table) fs.appendFileSync(table, `${JSON.stringify(row)}\n`);
}

/** Counts the cases of one class while they are tried. */
export class HostileCount {
  readonly input: string;
  readonly found: string[] = [];
  #cases = 0;
  #acceptedWrongly = 0;
  #crashed = 0;
  #writesOutside = 0;

  constructor(input: string) {
    this.input = input;
  }

  tried(): void {
    this.#cases += 1;
  }

  acceptedWrongly(what: string): void {
    this.#acceptedWrongly += 1;
    this.found.push(`accepted wrongly: ${what}`);
  }

  crashed(what: string): void {
    this.#crashed += 1;
    this.found.push(`crashed: ${what}`);
  }

  wroteOutside(what: string): void {
    this.#writesOutside += 1;
    this.found.push(`wrote outside: ${what}`);
  }

  get row(): HostileRow {
    return {
      input: this.input,
      cases: this.#cases,
      acceptedWrongly: this.#acceptedWrongly,
      crashed: this.#crashed,
      writesOutside: this.#writesOutside,
    };
  }
}
