/**
 * A disk in memory that remembers every primitive step, so that `power-cut.ts` can say what a power
 * failure after any of them may leave. It takes the same steps as the adapters of `@edged/host`
 * (`tests/adversary/crash/system-calls.test.ts` compares them with the real system calls).
 *
 * The faults it allows are as weak as the filesystems we support allow, and no weaker:
 * - file data that was not fsynced may be there, be missing, be cut short, or be zeros;
 * - each change of a directory that was not fsynced may be lost on its own, in any order; fsync of
 *   a file does not make its name durable;
 * - a rename within or across directories may be lost, or show both names; it never loses the file
 *   (ext4, XFS, btrfs, f2fs, UBIFS: the new name is durable no later than the loss of the old one);
 *   directories never show two names;
 * - what was fsynced stays.
 */
import { type CopyOptions, type Disk, DiskError, type EntryStatus } from '@edged/host/host';

/** Files by path relative to the root; `undefined` is a directory. */
export type Tree = ReadonlyMap<string, Uint8Array | undefined>;

export class Inode {
  bytes: Uint8Array | undefined;
  readonly entries: Map<string, Inode> | undefined;

  constructor(bytes: Uint8Array | undefined) {
    this.bytes = bytes;
    this.entries = bytes ? undefined : new Map();
  }
}

/** One change of one name in one directory. */
export interface NameChange {
  readonly directory: Inode;
  readonly name: string;
  /** Undefined: the name goes. */
  readonly to: Inode | undefined;
  /** Is never durable before this one. */
  readonly after?: NameChange;
}

/** A primitive step, in the order of the system calls. */
export interface Step {
  /** `rename bootstrap/transaction/journal.json.new bootstrap/transaction/journal.json`. */
  readonly label: string;
  readonly changes: readonly NameChange[];
  /** Data written to a file: all of it. */
  readonly written?: { readonly inode: Inode; readonly bytes: Uint8Array };
  readonly synced?: Inode;
}

/** Faults of the adapter that tests put in, to see themselves fail. */
export interface SimDiskFlaws {
  readonly skipFileSync?: boolean;
  readonly skipDirectorySync?: boolean;
  /** Installs by writing into the old file instead of by rename. */
  readonly installInPlace?: boolean;
}

/** What a kernel may refuse that does nothing wrong. */
export interface SimDiskRules {
  /** A second name for any file, as for those of other users (fs.protected_hardlinks). */
  readonly refusesLinks?: boolean;
}

const mode = 0o644;
const device = 1;
const owner = { userId: 0, groupId: 0 };

export class SimDisk implements Disk {
  readonly root: Inode;
  readonly steps: Step[] = [];
  /** Names and bytes before the first step, all of them durable. */
  readonly initialNames = new Map<Inode, ReadonlyMap<string, Inode>>();
  readonly initialBytes = new Map<Inode, Uint8Array>();
  readonly #flaws: SimDiskFlaws;
  readonly #rules: SimDiskRules;

  constructor(tree: Tree, flaws: SimDiskFlaws = {}, rules: SimDiskRules = {}) {
    this.root = grow(tree);
    this.#flaws = flaws;
    this.#rules = rules;
    this.#remember(this.root);
  }

  readFile(path: string, limitBytes: number): Uint8Array | undefined {
    const inode = this.#find(path);
    if (!inode) return undefined;
    if (!inode.bytes) throw new DiskError('read', path, 'EINVAL');
    if (inode.bytes.length > limitBytes) throw new DiskError('read', path, 'EFBIG');
    return inode.bytes;
  }

  scanFile(path: string, observe: (chunk: Uint8Array) => void): boolean {
    const bytes = this.readFile(path, Number.POSITIVE_INFINITY);
    if (bytes) observe(bytes);
    return bytes !== undefined;
  }

  status(path: string): EntryStatus | undefined {
    const inode = this.#find(path);
    if (!inode) return undefined;
    const kind = inode.bytes ? 'file' : 'directory';
    const linkable = !this.#rules.refusesLinks;
    return { kind, mode, sizeBytes: inode.bytes?.length ?? 0, device, owner, linkable };
  }

