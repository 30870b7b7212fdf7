/**
 * Without /proc every file of the state root would look as if it were not there, and an old device
 * like a new one: it is refused, and nobody is told of a first run.
 */
import { describe, expect } from '@jest/globals';
import {
  type CommandResult,
  runCommand,
  skipMountCheck,
} from '@edged/testkit/device/built-command';
import { withDevice } from '@edged/testkit/device/device';
import { testWith } from '@edged/testkit/needs';

const under = ['unshare', '-m', 'sh', '-c', 'mount -t tmpfs none /proc; exec "$@"', 'sh'];
const withoutProc = testWith('the right to mount', 'the command on Node.js');

describe.each([
  ['the mount check skipped', skipMountCheck],
  ['the mount check on', {}],
])('%s', (_what, environment) => {
  const run = (...args: readonly string[]): CommandResult =>
    runCommand(args, { environment, under });

  withoutProc.each([[[]], [['--dry-run']]])('precheck %j is exit 2 and writes nothing', (args) =>
    withDevice((device) => {
      device.precheck();
      const before = device.modificationTimes();
      const { exitCode, stderr } = run('precheck', '--config', device.config, ...args);
      expect([exitCode, stderr]).toEqual([2, expect.stringContaining('"state_root.proc_missing"')]);
      expect(device.modificationTimes()).toEqual(before);
    }),
  );

  withoutProc('status knows no epoch, and says so', () =>
    withDevice((device) => {
      device.precheck();
      const { stdout } = run('status', '--config', device.config);
      expect(stdout).toMatch(/^epoch +not known, because state root did not pass$/m);
      expect(stdout).not.toContain('first run');
      expect(stdout).toContain('state_root.proc_missing');
    }),
  );

  withoutProc('doctor has the same reason', () =>
    withDevice((device) => {
      device.precheck();
      const { exitCode, stdout } = run('doctor', '--config', device.config);
      expect([exitCode, stdout]).toEqual([2, expect.stringContaining('state_root.proc_missing')]);
      expect(stdout).not.toContain('internal.defect');
    }),
  );
});
