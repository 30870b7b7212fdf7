/** The process: arguments, environment, exit code. The only place that ends it. */
import { linuxHost } from '@edged/host/linux-host';
import { reportFailure } from './command-context.ts';
import { runCommandLine } from './command-line.ts';
import { exitCodes } from './exit-code.ts';
import { type LogLine, createLog } from './log-writer.ts';
import { readSettings } from './settings.ts';
import { terminal } from './terminal.ts';

export async function main(argv: readonly string[]): Promise<void> {
  // until a command is understood and done, whatever ends this process is a defect
  process.exitCode = exitCodes.defect;
  const settings = readSettings(process.env);
  let log: LogLine = createLog(
    { level: 'info', format: 'text', priorityPrefix: settings.stderrIsJournal },
    (text) => terminal.error(text),
  );
  const fail = (error: unknown): never => process.exit(reportFailure(error, log));
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  try {
    const machine = { host: linuxHost(), settings, terminal };
    process.exitCode = await runCommandLine(argv, machine, (chosen) => {
      log = chosen;
    });
  } catch (error) {
    process.exitCode = reportFailure(error, log);
  }
}
