/**
 * Modes are set, never inherited: the unit has UMask=0077, and an agent with `User=` must come to
 * its binary all the same.
 */
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { layout } from '@edged/model/layout';
import { runCommand } from '@edged/testkit/device/built-command';
import { type TestDevice, withDevice } from '@edged/testkit/device/device';
import { bootstrap } from 'edged';

const umask = process.umask();
afterEach(() => {
  process.umask(umask);
});

const modeOf = (file: string): string => (fs.statSync(file).mode & 0o7777).toString(8);

function directoriesOf(device: TestDevice): Record<string, string> {
  const directories = device
    .tree()
    .filter((name) => fs.statSync(device.inside(name)).isDirectory());
  return Object.fromEntries(directories.map((name) => [name, modeOf(device.inside(name))]));
}

const allOpen = (modes: Record<string, string>): void => {
  expect(Object.keys(modes).length).toBeGreaterThan(5);
  expect(Object.entries(modes).filter(([, mode]) => mode !== '755')).toEqual([]);
};

/** Deep enough that a parent of a parent is made. */
function installDeep(device: TestDevice): void {
  const src = 'runtime/binaries/edge-agent';
  device.writeManifest([{ op: 'copy_binary', src, dst: 'opt/agent/bin/run', mode: '0755' }]);
}

const masks = [0o077, 0o027, 0o177, 0].map((mask) => [mask.toString(8), mask] as const);
describe.each(masks)('with the umask 0%s', (digits, mask) => {
  test('precheck makes directories that others may pass', () =>
    withDevice(async (device) => {
      installDeep(device);
      const aside = `${device.stateRoot}.aside`;
      fs.renameSync(device.stateRoot, aside);
      fs.mkdirSync(device.stateRoot);
      process.umask(mask);
      expect((await device.boot()).exitCode).toBe(0);
      process.umask(umask);
      allOpen(directoriesOf(device));
      for (const file of [layout.manifest, layout.signature, layout.verifyKey]) {
        fs.cpSync(path.join(aside, file), device.inside(file));
      }
      fs.cpSync(path.join(aside, layout.binaries), device.inside(layout.binaries), {
        recursive: true,
      });
      device.flash({ name: '2.0', kernelRelease: '6.1.0-2' });
      process.umask(mask);
      expect((await device.boot()).exitCode).toBe(0);
      allOpen(directoriesOf(device));
      expect(modeOf(device.inside('opt/agent/bin/run'))).toBe('755');
      for (const file of [layout.fingerprint, layout.history, layout.lastResult]) {
        expect([file, modeOf(device.inside(file))]).toEqual([file, '644']);
      }
    }));

  test('edged init and bootstrap() as well', () =>
    withDevice(async (device) => {
      const made = path.join(device.directory, 'new/deep/root');
      const shell = ['sh', '-c', `umask ${digits}; exec "$@"`, 'sh'];
      expect(runCommand(['init', made], { under: shell }).exitCode).toBe(0);
      const entries = fs.readdirSync(made, { recursive: true, encoding: 'utf8' });
      const all = ['..', '../..', '', ...entries].map((name) => path.join(made, name));
      const directories = all.filter((name) => fs.statSync(name).isDirectory());
      allOpen(Object.fromEntries(directories.map((name) => [name, modeOf(name)])));
      fs.rmSync(device.stateRoot, { recursive: true });
      fs.mkdirSync(device.stateRoot);
      process.umask(mask);
      await bootstrap({ stateRoot: device.stateRoot, skipMountCheck: true });
      allOpen(directoriesOf(device));
    }));
});

test('a directory around it that gives its group away changes nothing of that', () =>
  withDevice(async (device) => {
    fs.chmodSync(device.inside('runtime'), 0o2775);
    device.flash({ name: '2.0', kernelRelease: '6.1.0-2' });
    await device.boot();
    device.flash({ name: '3.0', kernelRelease: '6.1.0-3' });
    expect((await device.boot()).exitCode).toBe(0);
    expect(modeOf(device.inside('runtime/bin'))).toBe('755');
    expect(modeOf(device.inside('runtime'))).toBe('2775');
  }));

test('what was cut off between mkdir and chmod is finished; what somebody has closed stays so', () =>
  withDevice(async (device) => {
    await device.boot();
    fs.rmSync(device.inside('edge/relay'), { recursive: true });
    fs.mkdirSync(device.inside('edge/relay'));
    fs.chmodSync(device.inside('edge/relay'), 0o1700);
    fs.mkdirSync(device.inside('runtime/bin'));
    fs.chmodSync(device.inside('runtime/bin'), 0o1700);
    fs.chmodSync(device.inside('identity'), 0o700);
    device.flash({ name: '2.0', kernelRelease: '6.1.0-2' });
    expect((await device.boot({ dryRun: true })).exitCode).toBe(0);
    expect((await device.boot()).exitCode).toBe(0);
    expect(modeOf(device.inside('edge/relay'))).toBe('755');
    expect(modeOf(device.inside('runtime/bin'))).toBe('755');
    expect(modeOf(device.inside('identity'))).toBe('700');
  }));
