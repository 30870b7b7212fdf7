/** The processes of this machine, as /proc shows them. */
import fs from 'node:fs';

/** Of all processes, those that have this argument. */
export function processesWith(argument: string): number[] {
  return fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => argumentsOf(pid).includes(argument));
}

function argumentsOf(pid: number): string[] {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return []; // it has ended meanwhile
  }
}

/** False also when it has ended. */
export function hasOpen(pid: number, file: string): boolean {
  try {
    const descriptors = fs.readdirSync(`/proc/${pid}/fd`);
    return descriptors.some((fd) => fs.readlinkSync(`/proc/${pid}/fd/${fd}`) === file);
  } catch {
    return false; // it has ended meanwhile
  }
}
