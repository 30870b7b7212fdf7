import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { type FailureCode, failures } from '@edged/model/failure';
import { runCommand, skipMountCheck } from '@edged/testkit/built-command';
import { type TestDevice, withDevice } from '@edged/testkit/device';
import { reportFailure } from 'edged/command-context';
import { exitCodes } from '@edged/model/exit-code';
import { createLog } from 'edged/log-writer';
import { type Scene, scenes } from './failures.ts';

const isRoot = process.getuid?.() === 0;
const codes = Object.keys(failures) as FailureCode[];

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
  const credentials = scene.credentials && {
    CREDENTIALS_DIRECTORY: path.join(device.directory, scene.credentials),
  };
  const options = credentials
    ? { environment: { ...skipMountCheck, ...credentials } }
    : scene.options;
  const { exitCode, stderr } = runCommand([...command, ...(scene.args ?? [])], options);
  return { exitCode, log: stderr };
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
  expect(codes.filter((code) => (scenes[code] ?? []).length === 0)).toEqual([]);
});

for (const code of codes) {
  const { gate, message, remedy } = failures[code];
  describe(`${code} is exit ${exitCodes[gate]}`, () => {
    for (const scene of scenes[code] ?? []) {
      (scene.asRoot && !isRoot ? test.skip : test)(scene.name, () =>
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
