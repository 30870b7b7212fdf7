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
  const [mountId, , device, , mountPoint, options] = fields;
  const [fsType, source, superOptions] = fields.slice(separator + 1);
  if (separator < 0 || !mountPoint?.startsWith('/') || !device || !fsType) return undefined;
  return {
    mountId: Number(mountId),
    device,
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

/** The mount that holds an absolute, canonical path: longest mount point, the last one wins. */
export function mountOf(path: string, mounts: readonly Mount[]): Mount | undefined {
  let found: Mount | undefined;
  for (const mount of mounts) {
    const point = mount.mountPoint === '/' ? '' : mount.mountPoint;
    const holds = path === point || path.startsWith(`${point}/`) || point === '';
    if (holds && mount.mountPoint.length >= (found?.mountPoint.length ?? 0)) found = mount;
  }
  return found;
}
