/** `edged verify` and `edged keys` look, with no more than the right to read; a config counts. */
import fs from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { type CommandResult, runCommand } from '@edged/testkit/device/built-command';
import { type TestDevice, withDevice } from '@edged/testkit/device/device';
import { testWith } from '@edged/testkit/needs';

const nobody = 65_534;
const unpinned = 'no config read: key not pinned';

function verify(device: TestDevice, ...args: readonly string[]): CommandResult {
  return runCommand(['verify', '--state-root', device.stateRoot, ...args]);
}

function pinAnotherKey(device: TestDevice): void {
  device.editConfig((text) => `${text}trust:\n  verify_key_digest: '${'0'.repeat(64)}'\n`);
}

describe('who may look', () => {
  testWith('the right to give files away', 'paths that every user can reach').each([
    ['nobody, at a tree of root', nobody, 0],
    ['nobody, at a tree of somebody', nobody, 12_345],
    ['root, at a tree of somebody', 0, 12_345],
  ])('%s', (_who, userId, owner) =>
    withDevice((device) => {
      fs.chmodSync(device.directory, 0o755);
      fs.chownSync(device.stateRoot, owner, owner);
      const at = ['--state-root', device.stateRoot];
      for (const command of [['verify'], ['keys', 'list']]) {
        const { exitCode, stderr } = runCommand([...command, ...at], { userId });
        expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      }
    }),
  );
});

describe('a config', () => {
  test('that is not read is said', () =>
    withDevice((device) => {
      pinAnotherKey(device);
      const { exitCode, stdout } = verify(device);
      expect(exitCode).toBe(0);
      expect(stdout).toContain(`${unpinned}, audience not judged\n`);
      expect(verify(device, '--edge-domain-id', 'edge-001').stdout).toContain(`${unpinned}\n`);
    }));

  test('pins the key', () =>
    withDevice((device) => {
      expect(verify(device, '--config', device.config)).toMatchObject({ exitCode: 0, stderr: '' });
      expect(verify(device, '--config', device.config).stdout).not.toContain(unpinned);
      pinAnotherKey(device);
      for (const command of [['verify'], ['keys', 'list'], ['keys', 'rehearse']]) {
        const { exitCode, stderr } = runCommand([...command, '--config', device.config]);
        expect(exitCode).toBe(5);
        expect(stderr).toContain('reason="trust.verify_key_unexpected"');
      }
    }));

  test('names the device, unless the command line does', () =>
    withDevice((device) => {
      device.writeManifest([], { audience: ['edge-002'] });
      const judged = verify(device, '--config', device.config);
      expect(judged.stderr).toContain('reason="manifest.wrong_audience"');
      expect(
        verify(device, '--config', device.config, '--edge-domain-id', 'edge-002').exitCode,
      ).toBe(0);
    }));
});

test('an empty --state-root is none', () => {
  const { exitCode, stderr } = runCommand(['verify', '--state-root', '']);
  expect(exitCode).toBe(1);
  expect(stderr).toContain('reason="config.usage"');
});
