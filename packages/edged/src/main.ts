/** The process: arguments, environment, exit code. Only this ends it, once it is loaded. */
import type { AskWorker } from '@edged/host/linux-worker';
import { linuxHost } from '@edged/host/linux-host';
import { exitCodes } from '@edged/model/exit-code';
import { createTerminal } from './output/terminal.ts';
import { CommandRun } from './run.ts';
import { readSettings } from './settings.ts';

/** Loaded by the commands that ask one: a matching boot starts no process. */
const askWorker: AskWorker = async (order) =>
  (await import('@edged/host/linux-worker')).askWorker(order);

export async function main(argv: readonly string[]): Promise<void> {
  // until a command is understood and done, whatever ends this process is a defect
  process.exitCode = exitCodes.defect;
  const settings = readSettings(process.env);
  const terminal = createTerminal(settings.stderrIsTerminal);
  const command = new CommandRun({ host: linuxHost(), settings, terminal, askWorker });
  const fail = (error: unknown): never => process.exit(command.fail(error));
  process.removeAllListeners('uncaughtException').on('uncaughtException', fail);
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', fail);
  process.exitCode = await command.run(argv);
}
