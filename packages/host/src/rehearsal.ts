/**
 * A host on which everything can be done and nothing happens: what is written goes into a layer in
 * memory over the real disk, and is read from there. With it a dry run is the real run, so that
 * the two cannot disagree; nothing of it reaches the machine, and no lock is taken.
 *
 * A file that is copied is read, and told to its observer, but not kept: 2 GB of runtime need no
 * 2 GB of memory. What the machine would refuse is refused here where it can be known beforehand:
 * directories that are not ours to write in, owners that are not ours to give. What cannot be: a
 * disk that fails or fills up under the hand, extended attributes that it does not take.
 */
import {
  type CopyOptions,
  type Disk,
  DiskError,
  type EntryStatus,
  type Host,
  type Owner,
  isHalfMade,
} from './host.ts';
import { parentOf, requireOneMount, requireRemovable } from './mount-borders.ts';

/** A file that a real run would have left otherwise than it is. Absolute path. */
export interface RehearsedChange {
  readonly path: string;
  readonly change: 'added' | 'replaced' | 'removed';
}

export interface Rehearsal {
  readonly host: Host;
  /** So far, sorted by path; directories and what came and went again are left out. */
  readonly changes: () => readonly RehearsedChange[];
  /** When all is told: content is read from the disks until then. */
  readonly close: () => void;
}

/** What the layer says of a path; a directory in it hides what the disk has there. */
type Entry =
  | { readonly kind: 'gone' }
  | { readonly kind: 'directory'; readonly mode: number; readonly owner: Owner }
  | (FileContent & { readonly kind: 'file'; readonly mode: number; readonly owner: Owner });

/** `inode`: equal for two names of one file. */
type FileContent = { readonly inode: string | symbol } & (
  | { readonly bytes: Uint8Array; readonly sizeBytes: number }
  /** The content is that of a file on the disk, which nobody writes to. */
  | { readonly like: { readonly disk: Disk; readonly path: string }; readonly sizeBytes: number }
);

/** By absolute path; shared by every disk of one rehearsal. */
type Layer = Map<string, Entry>;

export function rehearse(host: Host): Rehearsal {
  const layer: Layer = new Map();
  const opened = new Map<string, Disk>();
  const openOnce = (canonicalPath: string): Disk => {
    const disk = opened.get(canonicalPath) ?? host.openDisk(canonicalPath);
    opened.set(canonicalPath, disk);
    return disk;
  };
  const canonical = (path: string): string => {
    const slash = path.lastIndexOf('/');
    const parent = host.inspectDirectory(path.slice(0, slash) || '/')?.canonicalPath;
    return parent === undefined ? path : `${parent === '/' ? '' : parent}${path.slice(slash)}`;
  };
  return {
    host: {
      ...host,
      openDisk: (path) => new RehearsalDisk(path, openOnce(path), host, layer),
      readFile(path, limitBytes) {
        const entry = layer.get(canonical(path));
        if (!entry) return host.readFile(path, limitBytes);
        if (entry.kind !== 'file') return undefined;
        return 'bytes' in entry
          ? entry.bytes
          : entry.like.disk.readFile(entry.like.path, limitBytes);
      },
      inspectDirectory(path) {
        const entry = layer.get(canonical(path));
        if (!entry || entry.kind === 'file') return host.inspectDirectory(path);
        if (entry.kind === 'gone') return undefined;
        const canonicalPath = canonical(path);
        const { mode, owner } = entry;
        const common = { isDirectory: true, ownedByUsOrRoot: true, access: 'writable' } as const;
        return { canonicalPath, mode, owner: owner.userId, ...common };
      },
      tryLock(path) {
        if (host.isLocked(path)) return undefined;
        return { release: () => undefined };
      },
    },
    changes: () => changesOf(layer, host),
    close: () => opened.forEach((disk) => disk.close()),
  };
}

function changesOf(layer: Layer, host: Host): readonly RehearsedChange[] {
  return [...layer]
    .flatMap(([path, { kind }]): RehearsedChange[] => {
      const isFileNow = kindOnDisk(path, host) === 'file';
      if (kind === 'file') return [{ path, change: isFileNow ? 'replaced' : 'added' }];
      return isFileNow ? [{ path, change: 'removed' }] : [];
    })
    .sort((one, other) => (one.path < other.path ? -1 : 1));
}