  mountId(path: string): number | undefined {
    return this.#find(path) && 1;
  }

  list(path: string): readonly string[] | undefined {
    const inode = this.#find(path);
    return inode?.entries && [...inode.entries.keys()].sort();
  }

  resolve(path: string): string | undefined {
    return path;
  }

  freeBytes(): number {
    return Number.MAX_SAFE_INTEGER;
  }

  createFile(path: string, bytes: Uint8Array): void {
    if (this.#find(path)) throw new DiskError('create', path, 'EEXIST');
    const staging = `${path}.new`;
    const inode = this.#write(staging, bytes);
    this.#sync(`fsync ${staging}`, inode, this.#flaws.skipFileSync);
    this.#move(staging, path);
  }

  copyFile(from: string, to: string, { observe, modeFor }: CopyOptions): number {
    const bytes = this.readFile(from, Number.POSITIVE_INFINITY);
    if (!bytes) throw new DiskError('copy', from, 'ENOENT');
    if (this.#find(to)) throw new DiskError('create', to, 'EEXIST');
    const inode = this.#write(to, bytes);
    observe(bytes);
    modeFor(mode);
    this.#sync(`fsync ${to}`, inode, this.#flaws.skipFileSync);
    return bytes.length;
  }

  changeOwner(path: string): void {
    throw new DiskError('chown', path, 'EPERM'); // all files here are of one owner
  }

  removeRights(path: string): void {
    throw new DiskError('chmod', path, 'EPERM'); // all files here have one mode
  }

  createDirectory(path: string): void {
    if (this.#find(path)) throw new DiskError('mkdir', path, 'EEXIST');
    const [directory, name] = this.#parent('mkdir', path);
    this.#take({
      label: `mkdir ${path}`,
      changes: [{ directory, name, to: new Inode(undefined) }],
    });
  }

  link(from: string, to: string): void {
    const inode = this.#find(from);
    if (!inode) throw new DiskError('link', from, 'ENOENT');
    if (this.#rules.refusesLinks) throw new DiskError('link', from, 'EPERM');
    const [directory, name] = this.#parent('link', to);
    this.#take({ label: `link ${from} ${to}`, changes: [{ directory, name, to: inode }] });
  }

  rename(from: string, to: string): void {
    const replaced = this.#find(to);
    const moved = this.#find(from);
    if (!moved) throw new DiskError('rename', from, 'ENOENT');
    if (replaced?.entries && replaced.entries.size > 0) {
      throw new DiskError('rename', to, 'ENOTEMPTY');
    }
    if (this.#flaws.installInPlace && replaced?.bytes && moved.bytes && from.includes('/staged/')) {
      this.#take({
        label: `write ${to}`,
        changes: [],
        written: { inode: replaced, bytes: moved.bytes },
      });
      this.#sync(`fsync ${to}`, replaced, false);
      return this.removeFile(from);
    }
    this.#move(from, to);
  }

  removeFile(path: string): void {
    if (!this.#find(path)?.bytes) throw new DiskError('unlink', path, 'ENOENT');
    const [directory, name] = this.#parent('unlink', path);
    this.#take({ label: `unlink ${path}`, changes: [{ directory, name, to: undefined }] });
  }

  removeDirectory(path: string): void {
    const inode = this.#find(path);
    if (!inode?.entries) throw new DiskError('rmdir', path, 'ENOENT');
    if (inode.entries.size > 0) throw new DiskError('rmdir', path, 'ENOTEMPTY');
    const [directory, name] = this.#parent('rmdir', path);
    this.#take({ label: `rmdir ${path}`, changes: [{ directory, name, to: undefined }] });
  }

  syncDirectory(path: string): void {
    const inode = this.#find(path);
    if (!inode?.entries) throw new DiskError('fsync', path, 'ENOENT');
    this.#sync(`fsync ${path}/`, inode, this.#flaws.skipDirectorySync);
  }

  isAt(): boolean {
    return true;
  }

  close(): void {
    // nothing is held
  }

  /** What is there now, as far as programs can see. */
  tree(): Tree {
    return harvest(
      this.root,
      (inode) => inode.entries ?? new Map(),
      (inode) => inode.bytes,
    );
  }

  #remember(inode: Inode): void {
    if (inode.bytes) this.initialBytes.set(inode, inode.bytes);
    if (!inode.entries) return;
    this.initialNames.set(inode, new Map(inode.entries));
    for (const child of inode.entries.values()) this.#remember(child);
  }

