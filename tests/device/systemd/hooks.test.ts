/** The hooks for updaters, as they are installed, on images that are really mounted. */
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect } from '@jest/globals';
import { command, shellLine } from '@edged/testkit/device/built-command';
import { TestDevice } from '@edged/testkit/device/device';
import { testWith } from '@edged/testkit/needs';
import { testDirectory } from '@edged/testkit/test-directory';

const withImages = testWith(
  'mke2fs',
  'mount',
  'the right to mount',
  'loop devices',
  'a temporary directory without blanks',
);
const directory = testDirectory('hooks');
const prefix = path.join(directory, 'prefix');
const device = new TestDevice(path.join(directory, 'device'));
const hook = (name: string): string => path.join(prefix, 'lib/edged', name);

beforeAll(async () => {
  fs.mkdirSync(device.directory);
  await device.prepare();
  for (const name of ['edge.crt', 'edge.key']) {
    fs.renameSync(path.join(device.directory, name), device.inside(`identity/${name}`));
  }
  device.editConfig((text) =>
    text.replaceAll(path.join(device.directory, 'edge.'), device.inside('identity/edge.')),
  );
  device.precheck();
  const installer = ['systemd/install', '--prefix', prefix, '--state-root', device.stateRoot];
  execFileSync('sh', [...installer, '--unit-dir', path.join(directory, 'units')]);
  fs.mkdirSync(path.join(prefix, 'bin'));
  const wrapper = `#!/bin/sh\nexec ${shellLine(command)} "$@"\n`;
  fs.writeFileSync(path.join(prefix, 'bin/edged'), wrapper, { mode: 0o755 });
  image('good', true);
  image('without-units', false);
});

/** A root filesystem of the next OS, as ext4. */
function image(name: string, hasUnits: boolean): void {
  const root = path.join(directory, `${name}.root`);
  const write = (file: string, text: string): void => {
    fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    fs.writeFileSync(path.join(root, file), text);
  };
  write('usr/lib/os-release', `ID=edgeos\nPRETTY_NAME="Edge OS ${name}"\n`);
  fs.mkdirSync(path.join(root, 'etc'));
  fs.symlinkSync('/usr/lib/os-release', path.join(root, 'etc/os-release')); // absolute: stays inside
  fs.mkdirSync(path.join(root, 'usr/lib/modules/6.9.0-edge'), { recursive: true });
  fs.mkdirSync(path.join(root, 'usr/lib/systemd/system/multi-user.target.wants'), {
    recursive: true,
  });
  for (const unit of hasUnits ? ['edged-precheck.service', 'edged.service'] : []) {
    write(`usr/lib/systemd/system/${unit}`, '[Unit]\n');
    const wants = path.join(root, 'usr/lib/systemd/system/multi-user.target.wants', unit);
    fs.symlinkSync(`../${unit}`, wants);
  }
  const file = path.join(directory, `${name}.img`);
  fs.writeFileSync(file, '');
  fs.truncateSync(file, 8 * 1024 * 1024);
  execFileSync('mke2fs', ['-q', '-t', 'ext4', '-d', root, file]);
}

interface Answer {
  readonly exitCode: number | null;
  readonly said: string;
}

function run(name: string, args: readonly string[], more: Record<string, string> = {}): Answer {
  const { status, stdout, stderr } = spawnSync(hook(name), args, {
    encoding: 'utf8',
    env: {
      PATH: process.env['PATH'],
      EDGE_STATE_ROOT_SKIP_MOUNT_CHECK: '1',
      EDGED_CONFIG: device.config,
      ...more,
    },
  });
  return { exitCode: status, said: `${stdout}${stderr}` };
}

const imageOf = (name: string): string => path.join(directory, `${name}.img`);
const isMounted = (): boolean => /\/tmp\.\w+ /.test(fs.readFileSync('/proc/mounts', 'utf8'));

describe('hooks for updaters', () => {
  withImages('plan-next-os lets a good image boot, and leaves nothing mounted', () => {
    const times = device.modificationTimes();
    const { exitCode, said } = run('plan-next-os', [imageOf('good')]);
    expect(said).toContain('this OS may be booted');
    expect(said).toMatch(/Edge OS good, kernel 6\.9\.0-edge/);
    expect(said).toMatch(/OS replaced \(os_release, uname_release\)/);
    expect(exitCode).toBe(0);
    expect(isMounted()).toBe(false);
    expect(device.modificationTimes()).toEqual(times);
  });

  withImages('plan-next-os refuses an image that does not bring the units', () => {
    const { exitCode, said } = run('plan-next-os', [imageOf('without-units')]);
    expect(said).toContain('inspection.unit_missing');
    expect(said).toContain('do not boot this OS');
    expect(exitCode).toBe(5);
    expect(isMounted()).toBe(false);
  });

  withImages('plan-next-os passes on the exit code that precheck would have', () => {
    const kept = device.read('state-root/runtime/manifest.json');
    device.write('state-root/runtime/manifest.json', `${kept} `);
    const { exitCode, said } = run('plan-next-os', [path.join(directory, 'good.root')]);
    device.write('state-root/runtime/manifest.json', kept);
    expect(said).toContain('manifest.signature_invalid');
    expect(exitCode).toBe(5);
  });

  withImages(
    'rauc-slot-hook takes what RAUC has mounted, or mounts the device, and refuses with 10',
    () => {
      const slot = { RAUC_SLOT_NAME: 'rootfs.1' };
      const good = path.join(directory, 'good.root');
      const mounted = { ...slot, RAUC_SLOT_MOUNT_POINT: good, RAUC_SLOT_DEVICE: '/dev/null' };
      expect(run('rauc-slot-hook', ['slot-post-install'], mounted).exitCode).toBe(0);
      const device0 = { ...slot, RAUC_SLOT_DEVICE: imageOf('good') };
      expect(run('rauc-slot-hook', ['slot-post-install'], device0).exitCode).toBe(0);
      const bad = { ...slot, RAUC_SLOT_DEVICE: imageOf('without-units') };
      const refused = run('rauc-slot-hook', ['slot-post-install'], bad);
      expect(refused.exitCode).toBe(10);
      expect(refused.said).toContain('edged: the agent would not start in rootfs.1');
      expect(run('rauc-slot-hook', ['slot-pre-install'], bad).exitCode).toBe(0);
    },
  );

  withImages('sysupdate-plan judges the newest version', () => {
    fs.copyFileSync(imageOf('without-units'), path.join(directory, 'edgeos_9.img'));
    fs.copyFileSync(imageOf('good'), path.join(directory, 'edgeos_10.img'));
    const pattern = { EDGED_NEXT_ROOT: path.join(directory, 'edgeos_@v.img') };
    expect(run('sysupdate-plan', [], pattern).exitCode).toBe(0);
    fs.rmSync(path.join(directory, 'edgeos_10.img'));
    expect(run('sysupdate-plan', [], pattern).exitCode).toBe(5);
    fs.rmSync(path.join(directory, 'edgeos_9.img'));
    const none = run('sysupdate-plan', [], pattern);
    expect(none).toMatchObject({ exitCode: 1, said: expect.stringContaining('nothing is there') });
  });
});
