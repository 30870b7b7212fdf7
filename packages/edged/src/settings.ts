/**
 * The environment, read once. Nothing else in the house looks at it; what Node looks at by itself
 * (`TMPDIR`) aside.
 */
import fs from 'node:fs';

export interface Settings {
  /** EDGE_STATE_ROOT: overrides `state_root.root`. Empty counts as unset. */
  readonly stateRoot: string | undefined;
  /** EDGE_STATE_ROOT_SKIP_MOUNT_CHECK, exactly `1`. */
  readonly skipMountCheck: boolean;
  /** CREDENTIALS_DIRECTORY (systemd.exec(5)). */
  readonly credentialsDirectory: string | undefined;
  /** RUNTIME_DIRECTORY (systemd.exec(5)): where results are kept until the next boot. */
  readonly runtimeDirectory: string | undefined;
  /** SHELL: for which shell `edged completion` speaks when none is named. */
  readonly shell: string | undefined;
  /** NOTIFY_SOCKET (sd_notify(3)): systemd listens to a status line. */
  readonly notifySocket: string | undefined;
  /** What stdout may carry. Asked when needed. */
  readonly stdoutStyle: () => StdoutStyle;
  /** stderr is a terminal (and TERM is not `dumb`): somebody may be looking. Asked when needed. */
  readonly stderrIsTerminal: () => boolean;
  /** stderr is the systemd journal (JOURNAL_STREAM, systemd.exec(5)). */
  readonly stderrIsJournal: boolean;
}

export interface StdoutStyle {
  /** A terminal, and neither NO_COLOR (no-color.org) nor TERM=dumb speaks against it. */
  readonly color: boolean;
  /** Of the terminal; 80 where there is none. */
  readonly columns: number;
}

export function readSettings(environment: NodeJS.ProcessEnv): Settings {
  return {
    stateRoot: environment['EDGE_STATE_ROOT'] || undefined,
    skipMountCheck: environment['EDGE_STATE_ROOT_SKIP_MOUNT_CHECK'] === '1',
    credentialsDirectory: environment['CREDENTIALS_DIRECTORY'] || undefined,
    runtimeDirectory: environment['RUNTIME_DIRECTORY']?.split(':')[0] || undefined,
    shell: environment['SHELL'] || undefined,
    notifySocket: environment['NOTIFY_SOCKET'] || undefined,
    stdoutStyle: () => {
      const isTerminal = process.getBuiltinModule('node:tty').isatty(1);
      const isPlain = Boolean(environment['NO_COLOR']) || environment['TERM'] === 'dumb';
      const columns = isTerminal ? process.stdout.columns || 80 : 80;
      return { color: isTerminal && !isPlain, columns };
    },
    // node:tty loads Node's sockets and streams, which a matching boot has no use for
    stderrIsTerminal: () =>
      environment['TERM'] !== 'dumb' && process.getBuiltinModule('node:tty').isatty(2),
    stderrIsJournal: isStderr(environment['JOURNAL_STREAM']),
  };
}

function isStderr(journalStream: string | undefined): boolean {
  if (!journalStream) return false;
  const { dev, ino } = fs.fstatSync(2);
  return journalStream === `${dev}:${ino}`;
}
