/** The units and the shipped executable under a real systemd: what starts, and what does not. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect } from '@jest/globals';
import { debianPackageIn } from '@edged/packaging/from-sources';
import {
  type ContainerBoot,
  type ContainerReport,
  bootContainer,
  containerNeeds,
} from '@edged/testkit/boot/boot-container';
import { exitOf, linesOf, stateOf, toldOf } from '@edged/testkit/boot/boot-report';
import { noteBootRow } from '@edged/testkit/boot/boot-table';
import { deliver, fillPartition } from '@edged/testkit/boot/data-partition';
import type { TestDevice } from '@edged/testkit/device/device';
import { testWith } from '@edged/testkit/needs';
import { attempts, probe } from '@edged/testkit/boot/sandbox-probe';
import { debianRoot, installEdged, stateVersion } from '@edged/testkit/boot/root-image';
import { testDirectory } from '@edged/testkit/test-directory';

const inContainer = testWith(...containerNeeds);
const directory = testDirectory('boot');
const root = path.join(directory, 'root');
const mounted = path.join(directory, 'mounted');
let device: TestDevice;
let lastBoot: ContainerReport | undefined;

beforeAll(async () => {
  installEdged(debianRoot('container', []), await debianPackageIn(directory), root);
  fs.mkdirSync(mounted);
}, 600_000);

beforeEach(async () => {
  const image = path.join(directory, 'data.img');
  fs.writeFileSync(image, '');
  fs.truncateSync(image, 2 ** 30);
  execFileSync('mkfs.ext4', ['-q', image]);
  execFileSync('mount', ['-o', 'loop', image, mounted]);
  fs.rmSync(path.join(directory, 'work'), { recursive: true, force: true });
  device = await fillPartition(mounted, path.join(directory, 'work'));
  stateVersion(root, '1');
});

afterEach(() => {
  execFileSync('umount', [mounted]);
  const precheck = lastBoot?.units['edged-precheck.service'];
  noteBootRow(
    {
      scene: expect.getState().currentTestName ?? '',
      precheck: `${precheck?.['Result']}, exit ${precheck?.['ExecMainStatus']}`,
      agent: lastBoot?.units['edged.service']?.['ActiveState'] ?? '',
      seconds: lastBoot?.seconds ?? 0,
    },
    process.env['BOOT_TABLE'],
  );
});

function boot(how: ContainerBoot = {}): ContainerReport {
  const binds = how.fstab ? { [mounted]: '/persistent' } : { [mounted]: '/data' };
  lastBoot = bootContainer(root, directory, { binds, ...how });
  return lastBoot;
}

const read = (relative: string): string =>
  fs.readFileSync(path.join(mounted, 'edged', relative), 'utf8');
const epoch = (): unknown =>
  (JSON.parse(read('bootstrap/os_fingerprint.json')) as Record<string, unknown>)['boot_epoch'];
const edit = (relative: string, change: (text: string) => string): void =>
  fs.writeFileSync(path.join(mounted, 'edged', relative), change(read(relative)));

function expectHeld(report: ContainerReport, exitCode: number): void {
  expect(exitOf(report)).toBe(exitCode);
  expect(stateOf(report, 'edged-precheck.service')).toBe('failed/failed');
  expect(stateOf(report, 'edged.service')).toBe('inactive/dead');
  expect(fs.existsSync(path.join(mounted, 'edged/edge/relay/starts'))).toBe(false);
  expect(toldOf(report)).toContain('edged: this device does not start its agent');
  expect(toldOf(report)).toContain('Nothing is rebooted: no boot loader says');
}

describe('systemd in a container', () => {
  inContainer('exit 0 starts the agent, and stays so: first run, then a silent match', () => {
    const first = boot();
    expect(exitOf(first)).toBe(0);
    expect(stateOf(first, 'edged-precheck.service')).toBe('active/exited');
    expect(stateOf(first, 'edged.service')).toBe('active/running');
    expect(linesOf(first)).toEqual([[6, 'edge.os.fingerprint_initialized']]);
    const again = boot();
    expect(linesOf(again)).toEqual([]);
    expect(stateOf(again, 'edged.service')).toBe('active/running');
    expect(read('edge/relay/starts').trim().split('\n')).toHaveLength(2);
  });

  inContainer('an OS replacement restores the runtime; every line has its priority', () => {
    boot();
    stateVersion(root, '2');
    fs.rmSync(path.join(mounted, 'edged/runtime/bin/edge-agent'));
    const report = boot();
    expect(linesOf(report)).toEqual([
      [4, 'edge.os.update_detected'],
      [6, 'edge.os.reconstruction_started'],
      [6, 'edge.os.reconstruction_completed'],
    ]);
    expect(stateOf(report, 'edged.service')).toBe('active/running');
    expect(epoch()).toBe(1);
  });

  inContainer('another kernel alone is an OS replacement', () => {
    boot();
    const report = boot({ oldKernel: true });
    expect(report.journal.map(({ message }) => message).join('\n')).toContain(
      'changed="uname_release"',
    );
    expect([exitOf(report), epoch()]).toEqual([0, 1]);
  });

  inContainer('exit 1: a broken config', () => {
    edit('bootstrap/config.yaml', (text) => text.replace('fraction: 0.8', 'fraction: 8'));
    const report = boot();
    expectHeld(report, 1);
    expect(linesOf(report)).toEqual([[3, 'precheck: config is invalid']]);
  });

  inContainer('exit 2: the state root on tmpfs', () => {
    const units = { 'fill.service': fillUnit };
    const report = boot({ fstab: ['tmpfs /data tmpfs defaults 0 0'], units });
    expectHeld(report, 2);
    expect(toldOf(report)).toContain('state_root.ephemeral_filesystem');
  });

  inContainer('exit 2, never a first run: the disk is not in fstab, its directory is there', () => {
    const report = boot({ binds: {} });
    expectHeld(report, 2);
    expect(toldOf(report)).toContain('state_root.missing');
    expect(fs.readdirSync(path.join(root, 'data'))).toEqual([]);
  });

  inContainer('exit 2, never a first run: the disk is missing and its mount is nofail', () => {
    const options = 'nofail,x-systemd.device-timeout=300ms';
    const report = boot({ fstab: [`/dev/disk/by-label/persistent /data ext4 ${options} 0 2`] });
    expectHeld(report, 2);
    expect(toldOf(report)).toContain('state_root.missing');
    expect(fs.readdirSync(path.join(root, 'data'))).toEqual([]);
  });

  inContainer(
    'exit 3: the certificate is dead; repaired as the console says, the agent starts',
    async () => {
      await device.issueCertificate(-1, Date.now() - 86_400_000);
      const certificate = path.join(mounted, 'certificates/edge.crt');
      const good = fs.readFileSync(certificate);
      fs.copyFileSync(path.join(device.directory, 'edge.crt'), certificate);
      expectHeld(boot(), 3);
      fs.writeFileSync(path.join(mounted, 'good.crt'), good);
      const repair =
        'cp /data/good.crt /data/certificates/edge.crt; ' +
        'systemctl restart edged-precheck && systemctl start edged';
      const report = boot({ act: repair });
      expect(stateOf(report, 'edged-precheck.service')).toBe('active/exited');
      expect(stateOf(report, 'edged.service')).toBe('active/running');
    },
  );

  inContainer('exit 5: the manifest was tampered with', () => {
    boot({ act: 'systemctl stop edged; rm /data/edged/edge/relay/starts' });
    stateVersion(root, '2');
    edit('runtime/manifest.json', (text) => `${text} `);
    const report = boot();
    expectHeld(report, 5);
    expect(linesOf(report).at(-1)).toEqual([3, 'precheck: manifest signature verification failed']);
    expect(epoch()).toBe(0);
  });

  inContainer('waits for the mount of the state root, however late it comes', () => {
    const late =
      '[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nExecStart=/bin/sleep 0.7\n';
    const report = boot({
      fstab: ['/persistent /data none bind,x-systemd.requires=late.service 0 0'],
      units: { 'late.service': late },
    });
    expect([exitOf(report), stateOf(report, 'edged.service')]).toEqual([0, 'active/running']);
    const mount = Number(report.units['data.mount']?.['ActiveEnterTimestampMonotonic']);
    const precheck = report.units['edged-precheck.service'];
    const agent = report.units['edged.service'];
    const start = Number(precheck?.['ExecMainStartTimestampMonotonic']);
    expect(mount).toBeGreaterThan(0);
    expect(start).toBeGreaterThan(mount);
    expect(Number(agent?.['ExecMainStartTimestampMonotonic'])).toBeGreaterThan(start);
  });

  inContainer('switched off in the middle of a reconstruction, the next boot heals', () => {
    boot();
    const large = path.join(device.inside('runtime/binaries'), 'large');
    fs.writeFileSync(large, Buffer.alloc(300_000_000, 'not all zeros '));
    device.writeManifest([
      { op: 'copy_binary', src: 'runtime/binaries/edge-agent', dst: 'runtime/bin/edge-agent' },
      { op: 'copy_binary', src: 'runtime/binaries/large', dst: 'runtime/bin/large' },
    ]);
    deliver(device, mounted);
    stateVersion(root, '2');
    const installed = path.join(mounted, 'edged/runtime/bin/large');
    const units = { 'cut.service': cutUnit };
    const cut = `
      while ! [ -e /data/edged/bootstrap/transaction/staged/1 ]; do :; done
      for each in /proc/[0-9]*; do
        [ "$(cat $each/comm)" = edged ] && kill -STOP "\${each#/proc/}"
      done
      systemctl poweroff --no-block
    `;
    boot({ units, programs: { cut }, endsItself: true });
    expect(fs.existsSync(installed)).toBe(false);
    expect(epoch()).toBe(0);
    const report = boot();
    expect([exitOf(report), epoch()]).toEqual([0, 1]);
    expect(fs.statSync(installed).size).toBe(300_000_000);
    expect(stateOf(report, 'edged.service')).toBe('active/running');
  });

  inContainer('the status line, the metrics and the doctor tell the same story', () => {
    const dropIn = (name: string): string =>
      fs.readFileSync(`systemd/edged-precheck.service.d/${name}.conf`, 'utf8');
    const units = {
      'edged-precheck.service.d/metrics.conf': dropIn('metrics'),
      'edged-precheck.service.d/status-line.conf': dropIn('status-line'),
    };
    const prometheus = path.join(root, 'var/lib/prometheus/node-exporter');
    fs.mkdirSync(prometheus, { recursive: true });
    const config = '/data/edged/bootstrap/config.yaml';
    // nspawn binds its boot_id over the kernel's, which sandboxed units do not see
    const act = `systemd-run --quiet --wait --property=ProtectKernelTunables=yes \
      --property=StandardOutput=file:/case/doctor.json edged doctor --config ${config} --output json`;
    const statusOf = ({ units: seen }: ContainerReport): string | undefined =>
      seen['edged-precheck.service']?.['StatusText'];
    const metrics = (): string => fs.readFileSync(path.join(prometheus, 'edged.prom'), 'utf8');
    const doctor = (): { checks: { id: string; status: string; summary: string }[] } =>
      JSON.parse(fs.readFileSync(path.join(directory, 'case/doctor.json'), 'utf8'));

    expect(statusOf(boot({ units, act }))).toBe('Passed: first run, epoch 0');
    expect(doctor().checks.filter(({ status }) => status === 'failed')).toEqual([]);
    const said = new Map(doctor().checks.map(({ id, summary }) => [id, summary]));
    expect(said.get('service.verdict')).toMatch(/^passed in this boot: first run/);
    expect(said.get('service.units')).toContain('installed and enabled');
    expect(said.get('state_root.mount')).toMatch(/^ext4 on /);
    expect(metrics()).toContain('\nedged_precheck_success 1\n');

    expect(statusOf(boot({ units }))).toBe(''); // a matching boot says nothing
    stateVersion(root, '2');
    edit('runtime/manifest.json', (text) => `${text} `);
    const refused = boot({ units, act });
    expect(statusOf(refused)).toMatch(/^Refused with exit 5: manifest.signature_invalid\. Sign/);
    expect(metrics()).toContain('\nedged_precheck_exit_code 5\n');
    const verdict = doctor().checks.find(({ id }) => id === 'service.verdict');
    expect(verdict).toMatchObject({ status: 'failed', reason: 'manifest.signature_invalid' });
    fs.rmSync(path.join(root, 'var/lib/prometheus'), { recursive: true });
  });

  inContainer('config and keyring as systemd credentials', () => {
    const dropIn = fs.readFileSync('systemd/edged-precheck.service.d/credentials.conf', 'utf8');
    fs.mkdirSync(path.join(root, 'etc/edged'), { recursive: true });
    fs.writeFileSync(path.join(root, 'etc/edged/edge.toml'), read('bootstrap/config.yaml'));
    fs.writeFileSync(path.join(root, 'etc/edged/keyring.json'), '{"not":"a keyring"}');
    fs.rmSync(path.join(mounted, 'edged/bootstrap/config.yaml'));
    const units = { 'edged-precheck.service.d/credentials.conf': dropIn };
    expect(exitOf(boot({ units }))).toBe(0); // a first run asks for no keyring
    stateVersion(root, '2');
    const report = boot({ units });
    fs.rmSync(path.join(root, 'etc/edged'), { recursive: true });
    expect(exitOf(report)).toBe(5);
    expect(toldOf(report)).toContain('trust.keyring_invalid');
  });

  inContainer('the sandbox holds, line by line, and forbids nothing that precheck does', () => {
    const dropIn = '[Service]\nExecStart=\nExecStart=/usr/bin/perl /case/probe\n';
    const report = boot({
      units: { 'edged-precheck.service.d/probe.conf': dropIn, 'host-file.service': hostFileUnit },
      programs: { probe },
    });
    const answers = new Map(
      report.journal
        .filter(({ unit }) => unit === 'edged-precheck.service')
        .flatMap(({ message }) => [/^(.*): (yes|no)/.exec(message)?.slice(1) ?? []])
        .map(([what = '', answer = '']) => [what, answer]),
    );
    const expected = attempts.map(({ what, forbiddenBy }) => [
      `${forbiddenBy ?? 'allowed'}: ${what}`,
      forbiddenBy ? 'no' : 'yes',
    ]);
    const seen = attempts.map(({ what, forbiddenBy }) => [
      `${forbiddenBy ?? 'allowed'}: ${what}`,
      answers.get(what),
    ]);
    expect(seen).toEqual(expected);
  });

  inContainer('without the sandbox the probe can do these things: it is no empty test', () => {
    const unit = '[Service]\nType=oneshot\nExecStart=/usr/bin/perl /case/probe\n';
    const report = boot({
      units: { 'bare.service': unit, 'host-file.service': hostFileUnit },
      programs: { probe },
      act: 'systemctl start host-file bare',
    });
    const could = new Set(
      report.journal
        .filter(({ unit: name }) => name === 'bare.service')
        .flatMap(({ message }) => /^(.*): yes/.exec(message)?.[1] ?? []),
    );
    const missing = attempts
      .map(({ what }) => what)
      .filter((what) => !could.has(what) && !cannotInAContainer.has(what));
    expect(missing).toEqual([]);
  });

  inContainer('bless keeps the evidence once the agent has been healthy for the window', () => {
    const options = '[Service]\nEnvironment="EDGED_BLESS_OPTIONS=--window-seconds 0.3"\n';
    const units = { 'edged-bless.service.d/options.conf': options };
    const report = boot({ units, act: 'systemctl start edged-bless' });
    expect(stateOf(report, 'edged-bless.service')).toBe('active/exited');
    expect(JSON.parse(read('epoch/committed/evidence.json'))).toMatchObject({ kind: 'first_run' });
  });

  inContainer('bless refuses while the agent does not hold, and says so on the console', () => {
    edit('runtime/bin/edge-agent', () => '#!/bin/sh\nexit 1\n');
    const options =
      '[Service]\nEnvironment="EDGED_BLESS_OPTIONS=--window-seconds 0.3 --timeout-seconds 1"\n';
    const units = { 'edged-bless.service.d/options.conf': options };
    const report = boot({ units, act: 'systemctl start edged-bless' });
    expect(stateOf(report, 'edged-bless.service')).toBe('failed/failed');
    expect(toldOf(report)).toContain('Precheck succeeded; what failed came after it.');
    expect(fs.existsSync(path.join(mounted, 'edged/epoch/committed'))).toBe(false);
  });
});

/** Puts the content of the partition into an empty mount, as if it had always been there. */
const fillUnit = `[Unit]
DefaultDependencies=no
Requires=data.mount
After=data.mount
Before=edged-precheck.service
[Service]
Type=oneshot
ExecStart=/bin/cp -a /persistent/. /data/
[Install]
WantedBy=multi-user.target
`;

const hostFileUnit = `[Unit]
DefaultDependencies=no
RequiresMountsFor=/tmp
After=local-fs.target
Before=edged-precheck.service
[Service]
Type=oneshot
ExecStart=/usr/bin/touch /tmp/of-the-host /root/of-the-host
[Install]
WantedBy=multi-user.target
`;

const cutUnit = `[Unit]
DefaultDependencies=no
Before=edged-precheck.service
[Service]
ExecStart=/bin/sh /case/cut
[Install]
WantedBy=multi-user.target
`;

const cannotInAContainer = new Set([
  'write in /boot',
  'open a disk',
  'write a kernel tunable',
  'write a control group',
  'load a module',
  'set the clock',
  'read the kernel log',
  'BPF',
  'swap',
  'raw I/O',
  'reboot',
  'trace',
  'use the kernel keyring',
  'run in real time',
]);