/** Whatever is no directory counts as a file. Undefined when nothing is there. */
function kindOnDisk(path: string, host: Host): 'file' | 'directory' | undefined {
  const slash = path.lastIndexOf('/');
  const parent = path.slice(0, slash) || '/';
  if (host.inspectDirectory(parent)?.isDirectory !== true) return undefined;
  if (host.listDirectory(parent)?.includes(path.slice(slash + 1)) !== true) return undefined;
  try {
    const found = host.inspectDirectory(path);
    // a symlink to a directory is none
    return found?.isDirectory === true && found.canonicalPath === path ? 'directory' : 'file';
  } catch (error) {
    if (error instanceof DiskError) return 'file'; // a symlink that leads nowhere
    throw error;
  }
}

class RehearsalDisk implements Disk {
  readonly #base: Disk;
  readonly #root: string;
  readonly #host: Host;
  readonly #layer: Layer;

  constructor(canonicalPath: string, base: Disk, host: Host, layer: Layer) {
    this.#base = base;
    this.#root = canonicalPath === '/' ? '' : canonicalPath;
    this.#host = host;
    this.#layer = layer;
  }

  readFile(path: string, limitBytes: number): Uint8Array | undefined {
    const entry = this.#find('read', path);
    if (entry === 'on disk') return this.#base.readFile(path, limitBytes);
    if (entry.kind === 'gone') return undefined;
    if (entry.kind === 'directory') throw new DiskError('read', path, 'EINVAL');
    if (entry.sizeBytes > limitBytes) throw new DiskError('read', path, 'EFBIG');
    return 'bytes' in entry ? entry.bytes : entry.like.disk.readFile(entry.like.path, limitBytes);
  }

  scanFile(path: string, observe: (chunk: Uint8Array) => void): boolean {
    const entry = this.#find('read', path);
    if (entry === 'on disk') return this.#base.scanFile(path, observe);
    if (entry.kind === 'directory') throw new DiskError('read', path, 'EINVAL');
    if (entry.kind === 'gone') return false;
    if (!('bytes' in entry)) return entry.like.disk.scanFile(entry.like.path, observe);
    observe(entry.bytes);
    return true;
  }

  status(path: string): EntryStatus | undefined {
    const entry = this.#find('status', path);
    if (entry === 'on disk') return this.#base.status(path);
    if (entry.kind === 'gone') return undefined;
    const { kind, mode, owner } = entry;
    const sizeBytes = kind === 'file' ? entry.sizeBytes : 0;
    const device = this.status(parentOf(path))?.device ?? 0;
    return { kind, mode, sizeBytes, device, owner, linkable: true };
  }

  /** What is new lies on the mount of the directory that it was put into. */
  mountId(path: string): number | undefined {
    const entry = this.#find('status', path);
    if (entry === 'on disk') return this.#base.mountId(path);
    return entry.kind === 'gone' ? undefined : this.mountId(parentOf(path));
  }

  list(path: string): readonly string[] | undefined {
    const entry = this.#find('list', path);
    if (entry !== 'on disk' && entry.kind === 'gone') return undefined;
    if (entry !== 'on disk' && entry.kind === 'file') throw new DiskError('list', path, 'ENOTDIR');
    const names = new Set(entry === 'on disk' ? this.#base.list(path) : []);
    if (entry === 'on disk' && !this.#base.status(path)) return undefined;
    const prefix = `${this.#absolute(path)}/`;
    for (const [name, { kind }] of this.#layer) {
      const inside = name.startsWith(prefix) ? name.slice(prefix.length) : '';
      if (inside === '' || inside.includes('/')) continue;
      if (kind === 'gone') names.delete(inside);
      else names.add(inside);
    }
    return [...names].sort();
  }

  resolve(path: string): string | undefined {
    const isOnDisk = this.#entry(path) === 'on disk';
    return isOnDisk ? this.#base.resolve(path) : path;
  }

  freeBytes(): number {
    return this.#base.freeBytes();
  }

  createFile(path: string, bytes: Uint8Array, mode: number): void {
    this.#add('create', path, {
      kind: 'file',
      inode: Symbol(path),
      bytes: Uint8Array.from(bytes),
      sizeBytes: bytes.length,
      mode,
      owner: ourselves(),
    });
  }

