/** What a command gets: the machine, the environment, the streams. */
import type { Host } from '@edged/host/host';
import type { AskWorker } from '@edged/host/linux-worker';
import { toPrecheckError } from '@edged/model/failure';
import { type Level, type Report, events } from '@edged/precheck/event';
import { exitCodes } from '@edged/model/exit-code';
import type { LogFormat, LogLine } from './output/log-writer.ts';
import type { Settings } from './settings.ts';
import type { Terminal } from './output/terminal.ts';

export interface Surroundings {
  readonly host: Host;
  readonly settings: Settings;
  readonly terminal: Terminal;
  /** Makes checks where they may hang: in a process of their own. */
  readonly askWorker: AskWorker;
}

export interface CommandContext extends Surroundings {
  readonly log: LogLine;
}

/** The part of the command line that says how to log. */
export interface LogArguments {
  readonly logLevel: Level;
  readonly logFormat: LogFormat;
}

/** Encodes the events of the precheck package as log lines. */
export function reportTo(log: LogLine): Report {
  return (name, attributes = {}) => log(events[name], name, attributes);
}

/** One ERROR line for each problem found; the exit code. What is no `PrecheckError` is a defect. */
export function reportFailure(error: unknown, log: LogLine): number {
  const failure = toPrecheckError(error);
  for (const detail of failure.details) {
    log('error', failure.message, { reason: failure.code, ...detail, remedy: failure.remedy });
  }
  return exitCodes[failure.gate];
}
