import { describe, expect, test } from '@jest/globals';
import type { OperatingSystem } from '@edged/host/host';
import type { Records } from '@edged/model/decision';
import { epochEvidenceFromJson } from '@edged/model/epoch-evidence';
import { osFingerprintFromJson } from '@edged/model/os-fingerprint';
import { type TrustedTime, notBefore, trustedTime } from '@edged/precheck/trust/trusted-time';

const order = { builtAt: '2026-01-01T00:00:00.000Z', synchronizedMarker: '/run/synchronized' };
const stored = { composite_hash: 'x', boot_epoch: 1, captured_at: '2026-02-01T00:00:00Z' };
const evidence = {
  os_fingerprint: stored,
  binary_hash: '',
  config_hash: '',
  rotated_at: '2026-03-01T00:00:00Z',
  time_verdict: 'synchronised',
};
const signed = {
  ...evidence,
  acceptance: { manifest_hash: 'x', accepted_epoch: 1, issued_at: '2026-04-01T00:00:00Z' },
};

interface Machine {
  readonly clock: string;
  readonly fingerprint?: object;
  readonly current?: object;
  readonly previous?: object;
  readonly committed?: object;
  /** Modification times of files. */
  readonly files?: Readonly<Record<string, string>>;
}

function timeOf(machine: Machine): TrustedTime & { readonly said: readonly string[] } {
  const said: string[] = [];
  const { fingerprint, files = {} } = machine;
  const evidenceOf = (json: object | undefined): Records['current'] =>
    (json && epochEvidenceFromJson({ ...json })) ?? 'absent';
  const records: Records = {
    fingerprint: (fingerprint && osFingerprintFromJson({ ...fingerprint })) ?? 'absent',
    current: evidenceOf(machine.current),
    previous: evidenceOf(machine.previous),
    history: 'absent',
    committed: evidenceOf(machine.committed),
  };
  const clock = {
    wallMilliseconds: () => Date.parse(machine.clock),
    monotonicNanoseconds: () => 0n,
    sleep: () => undefined,
  };
  const system = {
    modifiedAt: (file: string) => {
      const time = files[file];
      return time === undefined ? undefined : Date.parse(time);
    },
  } as unknown as OperatingSystem;
  const time = trustedTime(order, clock, system, records, (name, attributes) =>
    said.push(`${name} ${String(attributes?.['floor_from'])}`),
  );
  return { ...time, said };
}

const plausible = '2026-06-01T00:00:00.000Z';
const poisoned = { ...stored, captured_at: '2099-01-01T00:00:00Z' };

