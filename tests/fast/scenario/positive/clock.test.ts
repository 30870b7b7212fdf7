/** What a wrong clock of one boot leaves for the next ones (spec I7). */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Host } from '@edged/host/host';
import { type TestDevice, withDevice } from '@edged/testkit/device/device';

const day = 86_400_000;

function showing(milliseconds: number): (host: Host) => Host {
  return (host) => ({ ...host, clock: { ...host.clock, wallMilliseconds: () => milliseconds } });
}

async function updated(
  device: TestDevice,
  name: string,
  now: number,
): Promise<{ exitCode: number; log: string }> {
  device.flash({ name, kernelRelease: name });
  const { exitCode, logLines } = await device.boot({ wrapHost: showing(now) });
  return { exitCode, log: logLines.join('\n') };
}

describe('an OS update while the clock was four years ahead', () => {
  test('does not make a good certificate an expired one', () =>
    withDevice(async (device) => {
      const now = Date.now();
      await device.issueCertificate(3650);
      await device.boot();
      expect((await updated(device, '2.0', now + 4 * 365 * day)).exitCode).toBe(0);
      expect(device.evidence('current')['time_verdict']).toBe('floor');
      await device.issueCertificate(365);
      const { exitCode, logLines } = await device.boot();
      expect([exitCode, logLines]).toEqual([0, [expect.stringContaining('mount_check_skipped')]]);
    }));

  test('is not copied on by the next update', () =>
    withDevice(async (device) => {
      const now = Date.now();
      await device.issueCertificate(3650);
      await device.boot();
      await updated(device, '2.0', now + 4 * 365 * day);
      const { exitCode, log } = await updated(device, '3.0', now);
      expect([exitCode, log]).toEqual([0, expect.not.stringContaining('clock.implausible')]);
      expect(Date.parse(String(device.fingerprint()['captured_at']))).toBe(now);
    }));

  test('with a synchronised clock it is a time that has passed', () =>
    withDevice(async (device) => {
      const now = Date.now();
      const later = now + 300 * day;
      await device.issueCertificate(3650);
      device.write('os/run/systemd/timesync/synchronized', '');
      expect((await updated(device, '2.0', later)).exitCode).toBe(0);
      fs.rmSync(path.join(device.directory, 'os/run/systemd/timesync/synchronized'));
      await device.issueCertificate(200);
      const { exitCode, logLines } = await device.boot({ wrapHost: showing(now) });
      expect(exitCode).toBe(3);
      expect(logLines.join('\n')).toContain('floor_from="the evidence"');
    }));
});
