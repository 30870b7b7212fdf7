/**
 * One command, from its arguments to its exit code. Ends no process and reads no environment: the
 * caller (`main.ts`, or a test harness) gives it the machine, the settings and the streams.
 */
import {
  type CommandContext,
  type LogArguments,
  type Surroundings,
  reportFailure,
} from './command-context.ts';
import { readBootLine } from './command-line/boot-line.ts';
import { type LogLine, createLog } from './output/log-writer.ts';

export class CommandRun {
  readonly #surroundings: Surroundings;
  #log: LogLine;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
    this.#log = this.#logAs({ logLevel: 'info', logFormat: 'text' });
  }

  /** The exit code. Never rejects: a failure is reported, and its code returned. */
  async run(argv: readonly string[]): Promise<number> {
    try {
      return await this.#runCommand(argv);
    } catch (error) {
      return this.fail(error);
    }
  }

  /** Reports a failure in the format that the command line asked for; its exit code. */
  fail(error: unknown): number {
    return reportFailure(error, this.#log);
  }

  async #runCommand(argv: readonly string[]): Promise<number> {
    const begin = (args: LogArguments): CommandContext => {
      this.#log = this.#logAs(args);
      return { ...this.#surroundings, log: this.#log };
    };
    const boot = readBootLine(argv);
    if (boot) return (await import('./commands/precheck.ts')).runPrecheck(boot, begin(boot));
    const { settings, terminal } = this.#surroundings;
    const { runCommandLine } = await import('./command-line/command-line.ts');
    const print = (text: string): void => terminal.out(text);
    return runCommandLine(argv, begin, print, () => settings.stdoutStyle().columns);
  }

  #logAs({ logLevel: level, logFormat: format }: LogArguments): LogLine {
    const { settings, terminal } = this.#surroundings;
    const form = { level, format, priorityPrefix: settings.stderrIsJournal };
    return createLog(form, (text) => terminal.error(text));
  }
}
