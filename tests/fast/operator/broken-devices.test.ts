/**
 * Somebody who has never seen the project stands before a device that is broken in one way, and has
 * the built command. What it prints must name cause and cure; and the cure must cure.
 */
import { describe, expect, test } from '@jest/globals';
import { type BrokenDevice, brokenDevices } from '@edged/testkit/device/broken-devices';
import {
  type CommandResult,
  runCommand,
  skipMountCheck,
} from '@edged/testkit/device/built-command';
import { type TestDevice, withDevice } from '@edged/testkit/device/device';
import { testWith } from '@edged/testkit/needs';

/** As on a terminal of any width: line breaks and margins aside. */
function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}

function run(args: readonly string[], device: TestDevice, broken?: BrokenDevice): CommandResult {
  const { environment = skipMountCheck, under = [] } = broken ?? {};
  return runCommand([...args, '--config', device.config], { environment, under });
}

async function inEpochOne(device: TestDevice): Promise<void> {
  device.precheck();
  device.editFingerprint({ composite_hash: 'ffff0000' });
  expect(device.precheck().exitCode).toBe(0);
}

test('there are twenty ways, and more', () => {
  expect(new Set(brokenDevices.map(({ name }) => name)).size).toBeGreaterThanOrEqual(20);
});

describe.each(brokenDevices.map((broken) => [broken.name, broken] as const))('%s', (_, broken) => {
  const { cause, cure, exitCode, needs = [] } = broken;
  testWith(...needs)('is told with cause and cure', () =>
    withDevice(async (device) => {
      await inEpochOne(device);
      await broken.breaks(device);
      const doctor = run(['doctor'], device, broken);
      const said = oneLine(doctor.stdout);
      for (const part of [...cause, ...cure]) expect(said).toMatch(asPattern(part));
      const boot = run(['precheck'], device, broken);
      expect(boot.exitCode).toBe(exitCode);
      if (exitCode !== 0) {
        expect(doctor.exitCode).toBe(exitCode);
        for (const part of [...cause, ...cure]) expect(boot.stderr).toMatch(asPattern(part));
      }
      await broken.cures(device);
      const after = run(['precheck'], device);
      expect(after).toMatchObject({ exitCode: 0 });
      expect(oneLine(run(['doctor'], device).stdout)).toMatch(/, 0 failed/);
    }),
  );
});

function asPattern(part: string | RegExp): RegExp {
  if (part instanceof RegExp) return part;
  return new RegExp(part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
}

test('a device in order has nothing of all this', () =>
  withDevice(async (device) => {
    await inEpochOne(device);
    const said = oneLine(run(['doctor'], device).stdout);
    const parts = brokenDevices.flatMap(({ cause }) => cause);
    const reasons = parts.filter((part) => typeof part === 'string' && /^\w+\.\w+$/.test(part));
    expect(reasons.length).toBeGreaterThan(20);
    for (const reason of reasons) expect(said).not.toContain(reason);
  }));
