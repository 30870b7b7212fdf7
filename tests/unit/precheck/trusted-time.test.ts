import { expect, test } from '@jest/globals';
import type { Clock } from '@edged/host/host';
import type { Records } from '@edged/model/decision';
import { epochEvidenceFromJson } from '@edged/model/epoch-evidence';
import { osFingerprintFromJson } from '@edged/model/os-fingerprint';
import { trustedTime } from '@edged/precheck/trusted-time';

const built = '2026-01-01T00:00:00.000Z';
const stored = { composite_hash: 'x', boot_epoch: 1, captured_at: '2026-02-01T00:00:00Z' };
const evidence = {
  os_fingerprint: stored,
  binary_hash: '',
  config_hash: '',
  rotated_at: '2026-03-01T00:00:00Z',
};

function at(time: string): Clock {
  return {
    wallMilliseconds: () => Date.parse(time),
    monotonicNanoseconds: () => 0n,
    sleep: () => undefined,
  };
}

function records(fingerprint: object | undefined, current: object | undefined): Records {
  return {
    fingerprint: (fingerprint && osFingerprintFromJson({ ...fingerprint })) ?? 'absent',
    current: (current && epochEvidenceFromJson({ ...current })) ?? 'absent',
    previous: 'absent',
    history: 'absent',
  };
}

test.each([
  ['1970-01-01T00:00:00Z', undefined, undefined, '2026-01-01T00:00:00.000Z', 'floor'],
  ['1970-01-01T00:00:00Z', stored, undefined, '2026-02-01T00:00:00.000Z', 'floor'],
  ['2026-02-15T00:00:00Z', stored, evidence, '2026-03-01T00:00:00.000Z', 'floor'],
  ['2026-03-01T00:00:00Z', stored, evidence, '2026-03-01T00:00:00.000Z', 'clock'],
  ['2031-01-01T00:00:00Z', stored, evidence, '2031-01-01T00:00:00.000Z', 'clock'],
  [
    '1970-01-01T00:00:00Z',
    { ...stored, captured_at: 'nonsense' },
    undefined,
    '2026-01-01T00:00:00.000Z',
    'floor',
  ],
] as const)('clock %s', (clock, fingerprint, current, text, verdict) => {
  const said: string[] = [];
  const time = trustedTime(at(clock), built, records(fingerprint, current), (name) =>
    said.push(name),
  );
  expect(time).toMatchObject({ text, verdict });
  expect(said).toEqual(verdict === 'floor' ? ['edge.clock.below_floor'] : []);
});