  copyFile(from: string, to: string, { modeFor, observe }: CopyOptions): number {
    const { kind, mode = 0 } = this.status(from) ?? {};
    if (kind !== 'file') throw new DiskError('copy', from, kind ? 'EINVAL' : 'ENOENT');
    this.#requireRoom('create', to);
    let sizeBytes = 0;
    this.scanFile(from, (chunk) => {
      sizeBytes += chunk.length;
      observe(chunk);
    });
    const content = { ...this.#contentOf(from, sizeBytes), inode: Symbol(to) };
    const owner = ourselves();
    this.#add('create', to, { kind: 'file', ...content, mode: modeFor(mode), owner });
    return sizeBytes;
  }

  changeOwner(path: string, owner: Owner): void {
    if (ourselves().userId !== 0) throw new DiskError('chown', path, 'EPERM');
    const entry = this.#movable('chown', path);
    if (entry.kind !== 'file') throw new DiskError('chown', path, 'EINVAL');
    this.#layer.set(this.#absolute(path), { ...entry, owner });
  }

  removeRights(path: string): void {
    throw new DiskError('chmod', path, 'EPERM'); // nothing that is rehearsed asks for it
  }

  createDirectory(path: string, mode: number): void {
    const found = this.status(path);
    if (found && isHalfMade(found)) return; // what lies in it, if anything, stays
    this.#add('mkdir', path, { kind: 'directory', mode, owner: ourselves() });
  }

  link(from: string, to: string): void {
    this.#requireParent('link', from);
    this.#requireParent('link', to);
    requireOneMount(this, 'link', from, to);
    const linked = this.#movable('link', from);
    this.#requireRoom('link', to);
    const { linkable = false } = this.status(from) ?? {};
    if (linked.kind === 'directory' || !linkable) throw new DiskError('link', from, 'EPERM');
    this.#add('link', to, linked);
  }

  /** In the order in which rename(2) objects. */
  rename(from: string, to: string): void {
    this.#requireParent('rename', from);
    this.#requireParent('rename', to);
    requireOneMount(this, 'rename', parentOf(from), to);
    const moved = this.#movable('rename', from);
    if (to.startsWith(`${from}/`)) throw new DiskError('rename', to, 'EINVAL');
    if (from.startsWith(`${to}/`)) throw new DiskError('rename', to, 'ENOTEMPTY');
    const replaced = this.status(to) && this.#movable('rename', to);
    if (from === to || isSameFile(moved, replaced)) return;
    if (replaced && replaced.kind !== moved.kind) {
      const errno = replaced.kind === 'directory' ? 'EISDIR' : 'ENOTDIR';
      throw new DiskError('rename', to, errno);
    }
    if (replaced?.kind === 'directory' && this.list(to)?.length !== 0) {
      throw new DiskError('rename', to, 'ENOTEMPTY');
    }
    this.#requireRemovable('rename', from);
    this.#requireRemovable('rename', to);
    const inside = moved.kind === 'directory' ? (this.list(from) ?? []) : [];
    this.#layer.set(this.#absolute(to), moved);
    for (const name of inside) this.rename(`${from}/${name}`, `${to}/${name}`);
    this.#layer.set(this.#absolute(from), { kind: 'gone' });
  }

  removeFile(path: string): void {
    const found = this.status(path);
    if (!found) throw new DiskError('unlink', path, 'ENOENT');
    if (found.kind === 'directory') throw new DiskError('unlink', path, 'EISDIR');
    this.#requireRemovable('unlink', path);
    this.#layer.set(this.#absolute(path), { kind: 'gone' });
  }

  removeDirectory(path: string): void {
    const found = this.status(path);
    if (!found) throw new DiskError('rmdir', path, 'ENOENT');
    if (found.kind !== 'directory') throw new DiskError('rmdir', path, 'ENOTDIR');
    if (this.list(path)?.length !== 0) throw new DiskError('rmdir', path, 'ENOTEMPTY');
    this.#requireRemovable('rmdir', path);
    this.#layer.set(this.#absolute(path), { kind: 'gone' });
  }

  syncDirectory(path: string): void {
    const { kind } = this.status(path) ?? {};
    if (kind !== 'directory') throw new DiskError('fsync', path, kind ? 'ENOTDIR' : 'ENOENT');
  }

  isAt(path: string): boolean {
    return this.#base.isAt(path);
  }

  close(): void {
    // what is in the layer may be content of the base: that stays open until the rehearsal is over
  }

  #absolute(path: string): string {
    return path === '' ? this.#root : `${this.#root}/${path}`;
  }

