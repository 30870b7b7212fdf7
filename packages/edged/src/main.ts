/** The process: arguments, environment, exit code. Only this ends it, once it is loaded. */
import { linuxHost } from '@edged/host/linux-host';
import { readBootLine } from './command-line/boot-line.ts';
import { type CommandContext, type LogArguments, reportFailure } from './command-context.ts';
import { exitCodes } from '@edged/model/exit-code';
import { type LogLine, createLog } from './output/log-writer.ts';
import { readSettings } from './settings.ts';
import { type Terminal, createTerminal } from './output/terminal.ts';

export async function main(argv: readonly string[]): Promise<void> {
  // until a command is understood and done, whatever ends this process is a defect
  process.exitCode = exitCodes.defect;
  const settings = readSettings(process.env);
  const terminal = createTerminal(settings.stderrIsTerminal);
  const logAs = ({ logLevel: level, logFormat: format }: LogArguments): LogLine => {
    const form = { level, format, priorityPrefix: settings.stderrIsJournal };
    return createLog(form, (text) => terminal.error(text));
  };
  let log = logAs({ logLevel: 'info', logFormat: 'text' });
  const fail = (error: unknown): never => process.exit(reportFailure(error, log));
  process.removeAllListeners('uncaughtException').on('uncaughtException', fail);
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', fail);
  const begin = (args: LogArguments): CommandContext => {
    log = logAs(args);
    return { host: linuxHost(), settings, terminal, log };
  };
  try {
    process.exitCode = await run(argv, begin, terminal, () => settings.stdoutStyle().columns);
  } catch (error) {
    process.exitCode = reportFailure(error, log);
  }
}

async function run(
  argv: readonly string[],
  begin: (args: LogArguments) => CommandContext,
  terminal: Terminal,
  columns: () => number,
): Promise<number> {
  const boot = readBootLine(argv);
  if (boot) return (await import('./commands/precheck.ts')).runPrecheck(boot, begin(boot));
  const { runCommandLine } = await import('./command-line/command-line.ts');
  return runCommandLine(argv, begin, (text) => terminal.out(text), columns);
}
