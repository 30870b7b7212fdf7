/** One detail of a finding, for people: `key="text" number=7`, as in a log line. */
import { printable, quote } from './log-writer.ts';

export function describeDetail(detail: Readonly<Record<string, unknown>>): string {
  return Object.entries(detail)
    .map(([key, value]) => `${printable(key)}=${show(value)}`)
    .join(' ');
}

function show(value: unknown): string {
  return typeof value === 'string' ? quote(value) : printable(JSON.stringify(value));
}
