/** /proc/self/mountinfo (proc_pid_mountinfo(5)), read leniently in length and strictly in form. */
import type { Mount } from './host.ts';

/** Lines that are not of the documented form are left out: the kernel writes none. */
export function parseMountInfo(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const mount = parseLine(line);
    return mount ? [mount] : [];
  });
}

function parseLine(line: string): Mount | undefined {
  const fields = line.split(' ');
  const separator = fields.indexOf('-', 6);
  const [mountId, parentId, device, tree, mountPoint, options] = fields;
  const [fsType, source, superOptions] = fields.slice(separator + 1);
  if (separator < 0 || !mountPoint?.startsWith('/') || !device || !fsType) return undefined;
  return {
    mountId: Number(mountId),
    parentId: Number(parentId),
    device,
    tree: unescapeOctal(tree ?? ''),
    mountPoint: unescapeOctal(mountPoint),
    fsType,
    source: unescapeOctal(source ?? ''),
    readOnly: hasOption(options, 'ro') || hasOption(superOptions, 'ro'),
    noExec: hasOption(options, 'noexec') || hasOption(superOptions, 'noexec'),
    line,
  };
}

function hasOption(options: string | undefined, name: string): boolean {
  return (options ?? '').split(',').includes(name);
}

/** The kernel writes space, tab, newline and backslash as `\040` and so on, byte by byte. */
function unescapeOctal(text: string): string {
  return text.replace(/(?:\\[0-3][0-7]{2})+/g, (escaped) => {
    const bytes = escaped
      .split('\\')
      .slice(1)
      .map((digits) => Number.parseInt(digits, 8));
    return Buffer.from(bytes).toString();
  });
}

/**
 * The mount that an absolute, canonical path leads to, found as the kernel finds it: from the top
 * of the tree of mounts down, at each step into the child that lies nearest. What is mounted above
 * or over a mount hides it; the order of the lines does not tell that after `mount --move`.
 */
export function mountOf(path: string, mounts: readonly Mount[]): Mount | undefined {
  const ids = new Set(mounts.map(({ mountId }) => mountId));
  const below = (parent: Mount | undefined, mount: Mount): boolean =>
    parent
      ? mount.parentId === parent.mountId && isEntered(mount, parent)
      : mount.parentId === mount.mountId || !ids.has(mount.parentId);
  let left = mounts.filter(({ mountPoint }) => isWithin(path, mountPoint));
  for (let found: Mount | undefined; ;) {
    const children = left.filter((mount) => below(found, mount));
    const next = nearest(children);
    if (!next) return found;
    left = left.filter((mount) => mount !== next); // no table, however torn, is walked for ever
    found = next;
  }
}

/**
 * A path starts at the root directory of the process: what was mounted over that later is not
 * entered. An initramfs is left for what is mounted over it.
 */
function isEntered({ mountPoint }: Mount, parent: Mount): boolean {
  return mountPoint !== '/' || parent.fsType === 'rootfs';
}

/** Of absolute, canonical paths: whether the first is the directory, or lies below it. */
export function isWithin(path: string, directory: string): boolean {
  return directory === '/' || path === directory || path.startsWith(`${directory}/`);
}

/** Of several on one point the last. */
function nearest(mounts: readonly Mount[]): Mount | undefined {
  const [first, ...others] = mounts;
  return others.reduce(
    (best, mount) => (mount.mountPoint.length <= (best?.mountPoint.length ?? 0) ? mount : best),
    first,
  );
}
