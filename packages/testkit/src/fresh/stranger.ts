/**
 * Types a command as the stranger: in the root, in the checkout, without privileges, with PATH,
 * HOME and LANG for its whole environment, no terminal and nothing to read. The root has /proc and
 * pseudo terminals of its own, /sys to read, and of the devices those that any program may expect.
 */
import path from 'node:path';
import type { Release } from './cells.ts';
import { type CommandRun, lastLines, runEnclosed } from './enclosed-command.ts';
import { checkout, stranger } from './fresh-root.ts';

export interface TypedCommand {
  readonly command: readonly string[];
  readonly searchPath: string;
  readonly hasNetwork: boolean;
  readonly isCheckoutReadOnly: boolean;
  readonly log: string;
  readonly limitSeconds: number;
  readonly interruption: AbortSignal;
}

/** Exit code when the command was not reached. */
const couldNotEnter = 125;

/**
 * In namespaces of its own. As /tmp Debian has a directory, from trixie on a tmpfs. The old root is
 * left by pivot_root, since in a chroot nobody can make a namespace of users.
 */
const enter = `
set -eu
trap 'exit ${couldNotEnter}' EXIT
root=$1 tmp=$2 access=$3 network=$4 checkout=$5
shift 5
if [ "$network" = none ]; then ip link set lo up; fi
mount --bind "$root" "$root"
cd "$root"
mount -t proc proc proc
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs sys
mount -t tmpfs -o mode=0755,nosuid tmpfs dev
for device in null zero full random urandom tty; do
  : > "dev/$device"
  mount --bind "/dev/$device" "dev/$device"
done
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr
mkdir dev/shm dev/pts
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5,nosuid,noexec devpts dev/pts
ln -s pts/ptmx dev/ptmx
if [ "$tmp" = tmpfs ]; then mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs tmp; fi
if [ "$access" = ro ]; then
  mount --bind "./$checkout" "./$checkout"
  mount -o remount,bind,ro "./$checkout"
fi
pivot_root . .
umount -l .
cd "$checkout"
umask 022
trap - EXIT
"$@" < /dev/null
exit $?
`;

/** Throws when the root cannot be entered. */
export async function typeCommand(
  root: string,
  release: Release,
  typed: TypedCommand,
): Promise<CommandRun> {
  const enterArguments = [
    path.resolve(root),
    release === 'bookworm' ? 'directory' : 'tmpfs',
    typed.isCheckoutReadOnly ? 'ro' : 'rw',
    typed.hasNetwork ? 'shared' : 'none',
    checkout,
  ];
  const user = [`--reuid=${stranger.id}`, `--regid=${stranger.id}`, '--clear-groups'];
  const unprivileged = ['setpriv', ...user, '--inh-caps=-all'];
  const environment = [`PATH=${typed.searchPath}`, `HOME=${stranger.home}`, 'LANG=C'];
  const command = [...unprivileged, 'env', '-i', ...environment, ...typed.command];
  const words = ['sh', '-c', enter, 'enter', ...enterArguments, ...command];
  const run = await runEnclosed(words, typed);
  if (run.exitCode === couldNotEnter) {
    throw new Error(`the root cannot be entered: ${lastLines(run.output, 1).join('')}`);
  }
  return run;
}
