/**
 * What time it is, for a machine whose clock may be wrong by decades (spec I7). Three verdicts:
 *
 *   synchronised  a time service has set this clock since boot: it is the time
 *   floor         nobody has; the clock is not before the floor and not absurdly far after it: it
 *                 is taken for the time, but a validity that has not begun yet proves nothing
 *   implausible   the clock is before the floor, or years after it: it is wrong for certain, and
 *                 the floor is used, which has passed whatever the clock shows
 *
 * The floor is the newest of: the build, systemd's clock files, the issue of a manifest that was
 * accepted, and the times on our own records, but only of those that were written by a synchronised
 * clock: any other may have been years ahead in that one boot (I7). Whoever writes the state root
 * can forge a record: none raises the floor further than a clock would be believed.
 */
import type { Clock, OperatingSystem } from '@edged/host/host';
import { type Records, present } from '@edged/model/decision';
import { type EpochEvidence, acceptanceOf } from '@edged/model/epoch-evidence';
import type { Report } from '../event.ts';

/**
 * How far the clock is believed. `synchronised`: a time service has set it; `floor`: nobody has,
 * but it is taken for the time; `implausible`: it is wrong for certain, and the floor is used.
 */
export type TimeVerdict = 'synchronised' | 'floor' | 'implausible';

export interface TrustedTime {
  /** Milliseconds since 1970: the clock, or the floor where the clock is implausible. */
  readonly milliseconds: number;
  /** RFC 3339, UTC. */
  readonly text: string;
  readonly verdict: TimeVerdict;
  /** A time that has passed for certain, or a synchronised clock: no later than `milliseconds`. */
  readonly floorMilliseconds: number;
  /** What the clock shows, believed or not. */
  readonly clockMilliseconds: number;
}

export interface TimeOrder {
  /** RFC 3339: no true clock shows an earlier time. */
  readonly builtAt: string;
  /** There since a time service has set the clock in this boot. */
  readonly synchronizedMarker: string;
}

/** Touched by systemd-timesyncd at every synchronization (systemd-timesyncd.service(8)). */
export const timesyncMarker = '/run/systemd/timesync/synchronized';

/** Their modification times are times that have passed (systemd-timesyncd.service(8)). */
const clockFiles = ['/var/lib/systemd/timesync/clock', '/usr/lib/clock-epoch'] as const;

/** A clock this far past the floor is not believed: a certificate lives one year, an OS two. */
const mostAheadMilliseconds = 5 * 365.25 * 86_400_000;

/** systemd writes the clock that it has into its files: one of 2099 would poison them for good. */
const oldestBuild = 2 * mostAheadMilliseconds;

interface Floor {
  readonly milliseconds: number;
  readonly from: string;
}

export function trustedTime(
  order: TimeOrder,
  clock: Clock,
  system: OperatingSystem,
  records: Records,
  report: Report,
): TrustedTime {
  const wall = clock.wallMilliseconds();
  const solid = newest([
    { milliseconds: parseTime(order.builtAt), from: 'the build' },
    ...clockFiles
      .map((from) => ({ milliseconds: system.modifiedAt(from) ?? 0, from }))
      .filter(({ milliseconds }) => milliseconds <= parseTime(order.builtAt) + oldestBuild),
  ]);
  const isSynchronized = system.modifiedAt(order.synchronizedMarker) !== undefined;
  if (isSynchronized && wall >= parseTime(order.builtAt)) {
    return time(wall, 'synchronised', wall, wall);
  }
  const latest = solid.milliseconds + mostAheadMilliseconds;
  const floor = newest([
    solid,
    ...recordedTimes(records).filter(({ milliseconds }) => milliseconds <= latest),
  ]);
  const isPlausible =
    wall >= floor.milliseconds && wall <= floor.milliseconds + mostAheadMilliseconds;
  if (isPlausible) return time(wall, 'floor', floor.milliseconds, wall);
  report('edge.clock.implausible', {
    clock: toText(wall),
    floor: toText(floor.milliseconds),
    floor_from: floor.from,
  });
  return time(floor.milliseconds, 'implausible', floor.milliseconds, wall);
}

/** The same time, but not before this one, which has passed for certain. */
export function notBefore(now: TrustedTime, text: string | undefined): TrustedTime {
  const milliseconds = parseTime(text);
  if (now.verdict === 'synchronised' || milliseconds <= now.floorMilliseconds) return now;
  if (milliseconds <= now.milliseconds) return { ...now, floorMilliseconds: milliseconds };
  return time(milliseconds, 'implausible', milliseconds, now.clockMilliseconds);
}

/** The evidence says by which clock it was written; fingerprint and history do not. */
function recordedTimes({ current, previous, committed }: Records): Floor[] {
  return [current, previous, committed].flatMap((found) => {
    const evidence = present(found);
    if (!evidence) return [];
    const written = isSynchronised(evidence) ? evidence.rotatedAt : undefined;
    return [
      { milliseconds: parseTime(written), from: 'the evidence' },
      { milliseconds: parseTime(acceptanceOf(evidence)?.issuedAt), from: 'the manifest' },
    ];
  });
}

/** False for evidence of releases that did not say. */
function isSynchronised({ more }: EpochEvidence): boolean {
  return more['time_verdict'] === ('synchronised' satisfies TimeVerdict);
}

function newest([first, ...more]: readonly Floor[]): Floor {
  const none = { milliseconds: 0, from: 'nothing' };
  return more.reduce(
    (latest, floor) => (floor.milliseconds > latest.milliseconds ? floor : latest),
    first ?? none,
  );
}

function time(
  milliseconds: number,
  verdict: TimeVerdict,
  floorMilliseconds: number,
  clockMilliseconds: number,
): TrustedTime {
  const text = toText(milliseconds);
  return { milliseconds, text, verdict, floorMilliseconds, clockMilliseconds };
}

/** A clock may show what `Date` cannot. */
function toText(milliseconds: number): string {
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) ? String(milliseconds) : date.toISOString();
}

function parseTime(text: string | undefined): number {
  const milliseconds = Date.parse(text ?? '');
  return Number.isNaN(milliseconds) ? 0 : milliseconds;
}
