/**
 * A dry run says what the real run then does, to the file and to the exit code, and itself does
 * nothing: no change and no lock, seen from the system calls.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { digestOf } from '@edged/model/digest';
import { command, runCommand, skipMountCheck } from '@edged/testkit/device/built-command';
import { type TestDevice, withDevice } from '@edged/testkit/device/device';
import { holdLock } from '@edged/testkit/device/lock-holder';
import { changing } from '@edged/testkit/interruption/system-calls';
import { testWith } from '@edged/testkit/needs';
import { blake3 } from '@noble/hashes/blake3.js';
import { type Change, inEpochOne, replaceOs, replaced, situations } from './situations.ts';

interface Verdict {
  readonly exit: number | null;
  readonly document: Record<string, unknown>;
  readonly stderr: string;
}

interface Operation {
  readonly operation: number;
  readonly src: string;
  readonly dst?: string;
  readonly size_bytes: number;
  readonly hash: string;
}

function run(device: TestDevice, ...args: readonly string[]): Verdict {
  const order = ['precheck', '--config', device.config, '--output', 'json', ...args];
  const { exitCode, stdout, stderr } = runCommand(order);
  return { exit: exitCode, document: JSON.parse(stdout) as Record<string, unknown>, stderr };
}

/** What every file of the device is, and which: by path as a dry run gives it. */
function snapshot(device: TestDevice): Map<string, string> {
  const files = fs
    .readdirSync(device.directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile());
  return new Map(
    files.map((entry) => {
      const file = path.join(entry.parentPath, entry.name);
      const { ino, mtimeNs, mode } = fs.statSync(file, { bigint: true });
      const inside = path.relative(device.stateRoot, file);
      const name = inside.startsWith('..') ? fs.realpathSync(file) : inside;
      return [name, `${ino} ${mtimeNs} ${mode} ${digestOf(fs.readFileSync(file))}`];
    }),
  );
}

function changesBetween(before: Map<string, string>, after: Map<string, string>): Change[] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((name) => before.get(name) !== after.get(name))
    .map((name): Change => {
      const change = after.has(name) ? (before.has(name) ? 'replaced' : 'added') : 'removed';
      return { path: name, change };
    })
    .sort(byPath);
}

const byPath = (one: Change, other: Change): number => (one.path < other.path ? -1 : 1);

describe('says exactly which files the real run changes', () => {
  test.each(situations.map((one) => [one.name, one] as const))('%s', (_name, situation) =>
    withDevice(async (device) => {
      await situation.arrange(device);
      const before = snapshot(device);
      const times = device.modificationTimes();
      const dry = run(device, '--dry-run');
      expect(changesBetween(before, snapshot(device))).toEqual([]);
      expect(device.modificationTimes()).toEqual(times);
      const real = run(device);
      const told = (dry.document['changes'] as Change[]).toSorted(byPath);
      expect(told).toEqual(changesBetween(before, snapshot(device)));
      expect(told).toEqual(expect.arrayContaining([...situation.least]));
      for (const { exit, document } of [dry, real]) {
        expect(exit).toBe(situation.exit);
        expect(document['exit_code']).toBe(situation.exit);
        expect(document['decision'] ?? document['reason']).toBe(situation.found);
      }
      const { boot_epoch: epoch, composite_hash: hash, details } = real.document;
      expect(dry.document['boot_epoch']).toBe(epoch);
      expect(dry.document['composite_hash']).toBe(hash);
      expect(dry.document['details']).toEqual(details);
    }),
  );

  test('a certificate that is due: the pair, and nothing else', () =>
    withDevice(async (device) => {
      const due = situations.find(({ name }) => name === 'a certificate that is due');
      await due?.arrange(device);
      const { document } = run(device, '--dry-run');
      const pair = ['edge.crt', 'edge.key'].map((name) =>
        replaced(path.join(fs.realpathSync(device.directory), name)),
      );
      expect((document['changes'] as Change[]).filter(isOutside)).toEqual(pair);
    }));
});

const isOutside = ({ path: name }: Change): boolean => name.startsWith('/');

describe('names every operation, with size and hash of what would be installed', () => {
  test('as this program hashes, and as another BLAKE3 does', () =>
    withDevice((device) => {
      device.precheck();
      device.write('state-root/runtime/binaries/large', Buffer.alloc(3_000_000, 'large '), 0o755);
      device.writeManifest([
        { op: 'copy_binary', src: 'runtime/binaries/edge-agent', dst: 'runtime/bin/edge-agent' },
        { op: 'copy_binary', src: 'runtime/binaries/large', dst: 'runtime/bin/large' },
        { op: 'verify_config', src: 'bootstrap/config.yaml' },
      ]);
      replaceOs(device);
      const operations = run(device, '--dry-run').document['operations'] as Operation[];
      const where = operations.map(({ operation, src, dst }) => [operation, src, dst]);
      expect(where).toEqual([
        [0, 'runtime/binaries/edge-agent', 'runtime/bin/edge-agent'],
        [1, 'runtime/binaries/large', 'runtime/bin/large'],
        [2, 'bootstrap/config.yaml', undefined],
      ]);
      for (const { src, hash, size_bytes: size } of operations) {
        const file = device.inside(src);
        expect({ hash, size }).toEqual({
          hash: digestOf(fs.readFileSync(file)),
          size: fs.statSync(file).size,
        });
        expect(Buffer.from(blake3(fs.readFileSync(file))).toString('hex')).toBe(hash);
      }
      expect(run(device).exit).toBe(0);
      const installed = operations.flatMap(({ dst, hash }) => (dst ? [{ dst, hash }] : []));
      for (const { dst, hash } of installed) {
        expect(digestOf(fs.readFileSync(device.inside(dst)))).toBe(hash);
      }
    }));
});

