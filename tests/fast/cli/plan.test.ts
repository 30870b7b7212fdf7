/** `edged precheck --plan`, where precheck itself would help, and where names have several forms. */
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import {
  type CommandResult,
  runCommand,
  skipMountCheck,
} from '@edged/testkit/device/built-command';
import { type TestDevice, withDevice } from '@edged/testkit/device/device';

/** The OS in the device's directory, not booted yet. */
function plan(device: TestDevice, more: Readonly<Record<string, string>> = {}): CommandResult {
  const os = path.join(device.directory, 'os');
  const args = ['precheck', '--config', device.config, '--plan', '--root', os];
  const environment = { ...skipMountCheck, ...more };
  return runCommand([...args, '--kernel-release', '6.9.0'], { environment });
}

/** Certificate and key where they survive. */
function keepPair(device: TestDevice): void {
  for (const name of ['edge.crt', 'edge.key']) {
    fs.renameSync(path.join(device.directory, name), device.inside(`identity/${name}`));
  }
  device.editConfig((text) =>
    text.replaceAll(path.join(device.directory, 'edge.'), device.inside('identity/edge.')),
  );
}

test('a certificate that precheck would renew itself is no reason to stay', () =>
  withDevice(async (device) => {
    await device.issueCertificate(3);
    keepPair(device);
    expect(plan(device).exitCode).toBe(3);
    const key = device.inside('identity/edge.key');
    device.editConfig((text) => text.replace('  ca_file:', `  ca_key_file: ${key}\n  ca_file:`));
    const { exitCode, stdout } = plan(device);
    expect(stdout).toMatch(/the next\s+precheck issues a new one/);
    expect(stdout).toContain('this OS may be booted');
    expect(exitCode).toBe(0);
  }));

test('the state root is kept by whatever name it is called', () =>
  withDevice((device) => {
    keepPair(device);
    const link = path.join(device.directory, 'link');
    fs.symlinkSync(device.stateRoot, link);
    for (const name of [device.stateRoot, `${device.stateRoot}/`, link]) {
      const { exitCode, stdout } = plan(device, { EDGE_STATE_ROOT: name });
      expect(stdout).toContain('this OS may be booted');
      expect(exitCode).toBe(0);
    }
  }));

test('a keyring that comes as a credential counts, and is not looked for in the next OS', () =>
  withDevice((device) => {
    keepPair(device);
    device.write('credentials/edged.keyring', '{"not":"a keyring"}');
    const CREDENTIALS_DIRECTORY = path.join(device.directory, 'credentials');
    expect(device.precheck().exitCode).toBe(0);
    const { exitCode, stdout } = plan(device, { CREDENTIALS_DIRECTORY });
    expect(stdout).toContain('trust.keyring_invalid');
    expect(exitCode).toBe(5);
  }));
