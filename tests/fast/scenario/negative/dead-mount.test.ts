/**
 * A FUSE filesystem whose process does not answer, mounted at the state root: whoever asks it for a
 * file waits for ever. Every command refuses it for its type, and touches nothing on it.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { type CommandResult, runCommand } from '@edged/testkit/device/built-command';
import { type TestDevice, withDevice } from '@edged/testkit/device/device';
import { testWith } from '@edged/testkit/needs';

const reason = 'state_root.ephemeral_filesystem';

/** Who hangs is ended by force. */
const patience = ['timeout', '-s', 'KILL', '30'];

async function withDeadMount(act: (device: TestDevice) => void): Promise<void> {
  await withDevice((device) => {
    device.precheck();
    const connection = fs.openSync('/dev/fuse', 'r+');
    const options = 'fd=3,rootmode=40000,user_id=0,group_id=0';
    const args = ['-i', '-t', 'fuse.dead', '-o', options, 'dead', device.stateRoot];
    execFileSync('mount', args, { stdio: ['ignore', 'pipe', 'pipe', connection] });
    try {
      act(device);
    } finally {
      fs.closeSync(connection);
      execFileSync('umount', ['-l', device.stateRoot]);
    }
  });
}

/** As in the unit: the state root is named, the config lies in it. */
function run(device: TestDevice, ...args: readonly string[]): CommandResult {
  const environment = { EDGE_STATE_ROOT: device.stateRoot };
  return runCommand(args, { environment, under: patience });
}

const each = testWith('the right to mount', '/dev/fuse', 'timeout');

each('it hangs', () =>
  withDeadMount((device) => {
    const { signal, status } = spawnSync('timeout', ['-s', 'KILL', '1', 'stat', device.stateRoot]);
    expect(signal ?? status).toMatch(/SIGKILL|137/);
  }),
);

describe('refused, exit 2, before anything on it is looked at', () => {
  const besideIt = (device: TestDevice): string => device.config;
  const inside = (device: TestDevice): string => device.inside('bootstrap/config.yaml');

  each.each([
    ['precheck, the config elsewhere', besideIt, []],
    ['precheck, the config in it', inside, []],
    ['a dry run', besideIt, ['--dry-run']],
    ['a dry run, the config in it', inside, ['--dry-run']],
  ])('%s', (_what, config, args) =>
    withDeadMount((device) => {
      const { exitCode, stderr } = run(device, 'precheck', '--config', config(device), ...args);
      expect([exitCode, stderr]).toEqual([2, expect.stringContaining(`reason="${reason}"`)]);
      expect(stderr).toContain('filesystem="fuse.dead"');
    }),
  );

  each('a plan', () =>
    withDeadMount((device) => {
      const os = path.join(device.directory, 'os');
      const args = ['--plan', '--root', os, '--kernel-release', '6.9.0'];
      const { exitCode, stderr } = run(device, 'precheck', '--config', device.config, ...args);
      expect([exitCode, stderr]).toEqual([2, expect.stringContaining(`reason="${reason}"`)]);
    }),
  );

  each.each(['doctor', 'status'])('%s says so, and no check waits', (command) =>
    withDeadMount((device) => {
      const args = [command, '--config', device.config, '--output', 'json'];
      const { exitCode, stdout } = run(device, ...args);
      const { checks } = JSON.parse(stdout) as { checks: { status: string; reason?: string }[] };
      expect(exitCode).toBe(command === 'doctor' ? 2 : 0);
      expect(checks.map((check) => check.reason)).toContain(reason);
      expect(checks.filter(({ status }) => status === 'unknown')).toEqual([]);
    }),
  );
});

test('a tree that is only looked at may lie anywhere', () =>
  withDevice((device) => {
    expect(runCommand(['verify', '--state-root', device.stateRoot]).exitCode).toBe(0);
  }));
