/** `edged precheck --metrics-textfile`, as node_exporter's textfile collector finds it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { runCommand, startCommand } from '@edged/testkit/device/built-command';
import { type TestDevice, withDevice } from '@edged/testkit/device/device';
import { testWith } from '@edged/testkit/needs';

const file = 'collected/edged.prom';

interface Sample {
  readonly labels: string;
  readonly value: number;
}

function run(device: TestDevice, ...args: readonly string[]) {
  fs.mkdirSync(path.join(device.directory, 'collected'), { recursive: true });
  return device.precheck(['--metrics-textfile', path.join(device.directory, file), ...args]);
}

/** Samples by name; throws on a line that is none, and on a name without HELP and TYPE. */
function samplesIn(text: string): Record<string, Sample> {
  const lines = text.split('\n');
  expect(lines.pop()).toBe('');
  const told = new Set<string>();
  const samples: Record<string, Sample> = {};
  for (const line of lines) {
    const [, name = '', type] = /^# TYPE (\w+) (\w+)$/.exec(line) ?? [];
    if (type !== undefined) {
      expect(type).toBe('gauge');
      told.add(name);
      continue;
    }
    if (/^# HELP \w+ \S/.test(line)) continue;
    const [, sample = '', labels = '', value] = /^(\w+)(\{.*\})? (\S+)$/.exec(line) ?? [];
    if (!told.has(sample) || sample in samples) throw new Error(`not a sample: ${line}`);
    samples[sample] = { labels, value: Number(value) };
  }
  return samples;
}

function valuesOf(device: TestDevice): Record<string, number> {
  const samples = Object.entries(samplesIn(device.read(file)));
  return Object.fromEntries(samples.map(([name, { value }]) => [name, value]));
}

function replaceOs(device: TestDevice): void {
  device.editFingerprint({ composite_hash: 'ffff0000' });
}

const ofEveryRun = [
  'edged_build_info',
  'edged_precheck_success',
  'edged_precheck_exit_code',
  'edged_precheck_info',
  'edged_precheck_end_time_seconds',
  'edged_precheck_duration_seconds',
];
const ofADevice = [
  'edged_boot_epoch',
  'edged_certificate_not_after_time_seconds',
  'edged_state_root_read_only',
  'edged_state_root_mount_check_skipped',
];

test('a precheck that passes', () =>
  withDevice((device) => {
    const before = Date.now() / 1000;
    expect(run(device).exitCode).toBe(0);
    replaceOs(device);
    expect(run(device).exitCode).toBe(0);
    const values = valuesOf(device);
    expect(Object.keys(values).sort()).toEqual([...ofEveryRun, ...ofADevice].sort());
    expect(values).toMatchObject({
      edged_precheck_success: 1,
      edged_precheck_exit_code: 0,
      edged_boot_epoch: 1,
      edged_state_root_read_only: 0,
      edged_state_root_mount_check_skipped: 1,
    });
    const { edged_precheck_info: info, edged_build_info: build } = samplesIn(device.read(file));
    expect(info).toEqual({ labels: '{decision="os_replaced",reason="",class=""}', value: 1 });
    const { stdout } = runCommand(['version']);
    const version = /"(.*)"/.exec(build?.labels ?? '')?.[1] ?? 'none';
    expect(stdout).toContain(version);
    const ended = values['edged_precheck_end_time_seconds'] ?? 0;
    expect(ended).toBeGreaterThanOrEqual(Math.floor(before));
    expect(ended).toBeLessThanOrEqual(Date.now() / 1000);
    expect(values['edged_precheck_duration_seconds']).toBeLessThan(60);
    const days = ((values['edged_certificate_not_after_time_seconds'] ?? 0) - before) / 86_400;
    expect(Math.round(days)).toBe(90);
  }));

test('a precheck that refuses says why, and nothing of the device that it does not know', () =>
  withDevice(async (device) => {
    await device.issueCertificate(3);
    expect(run(device).exitCode).toBe(3);
    expect(Object.keys(valuesOf(device)).sort()).toEqual([...ofEveryRun].sort());
    expect(valuesOf(device)).toMatchObject({
      edged_precheck_success: 0,
      edged_precheck_exit_code: 3,
    });
    expect(samplesIn(device.read(file))['edged_precheck_info']?.labels).toBe(
      '{decision="",reason="certificate.expires_soon",class="operator"}',
    );
  }));

test('a config that cannot be read is a refusal like any other', () =>
  withDevice((device) => {
    fs.rmSync(device.config);
    expect(run(device).exitCode).toBe(1);
    expect(valuesOf(device)).toMatchObject({ edged_precheck_exit_code: 1 });
  }));

test('a dry run writes no metrics', () =>
  withDevice((device) => {
    expect(run(device, '--dry-run').exitCode).toBe(0);
    expect(device.exists(file)).toBe(false);
  }));

test('whoever reads meanwhile sees a whole file, the old or the new one', () =>
  withDevice(async (device) => {
    expect(run(device).exitCode).toBe(0);
    const target = path.join(device.directory, file);
    const args = ['precheck', '--config', device.config, '--metrics-textfile', target];
    const wholes = new Set<string>();
    const inodes = new Set<number>();
    for (let count = 0; count < 5; count += 1) {
      const { child, ended } = startCommand(args);
      while (child.exitCode === null) {
        wholes.add(fs.readFileSync(target, 'utf8'));
        inodes.add(fs.statSync(target).ino);
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect((await ended).exitCode).toBe(0);
    }
    for (const text of wholes) expect(Object.keys(samplesIn(text))).toHaveLength(10);
    expect(inodes.size).toBeGreaterThan(1); // a new file in the place of the old one, not over it
    expect(fs.readdirSync(path.dirname(target))).toEqual(['edged.prom']);
    expect(fs.statSync(target).mode & 0o777).toBe(0o644); // the collector is another user
  }));

describe('a file that cannot be written changes no verdict', () => {
  test.each<[string, string]>([
    ['no such directory', 'none/edged.prom'],
    ['a directory in its place', 'os'],
  ])('%s', (_what, place) =>
    withDevice(async (device) => {
      const args = ['--metrics-textfile', path.join(device.directory, place)];
      const passed = device.precheck(args);
      expect(passed.exitCode).toBe(0);
      expect(passed.stderr).toContain('level=WARN msg="edged: the metrics cannot be written"');
      await device.issueCertificate(3);
      expect(device.precheck(args).exitCode).toBe(3);
      expect(fs.readdirSync(device.directory).join()).not.toContain('.tmp');
    }),
  );
});

describe('promtool', () => {
  testWith('promtool').each<[string, (device: TestDevice) => void | Promise<void>]>([
    ['a pass', () => undefined],
    ['a refusal', (device) => device.issueCertificate(3)],
  ])('has nothing to say about %s', (_what, arrange) =>
    withDevice(async (device) => {
      await arrange(device);
      run(device);
      expect(await promtoolOn(device.read(file))).toBe('');
    }),
  );

  testWith('promtool')('speaks up about what is wrong', async () => {
    expect(await promtoolOn('# TYPE edged_boots gauge\nedged_boots 1\n')).toContain('no help text');
  });
});

async function promtoolOn(text: string): Promise<string> {
  const child = spawn('promtool', ['check', 'metrics'], { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  }
  child.stdin.end(text);
  const [exitCode] = (await once(child, 'close')) as [number];
  return exitCode === 0 ? said : `${said} exit ${exitCode}`;
}

test('every metric is in the table of docs/reference/metrics.md, with its help', () =>
  withDevice((device) => {
    run(device);
    const page = fs.readFileSync(path.join(process.cwd(), 'docs/reference/metrics.md'), 'utf8');
    const rows = [...page.matchAll(/^\| `(edged_\w+)` \| (.*) \|$/gm)].map(
      ([, name, help]) => `# HELP ${name} ${help}`,
    );
    const helps = device
      .read(file)
      .split('\n')
      .filter((line) => line.startsWith('# HELP'));
    expect(rows).toEqual(helps);
  }));
