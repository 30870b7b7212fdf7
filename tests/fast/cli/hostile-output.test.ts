/**
 * What a tampered state root may hold is shown to root on a console: nothing of it may move the
 * cursor, forge a line, or name a secret.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { runCommand, skipMountCheck } from '@edged/testkit/device/built-command';
import { withDevice } from '@edged/testkit/device/device';
import { testWith } from '@edged/testkit/needs';

/** Clears a screen, turns text around, forges a line. */
const hostile = '\u001b[2J\u009b31m\u202e\nforged: all is well';
const obeyed = /[^\P{C}\n]|^forged/mu;

test('status, doctor and a dry run print nothing that a terminal obeys', () =>
  withDevice((device) => {
    device.precheck();
    const history = device.readJson('state-root/bootstrap/epoch_history.json');
    const [epoch] = history['epochs'] as Record<string, unknown>[];
    const epochs = [{ ...epoch, began_at: hostile, composite_hash: hostile }];
    device.write('state-root/bootstrap/epoch_history.json', JSON.stringify({ epochs }));
    const kept = device.readJson('state-root/bootstrap/last_result.json');
    const lied = { ...kept, result: 'refused', reason: hostile, recorded_at: hostile };
    device.write('state-root/bootstrap/last_result.json', JSON.stringify(lied));
    device.write(`state-root/bootstrap/transaction/${hostile}`, '');
    device.write(`state-root/epoch/epoch_1.tmp/${hostile}`, '');
    fs.chmodSync(device.inside(`epoch/epoch_1.tmp/${hostile}`), 0o666);
    for (const args of [['status'], ['doctor'], ['doctor', '--fix'], ['precheck', '--dry-run']]) {
      const { stdout, stderr } = runCommand([...args, '--config', device.config]);
      expect(stdout.length).toBeGreaterThan(50);
      expect(stdout).not.toMatch(obeyed);
      expect(stderr).not.toMatch(obeyed);
    }
  }));

test('last_result.json that leads out of the state root is not followed', () =>
  withDevice((device) => {
    device.precheck();
    const outside = path.join(device.directory, 'outside.json');
    fs.writeFileSync(outside, JSON.stringify({ result: 'refused', reason: 'of.elsewhere' }));
    fs.rmSync(device.inside('bootstrap/last_result.json'));
    fs.symlinkSync(outside, device.inside('bootstrap/last_result.json'));
    const { stdout } = runCommand(['status', '--config', device.config]);
    expect(stdout).not.toContain('of.elsewhere');
  }));

test.each([
  ['a list', (salt: string) => `identity: [{fleet_salt: "${salt}"}]`],
  ['a text', (salt: string) => `identity: "fleet_salt ${salt}"`],
  ['a mapping too deep', (salt: string) => `identity: {fleet_salt: {is: "${salt}"}}`],
])('the salt is not shown where the identity is %s', (_what, identity) =>
  withDevice((device) => {
    const salt = /fleet_salt: "(\w+)"/.exec(device.read('edge.toml'))?.[1] ?? '';
    expect(salt).toHaveLength(64);
    device.editConfig((text) => text.replace(/^identity:\n(?: {2}.*\n)+/m, `${identity(salt)}\n`));
    for (const command of ['precheck', 'doctor']) {
      const { stdout, stderr, exitCode } = runCommand([command, '--config', device.config]);
      expect(exitCode).toBe(1);
      expect(stdout + stderr).not.toContain(salt.slice(0, 8));
    }
  }),
);

test.each([
  ['a stray brace', (text: string) => text.replace('identity:', 'identity: }')],
  ['a stray bracket', (text: string) => text.replace('  fleet_salt', ']\n  fleet_salt')],
  ['an alias', (text: string) => text.replace(/fleet_salt: "(\w+)"/, 'fleet_salt: *$1')],
  ['as a key', (text: string) => text.replace(/fleet_salt: "(\w+)"/, '? [$1]\n  : x')],
])('the salt is not shown after a slip: %s', (_what, slip) =>
  withDevice((device) => {
    const salt = /fleet_salt: "(\w+)"/.exec(device.read('edge.toml'))?.[1] ?? '';
    device.editConfig(slip);
    const runtime = path.join(device.directory, 'run');
    fs.mkdirSync(runtime);
    const environment = { ...skipMountCheck, RUNTIME_DIRECTORY: runtime };
    for (const args of [['precheck'], ['precheck', '--log-format', 'json'], ['doctor'], ['status']])
      for (const output of ['text', 'json']) {
        const line = [...args, '--config', device.config, '--output', output];
        const { stdout, stderr } = runCommand(line, { environment });
        expect(stdout + stderr).toContain('config.syntax');
        expect(stdout + stderr).not.toContain(salt.slice(0, 8));
      }
    const result = fs.readFileSync(path.join(runtime, 'precheck.json'), 'utf8');
    expect(result).toContain('config.syntax');
    expect(result).not.toContain(salt.slice(0, 8));
  }),
);

testWith('bash').each([
  ['a whole config', 'cat "$CONFIG"', 0],
  ['too much', 'cat "$CONFIG"; head -c 1200000 /dev/zero | tr "\\0" "#"', 1],
  ['without end', 'yes "# comment"', 1],
])('a config from a shell, <(...): %s', (_what, writes, expected) =>
  withDevice((device) => {
    const under = ['bash', '-c', `exec "$@" --config <(${writes})`, 'bash'];
    const environment = { ...skipMountCheck, CONFIG: device.config };
    const { exitCode, stderr } = runCommand(['precheck'], { under, environment });
    expect({ stderr, exitCode }).toEqual({
      stderr: expect.stringContaining(expected === 0 ? 'edge.' : 'reason="config.too_large"'),
      exitCode: expected,
    });
  }),
);

test('whatever the umask, others can read the metrics and the result', () =>
  withDevice((device) => {
    const runtime = path.join(device.directory, 'run');
    fs.mkdirSync(runtime);
    const metrics = path.join(device.directory, 'edged.prom');
    const args = ['precheck', '--config', device.config, '--metrics-textfile', metrics];
    const environment = { ...skipMountCheck, RUNTIME_DIRECTORY: runtime };
    const under = ['sh', '-c', 'umask 0077; exec "$@"', 'sh'];
    expect(runCommand(args, { environment, under }).exitCode).toBe(0);
    for (const file of [metrics, path.join(runtime, 'precheck.json')]) {
      expect(fs.statSync(file).mode & 0o777).toBe(0o644);
    }
  }));

test('repairing what a crash left needs the config, which says whose word counts', () =>
  withDevice((device) => {
    device.precheck();
    device.write('state-root/bootstrap/transaction/staged/0', 'half');
    const look = ['doctor', '--fix', '--state-root', device.stateRoot];
    expect(runCommand(look).stdout).toContain('not fixed: unfinished work');
    expect(fs.existsSync(device.inside('bootstrap/transaction'))).toBe(true);
    const { stdout } = runCommand(['doctor', '--fix', '--config', device.config]);
    expect(stdout).toContain('fixed: unfinished work');
    expect(fs.existsSync(device.inside('bootstrap/transaction'))).toBe(false);
  }));

testWith('mkfifo')('a config that is a pipe nobody writes to is refused, not waited for', () =>
  withDevice((device) => {
    fs.rmSync(device.config);
    execFileSync('mkfifo', [device.config]);
    const { exitCode, stderr } = device.precheck();
    expect(exitCode).toBe(1);
    expect(stderr).toContain('found="no regular file"');
  }),
);
