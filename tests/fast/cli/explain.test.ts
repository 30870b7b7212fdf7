/** `edged explain` as an operator types it: without a device, a config or a network. */
import { expect, test } from '@jest/globals';
import { runCommand } from '@edged/testkit/device/built-command';

const explain = (...args: readonly string[]) =>
  runCommand(['explain', ...args], { environment: { TERM: 'xterm' } });

test('a reason', () => {
  const { exitCode, stdout, stderr } = explain('manifest.signature_invalid');
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout).toMatch(/^manifest\.signature_invalid\n/);
  for (const text of [
    'precheck: manifest signature verification failed',
    'exit code 5',
    'What it means',
    'What to do',
    '1. ',
    '`edged sign manifest.json --key K`',
  ]) {
    expect(stdout).toContain(text);
  }
});

test('an exit code', () => {
  const { exitCode, stdout } = explain('3');
  expect(exitCode).toBe(0);
  expect(stdout).toContain('certificate.expired: precheck: certificate has expired\n');
  expect(stdout).not.toContain('state_root.');
});

test('everything', () => {
  const { exitCode, stdout } = explain();
  expect(exitCode).toBe(0);
  expect(stdout).toContain('state_root.locked: ');
  expect(stdout).toContain('internal.defect: ');
});

test('JSON', () => {
  const { exitCode, stdout } = explain('state_root.locked', '--output', 'json');
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    schema: 'edged.explanation.v1',
    reason: 'state_root.locked',
    exit_code: 2,
    class: 'transient',
  });
});

test('an unknown topic is exit 1, with what may have been meant; nothing on stdout', () => {
  const { exitCode, stdout, stderr } = explain('manifest.signature_invald');
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
  expect(stderr).toContain('reason="config.usage"');
  expect(stderr).toContain('did_you_mean="manifest.signature_invalid"');
});

test('in a pipe: no escape sequence, no line over 80 columns but for a command', () => {
  const { stdout } = explain('certificate.expired');
  expect(stdout).not.toContain('\u001b');
  for (const line of stdout.split('\n').filter(({ length }) => length > 80)) {
    expect(line).toMatch(/^\s*`[^`]*`\S*$/);
  }
});

test('is in the help, with examples', () => {
  expect(runCommand(['--help']).stdout).toContain('edged explain [reason]');
  expect(runCommand(['explain', '--help']).stdout).toContain('edged explain 5');
});
