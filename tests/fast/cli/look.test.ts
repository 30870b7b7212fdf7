/** `edged status` and `edged doctor`, as people and scripts see them; neither changes anything. */
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import {
  command,
  runCommand,
  shellLine,
  skipMountCheck,
} from '@edged/testkit/device/built-command';
import { type TestDevice, withDevice } from '@edged/testkit/device/device';
import { testWith } from '@edged/testkit/needs';

const escape = String.fromCodePoint(27);

function inEpochOne(device: TestDevice): void {
  device.precheck();
  device.editFingerprint({ composite_hash: 'ffff0000' });
  expect(device.precheck().exitCode).toBe(0);
}

/** On a pseudo terminal: stdout and stderr together. */
function onTerminal(args: readonly string[], more: Readonly<Record<string, string>> = {}): string {
  const line = shellLine([...command, ...args]);
  const env = { PATH: process.env['PATH'], TERM: 'xterm-256color', ...skipMountCheck, ...more };
  return spawnSync('script', ['-qec', line, '/dev/null'], { env, encoding: 'utf8' }).stdout;
}

function mayRead(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

describe('status', () => {
  test('is one screen: what runs, since when, signed by whom, for how long', () =>
    withDevice((device) => {
      inEpochOne(device);
      const { stdout, stderr, exitCode } = runCommand(['status', '--config', device.config]);
      expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
      expect(stdout.trimEnd().split('\n').length).toBeLessThanOrEqual(24);
      expect(stdout).toMatch(/^edged \S+, device edge-001, as of 20\d\d-/);
      expect(stdout).toMatch(/^precheck +last recorded: passed, os replaced, 20/m);
      expect(stdout).toMatch(/^epoch +1, since 20/m);
      expect(stdout).toMatch(/^manifest +signature good, 2 operations$/m);
      expect(stdout).toMatch(/^key +[0-9a-f]{32}, from identity\/manifest-verify\.pub$/m);
      expect(stdout).toMatch(/^certificate +CN=edge-001, 89 days left/m);
      expect(stdout).toMatch(/^mount +\S+ on \S+, [\d.]+ \wB free/m);
      expect(stdout).toMatch(/^ +1 {3}20\S+ +os replaced +[0-9a-f]{12}\n +0 {3}20\S+ +first run/m);
    }));

  test('without a config, where EDGE_STATE_ROOT says what is meant; without both it is usage', () =>
    withDevice((device) => {
      inEpochOne(device);
      const environment = { ...skipMountCheck, EDGE_STATE_ROOT: device.stateRoot };
      const { stdout, exitCode } = runCommand(['status'], { environment });
      expect(exitCode).toBe(0);
      expect(stdout).toMatch(/^epoch +1, since/m);
      expect(stdout).toContain('certificate  without a config it is not known which');
      const named = runCommand(['status', '--state-root', device.stateRoot]);
      expect(named.stdout).toMatch(/^epoch +1, since/m);
      expect(runCommand(['status']).stdout).toContain('config.usage');
    }));

  test('says first what precheck refused, and how it is repaired', () =>
    withDevice((device) => {
      inEpochOne(device);
      fs.truncateSync(device.inside('runtime/manifest.json.sig'), 40);
      const { stdout } = runCommand(['status', '--config', device.config]);
      expect(stdout).toMatch(/^manifest +failed: manifest signature verification failed$/m);
      expect(stdout).toMatch(/^ {2}more +edged explain manifest\.signature_invalid$/m);
    }));
});

describe.each(['status', 'doctor'])('%s', (name) => {
  test('changes nothing', () =>
    withDevice((device) => {
      inEpochOne(device);
      const times = device.modificationTimes();
      expect(runCommand([name, '--config', device.config]).exitCode).toBe(0);
      expect(device.modificationTimes()).toEqual(times);
    }));

  testWith('mount', 'the right to mount')('works where everything is read-only', () =>
    withDevice((device) => {
      inEpochOne(device);
      execFileSync('mount', ['--bind', device.directory, device.directory]);
      device.unmountLater(device.directory);
      execFileSync('mount', ['-o', 'remount,ro,bind', device.directory]);
      const { stdout, stderr, exitCode } = runCommand([name, '--config', device.config]);
      expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
      expect(stdout).toContain('read-only');
    }),
  );

  testWith('script')('has colours on a terminal, and none where NO_COLOR is set', () =>
    withDevice((device) => {
      inEpochOne(device);
      const args = [name, '--config', device.config];
      expect(onTerminal(args)).toContain(`${escape}[`);
      const colors = new RegExp(`${escape}\\[\\d+m`);
      expect(onTerminal(args)).toMatch(colors);
      expect(onTerminal(args, { NO_COLOR: '1' })).not.toMatch(colors);
      expect(runCommand(args).stdout).not.toContain(escape);
    }),
  );
});

describe('doctor', () => {
  testWith('/dev/shm')('repairs nothing on a state root that is none', () =>
    withDevice((device) => {
      const memory = fs.mkdtempSync('/dev/shm/edged-doctor-');
      device.removeLater(memory);
      const args = ['doctor', '--fix', '--config', device.config];
      const environment = { EDGE_STATE_ROOT: memory };
      const { stdout, exitCode } = runCommand(args, { environment });
      expect(exitCode).toBe(2);
      expect(stdout).toContain('not fixed: directories: the state root itself comes first');
      expect(fs.readdirSync(memory)).toEqual([]);
    }),
  );

  test('--fix does what it says, and says what it did', () =>
    withDevice((device) => {
      inEpochOne(device);
      fs.rmSync(device.inside('edge/relay'), { recursive: true });
      fs.chmodSync(device.inside('runtime/manifest.json'), 0o666);
      fs.mkdirSync(device.inside('.precheck.lock'));
      const args = ['doctor', '--config', device.config];
      expect(runCommand(args).exitCode).toBe(5);
      const { stdout, exitCode } = runCommand([...args, '--fix']);
      expect(exitCode).toBe(0);
      expect(stdout).toMatch(/^ok +access rights +nothing is world-writable$/m);
      expect(stdout).toContain('fixed: lock: removed .precheck.lock');
      expect(stdout).toContain('fixed: directories: made the missing directories');
      expect(stdout).toContain('took the rights of others away: runtime/manifest.json');
      expect(fs.statSync(device.inside('runtime/manifest.json')).mode & 0o777).toBe(0o664);
      expect(device.exists('state-root/edge/relay')).toBe(true);
      expect(device.exists('state-root/.precheck.lock')).toBe(false);
      expect(device.precheck().exitCode).toBe(0);
    }));

  testWith('mount', 'the right to mount')(
    '--fix says what the disk refused, and that it fixed nothing',
    () =>
      withDevice((device) => {
        inEpochOne(device);
        const edge = device.inside('edge');
        fs.rmSync(`${edge}/relay`, { recursive: true });
        execFileSync('mount', ['--bind', edge, edge]);
        device.unmountLater(edge);
        execFileSync('mount', ['-o', 'remount,ro,bind', edge]);
        const { stdout, exitCode } = runCommand(['doctor', '--config', device.config, '--fix']);
        expect(stdout).toContain(
          'not fixed: directories: precheck: the state root cannot be read or written: ' +
            'failed_call="mkdir" file="edge/relay" errno="EROFS"\n',
        );
        expect(exitCode).toBe(0);
      }),
  );

  test('compares modes, and names the one that the manifest asks for', () =>
    withDevice((device) => {
      const [src, dst] = ['runtime/binaries/edge-agent', 'runtime/bin/edge-agent'];
      device.writeManifest([{ op: 'copy_binary', src, dst, mode: '0755' }]);
      fs.chmodSync(device.inside(src), 0o644);
      inEpochOne(device);
      const found = (): string => runCommand(['doctor', '--config', device.config]).stdout;
      expect(found()).toMatch(/^ok +installed files/m);
      const where = `src="${src}" dst="${dst}"`;
      fs.chmodSync(device.inside(dst), 0o600);
      expect(found().replaceAll(/\s+/g, ' ')).toContain(`${where} mode="0755" found_mode="0600"`);
      fs.chmodSync(device.inside(dst), 0);
      // root reads it all the same; whoever may not read cannot compare
      const seen = mayRead(device.inside(dst))
        ? `${where} mode="0755" found_mode="0000"`
        : `failed_call="read" file="${dst}" errno="EACCES"`;
      expect(found().replaceAll(/\s+/g, ' ')).toContain(seen);
      fs.rmSync(device.inside(dst));
      expect(found().replaceAll(/\s+/g, ' ')).toContain(`${where} mode="0755" reason`);
    }));
});
