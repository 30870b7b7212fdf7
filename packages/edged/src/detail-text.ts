/** One detail of a finding, for people: `key="text" number=7`, as in a log line. */

export function describeDetail(detail: Readonly<Record<string, unknown>>): string {
  return Object.entries(detail)
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join(' ');
}
