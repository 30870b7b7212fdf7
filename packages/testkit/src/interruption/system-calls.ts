/**
 * The built command under strace(1): which system calls change the state root, in which order, and
 * what happens when the process is killed at one of them or one of them fails.
 *
 * `when=N` of strace counts per system call number and thread, so a point is (call, N). Only the
 * main thread is traced: everything that changes the state root happens there.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';

/** Every call by which a file system changes. */
export const changing = [
  'openat,creat,mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,rmdir,link,linkat,symlink',
  'write,pwrite64,writev,pwritev,fsync,fdatasync,ftruncate,truncate,fallocate,copy_file_range',
  'sendfile,chmod,fchmod,fchmodat,chown,fchown,fchownat,utimensat,setxattr,fsetxattr',
].join(',');

/** Every call that looks at it. */
const looking =
  'read,pread64,readv,getdents64,stat,lstat,fstat,newfstatat,statx,statfs,fstatfs,readlink,' +
  'readlinkat,access,faccessat,faccessat2';

export interface TracedCommand {
  /** The executable and its arguments. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Canonical path of the state root. */
  readonly stateRoot: string;
  /** Where the trace is written. */
  readonly traceFile: string;
}

/** A call that touches the state root. */
export interface CallPoint {
  /** False: it only looks. */
  readonly changes: boolean;
  readonly call: string;
  /** The how-manieth call of this name in the process, from 1: what strace counts. */
  readonly ordinal: number;
  /** The how-manieth point with this label, from 1: the same in every run. */
  readonly occurrence: number;
  /** In the words of `SimDisk`: `rename a b`, `fsync a`, `fsync a/`. */
  readonly label: string;
}

export interface Interruption {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
  /** False when another call was hit, or none. */
  readonly happened: boolean;
}

/** Runs to the end; the calls that touch the state root, in order. */
export function traceChanges(traced: TracedCommand): {
  exitCode: number | null;
  points: CallPoint[];
} {
  const { status } = strace(traced, []);
  return {
    exitCode: status,
    points: parseTrace(fs.readFileSync(traced.traceFile, 'utf8'), traced),
  };
}

/** Kills the process when it makes this call, before the call is carried out. */
export function killAt(traced: TracedCommand, point: CallPoint): Interruption {
  const injection = `${point.call}:signal=SIGKILL:error=EINTR:when=${point.ordinal}`;
  const { status, signal, stderr } = strace(traced, [`inject=${injection}`]);
  const wasKilled = signal === 'SIGKILL' || status === 137;
  return { exitCode: status, signal, stderr, happened: wasKilled && wasHit(traced, point) };
}

/** Lets this call fail. */
export function failAt(traced: TracedCommand, point: CallPoint, errno: string): Interruption {
  const injection = `${point.call}:error=${errno}:when=${point.ordinal}`;
  const { status, signal, stderr } = strace(traced, [`inject=${injection}`]);
  return { exitCode: status, signal, stderr, happened: wasHit(traced, point) };
}

/** Whether the call that was counted to was the one that was meant. */
function wasHit(traced: TracedCommand, point: CallPoint): boolean {
  const seen = parseTrace(fs.readFileSync(traced.traceFile, 'utf8'), traced);
  const hit = seen.find(({ call, ordinal }) => call === point.call && ordinal === point.ordinal);
  return hit?.label === point.label && hit.occurrence === point.occurrence;
}

function strace(
  { command, environment, traceFile }: TracedCommand,
  injections: readonly string[],
): { status: number | null; signal: NodeJS.Signals | null; stderr: string } {
  const options = ['-y', '-s', '0', '-o', traceFile, '-e', `trace=${changing},${looking}`];
  const inject = injections.flatMap((injection) => ['-e', injection]);
  const { status, signal, stderr, error } = spawnSync(
    'strace',
    [...options, ...inject, '--', ...command],
    { env: environment, encoding: 'utf8' },
  );
  if (error) throw error;
  return { status, signal, stderr };
}

/** What a trace says of the state root, every other line counted but left out. */
export function parseTrace(text: string, { stateRoot }: { stateRoot: string }): CallPoint[] {
  const pathOfDescriptor = new Map<string, string>();
  const ordinals = new Map<string, number>();
  const occurrences = new Map<string, number>();
  const points: CallPoint[] = [];
  for (const line of text.split('\n')) {
    const [, call, rest] = /^(\w+)\((.*)$/.exec(line) ?? [];
    if (call === undefined || rest === undefined) continue;
    const ordinal = (ordinals.get(call) ?? 0) + 1;
    ordinals.set(call, ordinal);
    const opened = / = (\d+)<([^>]*)>$/.exec(rest);
    const label = labelOf(call, rest, stateRoot, pathOfDescriptor);
    if (opened?.[1] && opened[2] !== undefined) pathOfDescriptor.set(opened[1], opened[2]);
    if (label !== undefined) {
      const occurrence = (occurrences.get(`${call} ${label}`) ?? 0) + 1;
      occurrences.set(`${call} ${label}`, occurrence);
      points.push({ call, ordinal, occurrence, label, changes: !label.startsWith('look ') });
    }
  }
  return points;
}

function labelOf(
  call: string,
  rest: string,
  stateRoot: string,
  pathOfDescriptor: ReadonlyMap<string, string>,
): string | undefined {
  const inside = (path: string): string | undefined => {
    const absolute = path.replace(
      /^\/proc\/self\/fd\/(\d+)/,
      (whole, fd: string) => pathOfDescriptor.get(fd) ?? whole,
    );
    if (absolute === stateRoot) return '.';
    const isInside = absolute.startsWith(`${stateRoot}/`);
    return isInside ? plain(absolute.slice(stateRoot.length + 1)) : undefined;
  };
  const [first, second] = [...rest.matchAll(/"([^"]*)"/g)].map(([, path]) => inside(path ?? ''));
  const [, descriptorPath = ''] = /^\d+<([^>]*)>/.exec(rest) ?? [];
  const target = first ?? inside(descriptorPath);
  if (target === undefined) return undefined;
  const isLook = looking.split(',').includes(call);
  if (isLook || (call === 'openat' && !rest.includes('O_CREAT'))) return `look ${call} ${target}`;
  if (call === 'openat') return `create ${target}`;
  if (/^p?writev?(64)?$/.test(call)) return `write ${target}`;
  if (/^f(data)?sync$/.test(call))
    return `fsync ${target}${isDirectory(descriptorPath) ? '/' : ''}`;
  if (/^(rename|link)/.test(call)) return `${call.replace(/at2?$/, '')} ${target} ${second}`;
  return `${call.replace(/^f(?=ch)|at$/g, '')} ${target}`;
}

/**
 * Directories of the state root are known by their names: only files have an extension or a digit.
 */
function isDirectory(path: string): boolean {
  return !/\.json(\.\w+)?(\.\d+)?$|\/staged\/\d+$/.test(path);
}

/** Names that differ from run to run, made the same. */
function plain(path: string): string {
  return path.replace(/epoch_\d+/, 'epoch_T').replace(/\.\d{6,}$/, '.new');
}