  /** The layer speaks for a path when it has it, or has a directory above it. */
  #entry(path: string): Entry | 'on disk' {
    const absolute = this.#absolute(path);
    const own = this.#layer.get(absolute);
    if (own) return own;
    for (let end = absolute.lastIndexOf('/'); end > 0; end = absolute.lastIndexOf('/', end - 1)) {
      if (this.#layer.has(absolute.slice(0, end))) return { kind: 'gone' };
    }
    return 'on disk';
  }

  /** As `#entry`; throws where the way there leads through a file. */
  #find(operation: string, path: string): Entry | 'on disk' {
    const absolute = this.#absolute(path);
    for (let end = absolute.lastIndexOf('/'); end > 0; end = absolute.lastIndexOf('/', end - 1)) {
      const above = this.#layer.get(absolute.slice(0, end));
      if (above?.kind === 'file') throw new DiskError(operation, path, 'ENOTDIR');
    }
    return this.#entry(path);
  }

  /** As an entry of the layer, under whatever name it gets. */
  #movable(operation: string, path: string): Exclude<Entry, { kind: 'gone' }> {
    const entry = this.#find(operation, path);
    if (entry !== 'on disk') {
      if (entry.kind === 'gone') throw new DiskError(operation, path, 'ENOENT');
      return entry;
    }
    const found = this.#base.status(path);
    if (!found) throw new DiskError(operation, path, 'ENOENT');
    const { kind, mode, sizeBytes, owner } = found;
    if (kind === 'directory') return { kind, mode, owner };
    return { kind: 'file', ...this.#contentOf(path, sizeBytes), mode, owner };
  }

  #contentOf(path: string, sizeBytes: number): FileContent {
    const entry = this.#entry(path);
    const inode = this.#absolute(path);
    if (entry === 'on disk') return { inode, like: { disk: this.#base, path }, sizeBytes };
    if (entry.kind !== 'file') throw new DiskError('open', path, 'ENOENT');
    return entry;
  }

  #add(operation: string, path: string, entry: Entry): void {
    this.#requireRoom(operation, path);
    this.#requireWritableParent(operation, path);
    this.#layer.set(this.#absolute(path), entry);
  }

  #requireRoom(operation: string, path: string): void {
    this.#requireParent(operation, path);
    if (this.status(path)) throw new DiskError(operation, path, 'EEXIST');
  }

  #requireParent(operation: string, path: string): void {
    const { kind } = this.status(parentOf(path)) ?? {};
    if (kind !== 'directory') throw new DiskError(operation, path, kind ? 'ENOTDIR' : 'ENOENT');
  }

  #requireRemovable(operation: string, path: string): void {
    this.#requireWritableParent(operation, path);
    requireRemovable(this, operation, path, ourselves().userId);
  }

  #requireWritableParent(operation: string, path: string): void {
    const parent = parentOf(path);
    if (this.#entry(parent) !== 'on disk') return;
    const access = this.#host.inspectDirectory(this.#absolute(parent) || '/')?.access;
    if (access === 'denied') throw new DiskError(operation, path, 'EACCES');
    if (access === 'read_only_mount') throw new DiskError(operation, path, 'EROFS');
  }
}

function isSameFile(one: Entry, other: Entry | undefined): boolean {
  return one.kind === 'file' && other?.kind === 'file' && one.inode === other.inode;
}

function ourselves(): Owner {
  return { userId: process.geteuid?.() ?? 0, groupId: process.getegid?.() ?? 0 };
}
