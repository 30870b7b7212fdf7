/**
 * What time it is, for a machine whose clock may be wrong by decades (spec I7). The clock has a
 * floor: the newest of the build time and the times on our own records. A clock below it is
 * wrong for certain; the floor is used in its place, and that is said.
 */
import type { Clock } from '@edged/host/host';
import { type Records, present } from '@edged/model/decision';
import type { Report } from './event.ts';

export interface TrustedTime {
  /** Milliseconds since 1970: the clock, or the floor where the clock is below it. */
  readonly milliseconds: number;
  /** RFC 3339, UTC. */
  readonly text: string;
  readonly verdict: 'clock' | 'floor';
}

export function trustedTime(
  clock: Clock,
  builtAt: string,
  records: Records,
  report: Report,
): TrustedTime {
  const wall = clock.wallMilliseconds();
  const floor = Math.max(
    ...[
      builtAt,
      present(records.fingerprint)?.capturedAt ?? '',
      present(records.current)?.rotatedAt ?? '',
    ].map(parseTime),
  );
  if (wall >= floor) return time(wall, 'clock');
  report('edge.clock.below_floor', { clock: toText(wall), floor: toText(floor) });
  return time(floor, 'floor');
}

function time(milliseconds: number, verdict: TrustedTime['verdict']): TrustedTime {
  return { milliseconds, text: toText(milliseconds), verdict };
}

function toText(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

function parseTime(text: string): number {
  const milliseconds = Date.parse(text);
  return Number.isNaN(milliseconds) ? 0 : milliseconds;
}
