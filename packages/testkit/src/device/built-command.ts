/**
 * The built command: what systemd and an engineer run. With EDGED_EXECUTABLE it is that program, a
 * process for each call. Otherwise a call that needs nothing of a process is run in a thread.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { askCommandThread } from './command-in-thread.ts';

const commandFile = fileURLToPath(new URL('../../../edged/bin/edged', import.meta.url));
const executable = process.env['EDGED_EXECUTABLE'];

/** The command and its first arguments: the built sources, or what EDGED_EXECUTABLE names. */
export const command: readonly [string, ...string[]] = executable
  ? [path.resolve(executable)]
  : [process.execPath, commandFile];

const [first, ...rest] = command;

/** These words as a line for sh(1), whatever is in them. */
export function shellLine(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(' ');
}

export interface CommandResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  /** Beside PATH; nothing else of this process's environment is passed on. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly directory?: string;
  readonly userId?: number;
  /** A program, with its first arguments, that runs the command, such as faketime(1). */
  readonly under?: readonly string[];
  /** Its own process in any case: what is asked is what a process does. */
  readonly asProcess?: boolean;
}

/** As on a laptop: the state root lies wherever it lies. */
export const skipMountCheck = { EDGE_STATE_ROOT_SKIP_MOUNT_CHECK: '1' } as const;

export function runCommand(args: readonly string[], options: CommandOptions = {}): CommandResult {
  const { environment = skipMountCheck, directory, userId, under = [], asProcess } = options;
  const env = { PATH: process.env['PATH'], ...environment };
  const needsProcess = asProcess || directory !== undefined || userId !== undefined || under[0];
  if (!executable && !needsProcess) {
    return askCommandThread(commandFile, { args, environment: env });
  }
  const [program = first, ...more] = [...under, first, ...rest, ...args];
  const { status, stdout, stderr, error } = spawnSync(program, more, {
    env,
    cwd: directory,
    uid: userId,
    encoding: 'utf8',
  });
  if (error) throw error;
  return { exitCode: status, stdout, stderr };
}

export interface RunningCommand {
  readonly child: ChildProcess;
  /** Resolves as soon as stderr holds this text; rejects when the command ends without it. */
  readonly says: (text: string) => Promise<void>;
  readonly ended: Promise<CommandResult>;
}

/** A command that runs beside others. */
export function startCommand(args: readonly string[]): RunningCommand {
  const child = spawn(first, [...rest, ...args], {
    env: { PATH: process.env['PATH'], ...skipMountCheck },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<CommandResult>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) => resolve({ exitCode, stdout, stderr }));
  });
  const says = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (stderr.includes(text)) resolve();
      };
      child.stderr?.on('data', look);
      child.on('close', () => {
        look();
        reject(new Error(`ended without "${text}": ${stderr}`));
      });
      look();
    });
  return { child, says, ended };
}