  #find(path: string): Inode | undefined {
    let inode: Inode | undefined = this.root;
    if (path === '') return inode;
    for (const name of path.split('/')) {
      if (inode && !inode.entries) throw new DiskError('walk', path, 'ENOTDIR');
      inode = inode?.entries?.get(name);
    }
    return inode;
  }

  #parent(operation: string, path: string): [Inode, string] {
    const slash = path.lastIndexOf('/');
    const directory = this.#find(path.slice(0, Math.max(slash, 0)));
    if (!directory?.entries) throw new DiskError(operation, path, 'ENOENT');
    return [directory, path.slice(slash + 1)];
  }

  #write(path: string, bytes: Uint8Array): Inode {
    const [directory, name] = this.#parent('create', path);
    const inode = new Inode(new Uint8Array());
    this.#take({ label: `create ${path}`, changes: [{ directory, name, to: inode }] });
    const copy = Uint8Array.from(bytes);
    this.#take({ label: `write ${path}`, changes: [], written: { inode, bytes: copy } });
    return inode;
  }

  #move(from: string, to: string): void {
    const inode = this.#find(from);
    // POSIX: two names of one file stay as they are
    if (inode === this.#find(to)) return this.#take({ label: `rename ${from} ${to}`, changes: [] });
    const [source, oldName] = this.#parent('rename', from);
    const [directory, name] = this.#parent('rename', to);
    const arrival: NameChange = { directory, name, to: inode };
    const departure: NameChange = {
      directory: source,
      name: oldName,
      to: undefined,
      after: arrival,
    };
    this.#take({ label: `rename ${from} ${to}`, changes: [arrival, departure] });
  }

  #sync(label: string, inode: Inode, skip: boolean | undefined): void {
    if (!skip) this.#take({ label, changes: [], synced: inode });
  }

  #take(step: Step): void {
    for (const { directory, name, to } of step.changes) {
      if (to) directory.entries?.set(name, to);
      else directory.entries?.delete(name);
    }
    if (step.written) step.written.inode.bytes = step.written.bytes;
    this.steps.push(step);
  }
}

/** A tree of paths from a tree of inodes, as somebody sees them. */
export function harvest(
  root: Inode,
  entriesOf: (inode: Inode) => ReadonlyMap<string, Inode>,
  bytesOf: (inode: Inode) => Uint8Array | undefined,
): Tree {
  const tree = new Map<string, Uint8Array | undefined>();
  const visit = (inode: Inode, prefix: string): void => {
    for (const [name, child] of entriesOf(inode)) {
      const path = `${prefix}${name}`;
      tree.set(path, child.entries ? undefined : (bytesOf(child) ?? new Uint8Array()));
      if (child.entries) visit(child, `${path}/`);
    }
  };
  visit(root, '');
  return new Map([...tree].sort(([one], [other]) => (one < other ? -1 : 1)));
}

function grow(tree: Tree): Inode {
  const root = new Inode(undefined);
  const directories = new Map([['', root]]);
  for (const path of [...tree.keys()].sort()) {
    const slash = path.lastIndexOf('/');
    const parent = directories.get(path.slice(0, Math.max(slash, 0)));
    if (!parent) throw new Error(`the tree has ${path} but not its directory`);
    const inode = new Inode(tree.get(path));
    parent.entries?.set(path.slice(slash + 1), inode);
    if (inode.entries) directories.set(path, inode);
  }
  return root;
}
