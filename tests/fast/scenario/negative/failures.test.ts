import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { type FailureCode, failures } from '@edged/model/failure';
import {
  type CommandOptions,
  runCommand,
  skipMountCheck,
} from '@edged/testkit/device/built-command';
import { type TestDevice, withDevice } from '@edged/testkit/device/device';
import { testWith } from '@edged/testkit/needs';
import { reportFailure } from 'edged/command-context';
import { exitCodes } from '@edged/model/exit-code';
import { createLog } from 'edged/output/log-writer';
import { type Scene, scenes } from './failures.ts';

const codes = Object.keys(failures) as FailureCode[];

/** Of the boot path, and yet not for a doctor to see: the command line, and what only writing shows. */
const unseen = new Set<FailureCode>([
  'config.usage',
  'certificate.rotation_failed',
  'operation.xattr_refused',
]);

function reasonsOfDoctor(scene: Scene, device: TestDevice): readonly (string | undefined)[] {
  const command = ['doctor', '--config', device.config, '--output', 'json'];
  return findingsIn(runCommand(command, optionsOf(scene, device)).stdout).map(
    ({ reason }) => reason,
  );
}

interface FoundByCheck {
  readonly reason?: string;
  readonly status: string;
}

function findingsIn(stdout: string): readonly FoundByCheck[] {
  const document = JSON.parse(stdout) as {
    checks?: readonly FoundByCheck[];
    plan?: { checks: readonly FoundByCheck[] };
  };
  return document.checks ?? document.plan?.checks ?? [];
}

/** What a dry run can foresee: not a disk that fails under the hand. */
function isBoot({ wrapHost, act, command }: Scene): boolean {
  return !wrapHost && !act && !command;
}

interface Seen {
  readonly exitCode: number | null;
  readonly log: string;
}

async function run(scene: Scene, device: TestDevice): Promise<Seen> {
  if (scene.wrapHost) {
    const boot = await device.boot({
      wrapHost: scene.wrapHost,
      skipMountCheck: !scene.mountCheck,
      lockWaitSeconds: 0.05,
    });
    return { exitCode: boot.exitCode, log: boot.logLines.join('\n') };
  }
  if (scene.act) return actInProcess(scene.act, device);
  const command = scene.command?.(device) ?? ['precheck', '--config', device.config];
  const options = optionsOf(scene, device);
  const { exitCode, stderr } = runCommand([...command, ...(scene.args ?? [])], options);
  return { exitCode, log: stderr };
}

function optionsOf(scene: Scene, device: TestDevice): CommandOptions | undefined {
  if (scene.credentials === undefined) return scene.options;
  const directory = path.join(device.directory, scene.credentials);
  return { environment: { ...skipMountCheck, CREDENTIALS_DIRECTORY: directory } };
}

async function actInProcess(act: NonNullable<Scene['act']>, device: TestDevice): Promise<Seen> {
  const lines: string[] = [];
  const form = { level: 'info', format: 'text', priorityPrefix: false } as const;
  try {
    await act(device);
  } catch (error) {
    const exitCode = reportFailure(
      error,
      createLog(form, (line) => lines.push(line)),
    );
    return { exitCode, log: lines.join('') };
  }
  return { exitCode: 0, log: 'it did not refuse' };
}

test('every failure code has a scene', () => {
  // that a check hangs is shown where a worker can be stopped: tests/device/hanging-check.test.ts
  const elsewhere = 'inspection.timed_out';
  const without = codes.filter((code) => (scenes[code] ?? []).length === 0);
  expect(without).toEqual([elsewhere]);
});

for (const code of codes.filter((one) => failures[one].gate === 'inspection')) {
  describe(`${code} is found by an inspection`, () => {
    for (const scene of scenes[code] ?? []) {
      testWith(...(scene.needs ?? []))(scene.name, () =>
        withDevice(async (device) => {
          device.precheck();
          device.editFingerprint({ composite_hash: 'ffff0000' });
          await scene.arrange?.(device);
          const times = device.modificationTimes();
          const command = scene.command?.(device) ?? [];
          const { stdout, exitCode } = runCommand(command);
          const findings = findingsIn(stdout).filter(({ reason }) => reason === code);
          expect(findings).toHaveLength(1);
          const { remedy, message, class: kind } = failures[code];
          expect(findings[0]).toMatchObject({ remedy, message, class: kind });
          expect(exitCode).toBe(findings[0]?.status === 'warning' ? 0 : 5);
          expect(device.modificationTimes()).toEqual(times);
        }),
      );
    }
  });
}

for (const code of codes.filter((one) => failures[one].gate !== 'inspection')) {
  const { gate, message, remedy } = failures[code];
  describe(`${code} is exit ${exitCodes[gate]}`, () => {
    for (const scene of scenes[code] ?? []) {
      testWith(...(scene.needs ?? []))(scene.name, () =>
        withDevice(async (device) => {
          device.precheck();
          device.editFingerprint({ composite_hash: 'ffff0000' });
          await scene.arrange?.(device);
          const before = device.treeDigest();
          if (isBoot(scene)) {
            const times = device.modificationTimes();
            const dry = await run({ ...scene, args: [...(scene.args ?? []), '--dry-run'] }, device);
            expect(dry.log).toContain(`level=ERROR msg="${message}" reason="${code}"`);
            expect(dry.exitCode).toBe(exitCodes[gate]);
            if (!unseen.has(code)) expect(reasonsOfDoctor(scene, device)).toContain(code);
            expect(device.modificationTimes()).toEqual(times);
          }
          const seen = await run(scene, device);
          expect(seen.log).toContain(`level=ERROR msg="${message}" reason="${code}"`);
          expect(seen.log).toContain(`remedy=${JSON.stringify(remedy)}`);
          expect(seen.exitCode).toBe(exitCodes[gate]);
          expect(device.treeDigest()).toBe(before);
        }),
      );
    }
  });
}

test('repairing the cause and running again is exit 0, with the epoch grown by one', () =>
  withDevice((device) => {
    device.precheck();
    device.editFingerprint({ composite_hash: 'ffff0000' });
    const key = device.read('state-root/identity/manifest-verify.pub', 'latin1');
    device.write('state-root/identity/manifest-verify.pub', 'broken');
    for (let tries = 0; tries < 3; tries += 1) expect(device.precheck().exitCode).toBe(5);
    device.write('state-root/identity/manifest-verify.pub', Buffer.from(key, 'latin1'));
    expect(device.precheck().exitCode).toBe(0);
    expect(device.fingerprint()['boot_epoch']).toBe(1);
  }));

test('the config lists every problem at once, hides the salt, and says where', () =>
  withDevice((device) => {
    device.editConfig((text) =>
      text
        .replace('mode: baseline', 'mode: fast')
        .replace('window_seconds: 60', 'windw_seconds: 60')
        .replace(/fleet_salt: "\w+"/, 'fleet_salt: "secret-but-wrong"'),
    );
    const { stderr, exitCode } = device.precheck();
    expect(exitCode).toBe(1);
    expect(stderr.match(/level=ERROR/g)).toHaveLength(4);
    expect(stderr).toContain('key="assurance.mode" problem="found \\"fast\\""');
    expect(stderr).toContain('did_you_mean="window_seconds"');
    expect(stderr).toMatch(/at="4:3" key="identity.fleet_salt"/);
    expect(stderr).not.toContain('secret-but-wrong');
  }));
