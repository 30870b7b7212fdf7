/**
 * What a page of `edged explain` says beyond message and remedy, which stand in the table of
 * failures. In the steps `/data/edged` stands for the state root and `F` for the config file; other
 * words in capitals are to be filled in from the log line.
 */

export interface Explanation {
  /** What was found, why that is refused, and what usually causes it. */
  readonly meaning: string;
  /** One to five steps in the imperative, commands in backticks. */
  readonly repair: readonly string[];
}

export interface EventExplanation {
  /** In the order in which the line carries them; some of them only where they are known. */
  readonly attributes: readonly string[];
  readonly meaning: string;
  /** Whether anything is to be done. */
  readonly action: string;
}

/** The last step of most repairs on a device. */
export const runAgain =
  'Then run it again: `systemctl restart edged-precheck && systemctl start edged`.';
