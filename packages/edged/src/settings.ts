/** The environment, read once. Nothing else in the house looks at it. */
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
  /** stderr is a terminal (and TERM is not `dumb`): somebody may be looking. Asked when needed. */
  readonly stderrIsTerminal: () => boolean;
  /** stderr is the systemd journal (JOURNAL_STREAM, systemd.exec(5)). */
  readonly stderrIsJournal: boolean;
}

export function readSettings(environment: NodeJS.ProcessEnv): Settings {
  return {
    stateRoot: environment['EDGE_STATE_ROOT'] || undefined,
    skipMountCheck: environment['EDGE_STATE_ROOT_SKIP_MOUNT_CHECK'] === '1',
    credentialsDirectory: environment['CREDENTIALS_DIRECTORY'] || undefined,
    runtimeDirectory: environment['RUNTIME_DIRECTORY']?.split(':')[0] || undefined,
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