test.each<[string, Machine, string, TrustedTime['verdict'], string?]>([
  ['1970', { clock: '1970-01-01' }, order.builtAt, 'implausible', 'the build'],
  [
    '1970, a fingerprint: by which clock it was written it does not say',
    { clock: '1970-01-01', fingerprint: stored },
    order.builtAt,
    'implausible',
    'the build',
  ],
  [
    'before the evidence of the epoch before',
    { clock: '2026-02-15', previous: evidence },
    '2026-03-01T00:00:00.000Z',
    'implausible',
    'the evidence',
  ],
  [
    'before the evidence that was committed',
    { clock: '2026-02-15', committed: evidence },
    '2026-03-01T00:00:00.000Z',
    'implausible',
    'the evidence',
  ],
  [
    'before the evidence',
    { clock: '2026-02-15', fingerprint: stored, current: evidence },
    '2026-03-01T00:00:00.000Z',
    'implausible',
    'the evidence',
  ],
  [
    'before the manifest was issued',
    { clock: '2026-03-15', current: signed },
    '2026-04-01T00:00:00.000Z',
    'implausible',
    'the manifest',
  ],
  [
    "before systemd's clock file",
    { clock: '1970-01-01', files: { '/var/lib/systemd/timesync/clock': '2026-05-01' } },
    '2026-05-01T00:00:00.000Z',
    'implausible',
    '/var/lib/systemd/timesync/clock',
  ],
  ['at the floor', { clock: '2026-03-01', current: evidence }, '2026-03-01T00:00:00.000Z', 'floor'],
  ['after the floor', { clock: plausible, current: evidence }, plausible, 'floor'],
  [
    '2099',
    { clock: '2099-01-01', current: evidence },
    '2026-03-01T00:00:00.000Z',
    'implausible',
    'the evidence',
  ],
  [
    'a record of nonsense',
    { clock: '1970-01-01', fingerprint: { ...stored, captured_at: 'nonsense' } },
    order.builtAt,
    'implausible',
    'the build',
  ],
  [
    'evidence of 2099',
    { clock: plausible, current: { ...evidence, rotated_at: '2099-01-01T00:00:00Z' } },
    plausible,
    'floor',
  ],
  [
    'a clock file of 2099',
    { clock: plausible, files: { '/var/lib/systemd/timesync/clock': '2099-01-01' } },
    plausible,
    'floor',
  ],
  [
    'evidence written by a clock four years ahead that nobody had synchronised',
    {
      clock: plausible,
      current: { ...evidence, rotated_at: '2030-03-01T00:00:00Z', time_verdict: 'floor' },
    },
    plausible,
    'floor',
  ],
  [
    'evidence of a release that did not say by which clock it was written',
    {
      clock: plausible,
      current: { ...evidence, rotated_at: '2030-03-01T00:00:00Z', time_verdict: undefined },
    },
    plausible,
    'floor',
  ],
  ['a record of 2099', { clock: plausible, fingerprint: poisoned }, plausible, 'floor'],
  [
    'synchronised',
    { clock: plausible, files: { '/run/synchronized': plausible } },
    plausible,
    'synchronised',
  ],
  [
    'synchronised, before what records say',
    { clock: '2026-01-15', current: evidence, files: { '/run/synchronized': plausible } },
    '2026-01-15T00:00:00.000Z',
    'synchronised',
  ],
  [
    'synchronised, they say, to a time before the build',
    { clock: '1970-01-01', files: { '/run/synchronized': plausible } },
    order.builtAt,
    'implausible',
    'the build',
  ],
])('%s', (_what, machine, text, verdict, from = '') => {
  const time = timeOf(machine);
  expect(time).toMatchObject({ text, verdict });
  expect(time.floorMilliseconds).toBeLessThanOrEqual(time.milliseconds);
  const isSaid = verdict === 'implausible';
  expect(time.said).toEqual(isSaid ? [`edge.clock.implausible ${from}`] : []);
});

test('the floor is told apart from a clock that is only plausible', () => {
  const floorOf = (machine: Machine): string =>
    new Date(timeOf(machine).floorMilliseconds).toISOString();
  expect(floorOf({ clock: plausible, current: signed })).toBe('2026-04-01T00:00:00.000Z');
  expect(floorOf({ clock: plausible })).toBe(order.builtAt);
  expect(floorOf({ clock: plausible, files: { '/run/synchronized': plausible } })).toBe(plausible);
});

describe('a time that has passed for certain', () => {
  test('raises the floor of a clock that shows a later time, and leaves its verdict', () => {
    const time = notBefore(timeOf({ clock: plausible }), '2026-05-01T00:00:00Z');
    expect(time).toMatchObject({ text: plausible, verdict: 'floor' });
    expect(time.floorMilliseconds).toBe(Date.parse('2026-05-01T00:00:00Z'));
  });

  test('raises what nobody has synchronised', () => {
    const time = notBefore(timeOf({ clock: plausible }), '2027-01-01T00:00:00Z');
    expect(time).toMatchObject({ text: '2027-01-01T00:00:00.000Z', verdict: 'implausible' });
  });

  test('lowers nothing, and does not touch a synchronised clock', () => {
    const time = timeOf({ clock: plausible });
    expect(notBefore(time, '2026-01-01T00:00:00Z')).toBe(time);
    expect(notBefore(time, undefined)).toBe(time);
    const synchronised = timeOf({ clock: plausible, files: { '/run/synchronized': plausible } });
    expect(notBefore(synchronised, '2027-01-01T00:00:00Z')).toBe(synchronised);
  });
});