test('while another precheck holds the lock, it ends as the real one does', () =>
  withDevice(async (device) => {
    device.precheck();
    replaceOs(device);
    const holder = await holdLock(device.stateRoot);
    try {
      for (const args of [['--dry-run'], []]) {
        const { exit, document } = run(device, '--lock-wait-seconds', '0', ...args);
        expect(exit).toBe(2);
        expect(document).toMatchObject({ reason: 'state_root.locked', class: 'transient' });
        expect(document['changes'] ?? []).toEqual([]);
      }
    } finally {
      await holder.kill();
    }
    expect(run(device, '--dry-run', '--lock-wait-seconds', '0').exit).toBe(0);
  }));

describe('read-only, all of it', () => {
  testWith('mount', 'the right to mount').each<
    [string, (device: TestDevice) => void, number, string]
  >([
    ['and nothing changed', () => undefined, 0, 'unchanged'],
    ['and the OS was replaced', replaceOs, 2, 'state_root.read_only'],
  ])('%s', (_what, arrange, exitCode, found) =>
    withDevice((device) => {
      inEpochOne(device);
      arrange(device);
      execFileSync('mount', ['--bind', device.directory, device.directory]);
      device.unmountLater(device.directory);
      execFileSync('mount', ['-o', 'remount,ro,bind', device.directory]);
      expect(() => device.write('probe', '')).toThrow('EROFS');
      for (const args of [['--dry-run'], []]) {
        const { exit, document } = run(device, ...args);
        expect(exit).toBe(exitCode);
        expect(document['decision'] ?? document['reason']).toBe(found);
      }
    }),
  );
});

/** Calls, of the process and all its children, that change or lock something of the device. */
function callsThatChange(device: TestDevice, ...args: readonly string[]): string[] {
  const trace = path.join(os.tmpdir(), `${path.basename(device.directory)}.trace`);
  device.removeLater(trace);
  const calls = `trace=${changing},symlinkat,mknod,mknodat,openat2,flock`;
  const order = [...command, 'precheck', '--config', device.config, ...args];
  const { status, stderr } = spawnSync(
    'strace',
    ['-f', '-y', '-s', '0', '-o', trace, '-e', calls, '--', ...order],
    { env: { PATH: process.env['PATH'], ...skipMountCheck }, encoding: 'utf8' },
  );
  expect({ status, stderr }).toMatchObject({ status: 0 });
  const directory = fs.realpathSync(device.directory);
  const lines = fs.readFileSync(trace, 'utf8').split('\n');
  expect(lines.length).toBeGreaterThan(10);
  return lines.filter((line) => isOnDevice(line, directory) && !isOnlyOpened(line));
}

/**
 * By name, by a descriptor of it, or by a name under some held descriptor: the disk opens those of
 * the device, and nothing else of the program names files in this way.
 */
function isOnDevice(line: string, directory: string): boolean {
  return line.includes(directory) || /"\/proc\/(?:self|\d+)\/fd\/\d+/.test(line);
}

function isOnlyOpened(line: string): boolean {
  return /^\d+ +openat2?\(/.test(line) && !/O_(?:CREAT|WRONLY|RDWR|TRUNC|APPEND)/.test(line);
}

describe('system calls', () => {
  const unfinished = situations.find(({ name }) => name.endsWith('of the OS that runs'));
  const due = situations.find(({ name }) => name === 'a certificate that is due');

  testWith('strace').each<[string, (device: TestDevice) => void | Promise<void>]>([
    [
      'an OS replaced',
      (device) => {
        device.precheck();
        replaceOs(device);
      },
    ],
    ['an unfinished transaction', async (device) => unfinished?.arrange(device)],
    ['a certificate that is due', async (device) => due?.arrange(device)],
  ])('%s: none changes or locks anything, and those of the real run do', (_what, arrange) =>
    withDevice(async (device) => {
      await arrange(device);
      expect(callsThatChange(device, '--dry-run')).toEqual([]);
      const real = callsThatChange(device).join('\n');
      for (const call of ['rename', 'fsync', 'mkdir', 'flock', 'O_CREAT']) {
        expect(real).toContain(call);
      }
    }),
  );
});
