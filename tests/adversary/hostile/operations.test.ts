/** Path tricks, races and odd files against the operations, on real files with the real precheck. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { type TestDevice, withDevice } from '@edged/testkit/device/device';
import { HostileCount, noteHostileRow } from '@edged/testkit/hostile/hostile-table';
import { testWith } from '@edged/testkit/needs';
import { blake3 } from '@noble/hashes/blake3.js';

const agent = { op: 'copy_binary', src: 'runtime/binaries/edge-agent', dst: 'runtime/bin/agent' };
const rounds = Number(process.env['HOSTILE_ROUNDS'] ?? 40);
const table = process.env['HOSTILE_TABLE'];
const races = new HostileCount('operations raced by a second process');

afterAll(() => noteHostileRow(races.row, table));

interface Replaced {
  readonly exitCode: number;
  readonly log: string;
}

/** The next boot finds another OS and this manifest. */
async function replaceOs(device: TestDevice, ...operations: unknown[]): Promise<Replaced> {
  device.writeManifest(operations);
  return replaceAgain(device);
}

async function replaceAgain(device: TestDevice): Promise<Replaced> {
  if (device.bootEpoch() === undefined) await device.boot();
  device.editFingerprint({ composite_hash: 'ffff0000' });
  const { exitCode, logLines } = await device.boot();
  return { exitCode, log: logLines.join('\n') };
}

function digestOf(directory: string): string {
  const hash = createHash('sha256');
  for (const name of fs.readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()) {
    const file = path.join(directory, name);
    hash.update(name);
    if (fs.lstatSync(file).isFile()) hash.update(fs.readFileSync(file));
  }
  return hash.digest('hex');
}

describe('src', () => {
  test('a hard link is copied, and the copy is a file of its own', () =>
    withDevice(async (device) => {
      device.write('elsewhere', 'of somebody else');
      const elsewhere = path.join(device.directory, 'elsewhere');
      fs.linkSync(elsewhere, device.inside('runtime/binaries/linked'));
      const { exitCode } = await replaceOs(device, { ...agent, src: 'runtime/binaries/linked' });
      expect(exitCode).toBe(0);
      fs.appendFileSync(device.inside('runtime/bin/agent'), '!');
      expect(device.read('elsewhere')).toBe('of somebody else');
    }));

  testWith('mkfifo')('a FIFO does not block', () =>
    withDevice(async (device) => {
      execFileSync('mkfifo', [device.inside('runtime/binaries/fifo')]);
      const { exitCode, log } = await replaceOs(device, { ...agent, src: 'runtime/binaries/fifo' });
      expect([exitCode, log]).toEqual([5, expect.stringContaining('operation.src_unusable')]);
    }),
  );

  testWith('the right to make devices').each([
    ['a device that never ends', ['c', '1', '5']],
    ['a device that never gives', ['c', '5', '0']],
    ['a block device', ['b', '7', '0']],
  ])('%s', (_what, node) =>
    withDevice(async (device) => {
      execFileSync('mknod', [device.inside('runtime/binaries/node'), ...node]);
      const { exitCode, log } = await replaceOs(device, { ...agent, src: 'runtime/binaries/node' });
      expect([exitCode, log]).toEqual([5, expect.stringContaining('operation.src_unusable')]);
    }),
  );

  test('a socket', () =>
    withDevice(async (device) => {
      const listen = `require('net').createServer().listen(process.argv[1], () => process.exit())`;
      const socket = device.inside('runtime/binaries/s');
      spawnSync(process.execPath, ['-e', listen, socket]);
      expect(fs.lstatSync(socket).isSocket()).toBe(true);
      const { exitCode } = await replaceOs(device, { ...agent, src: 'runtime/binaries/s' });
      expect(exitCode).toBe(5);
    }));

  test.each([
    ['the file', 'runtime/binaries/link', 'runtime/binaries/link'],
    ['a directory on the way', 'runtime/binaries/d', 'runtime/binaries/d/secret'],
    ['binaries itself', 'runtime/binaries', 'runtime/binaries/secret'],
  ])('a symlink that leads out: %s', (_what, link, src) =>
    withDevice(async (device) => {
      device.write('outside/secret', 'a secret');
      fs.rmSync(device.inside(link), { recursive: true, force: true });
      const isFile = link === src;
      fs.symlinkSync(
        path.join(device.directory, 'outside', isFile ? 'secret' : ''),
        device.inside(link),
      );
      const { exitCode, log } = await replaceOs(device, { ...agent, src });
      expect([exitCode, log]).toEqual([5, expect.stringContaining('operation.src_outside')]);
    }),
  );

  test('a symlink that stays inside binaries is followed, once', () =>
    withDevice(async (device) => {
      fs.symlinkSync('edge-agent', device.inside('runtime/binaries/current'));
      const { exitCode } = await replaceOs(device, { ...agent, src: 'runtime/binaries/current' });
      expect(exitCode).toBe(0);
      expect(fs.lstatSync(device.inside('runtime/bin/agent')).isFile()).toBe(true);
    }));

  test(
    'a sparse file of 10 GB stays sparse, in constant memory',
    () =>
      withDevice(async (device) => {
        const gigabytes = process.env['HOSTILE_CASES'] ? 10 : 1;
        const src = device.inside('runtime/binaries/sparse');
        fs.writeFileSync(src, 'head');
        fs.truncateSync(src, gigabytes * 2 ** 30 + 5);
        const free = fs.statfsSync(device.directory);
        if (free.bavail * free.bsize < (gigabytes + 1) * 2 ** 30) {
          const refused = await replaceOs(device, { ...agent, src: 'runtime/binaries/sparse' });
          expect(refused.log).toContain('reconstruction.no_space');
          return;
        }
        const { exitCode } = await replaceOs(device, { ...agent, src: 'runtime/binaries/sparse' });
        expect(exitCode).toBe(0);
        const { size, blocks } = fs.statSync(device.inside('runtime/bin/agent'));
        expect(size).toBe(gigabytes * 2 ** 30 + 5);
        expect(blocks * 512).toBeLessThan(16 * 2 ** 20);
      }),
    300_000,
  );
});

describe('dst', () => {
  test('missing parents are made, with safe modes whatever the umask', () =>
    withDevice(async (device) => {
      const umask = process.umask(0);
      try {
        expect((await replaceOs(device, { ...agent, dst: 'runtime/a/b/c/agent' })).exitCode).toBe(
          0,
        );
      } finally {
        process.umask(umask);
      }
      for (const name of ['runtime/a', 'runtime/a/b', 'runtime/a/b/c']) {
        expect(fs.statSync(device.inside(name)).mode & 0o777).toBe(0o755);
      }
    }));

  test.each([
    ['255 bytes', 'n'.repeat(255), 0],
    ['255 bytes of UTF-8', 'ü'.repeat(127), 0],
    ['256 bytes', 'n'.repeat(256), 5],
    ['256 bytes of UTF-8', 'ü'.repeat(128), 5],
  ])('a name of %s', (_what, name, exitCode) =>
    withDevice(async (device) => {
      const seen = await replaceOs(device, { ...agent, dst: `runtime/bin/${name}` });
      expect(seen.exitCode).toBe(exitCode);
      expect(device.exists(`state-root/runtime/bin/${name.slice(0, 255)}`)).toBe(exitCode === 0);
    }),
  );

  test.each([
    ['a long path', `runtime/${'d'.repeat(200)}/${'e/'.repeat(5)}${'f'.repeat(250)}/`.repeat(3)],
    ['a deep path', `runtime/${'d/'.repeat(40)}agent`],
    ['an upper-case reserved place', 'IDENTITY/manifest-verify.pub'],
    ['a reserved place in compatibility characters', 'ｉdentity/x'],
    ['the Kelvin sign in a reserved place', 'bootstrap/../Epoch/x'],
    ['a zero-width space', 'runtime/bin/age\u200bnt'],
    ['a change of direction', 'runtime/bin/\u202etnega'],
    ['a lone surrogate', 'runtime/bin/\ud800'],
    ['a line separator', 'runtime/bin/a\u2028b'],
    ['a C1 control character', 'runtime/bin/a\u0085b'],
    ['the journal', 'bootstrap/transaction/journal.json'],
    ['a signature', 'runtime/manifest.json.sig.2'],
    ['the keyring updates', 'identity/keyring/2.json'],
  ])('%s', (_what, dst) =>
    withDevice(async (device) => {
      await device.boot();
      device.writeManifest([{ ...agent, dst }]);
      device.editFingerprint({ composite_hash: 'ffff0000' });
      const before = device.treeDigest();
      const { exitCode, logLines } = await device.boot();
      const reason = /operation\.(path_forbidden|dst_protected)/;
      expect([exitCode, logLines.join()]).toEqual([5, expect.stringMatching(reason)]);
      expect(device.treeDigest()).toBe(before);
    }),
  );

  test('two names that a filesystem without case takes for one', () =>
    withDevice(async (device) => {
      const seen = await replaceOs(device, agent, { ...agent, dst: 'runtime/bin/AGENT' });
      expect([seen.exitCode, seen.log]).toEqual([5, expect.stringContaining('dst_duplicate')]);
    }));

  test('a hard link at dst is replaced, what it was linked to is not', () =>
    withDevice(async (device) => {
      device.write('state-root/runtime/bin/agent', 'old');
      fs.linkSync(device.inside('runtime/bin/agent'), path.join(device.directory, 'other'));
      expect((await replaceOs(device, agent)).exitCode).toBe(0);
      expect(device.read('other')).toBe('old');
    }));

  test('a symlink at dst that stays inside leads to the file that is replaced', () =>
    withDevice(async (device) => {
      device.write('state-root/runtime/bin/agent-1', 'old');
      fs.symlinkSync('agent-1', device.inside('runtime/bin/agent'));
      expect((await replaceOs(device, agent)).exitCode).toBe(0);
      expect(fs.readlinkSync(device.inside('runtime/bin/agent'))).toBe('agent-1');
      expect(device.read('state-root/runtime/bin/agent-1')).toContain('echo agent 1');
    }));

  test('a running program is replaced, and runs on', () =>
    withDevice(async (device) => {
      fs.mkdirSync(device.inside('runtime/bin'));
      fs.copyFileSync(process.execPath, device.inside('runtime/bin/agent'));
      const running = spawn(device.inside('runtime/bin/agent'), [
        '-e',
        'setTimeout(() => {}, 6e4)',
      ]);
      try {
        await new Promise((resolve) => running.once('spawn', resolve));
        expect((await replaceOs(device, agent)).exitCode).toBe(0);
        expect(device.read('state-root/runtime/bin/agent')).toContain('echo agent 1');
        expect([running.exitCode, running.signalCode]).toEqual([null, null]);
      } finally {
        running.kill();
      }
    }));

  test('setuid and setgid of the source are not installed', () =>
    withDevice(async (device) => {
      fs.chmodSync(device.inside('runtime/binaries/edge-agent'), 0o6755);
      expect((await replaceOs(device, agent)).exitCode).toBe(0);
      expect(fs.statSync(device.inside('runtime/bin/agent')).mode & 0o7777).toBe(0o755);
    }));

  testWith('setfattr')('extended attributes as asked', () =>
    withDevice(async (device) => {
      const xattrs = { 'user.origin': Buffer.from('edged').toString('hex') };
      const seen = await replaceOs(device, { ...agent, xattrs });
      const file = device.inside('runtime/bin/agent');
      if (seen.exitCode === 5) return expect(seen.log).toContain('operation.xattr_refused');
      const shown = execFileSync('getfattr', ['--absolute-names', '-n', 'user.origin', file]);
      expect(shown.toString()).toContain('user.origin="edged"');
    }),
  );

  test.each(['security.capability', 'trusted.x', 'system.posix_acl_access'])(
    '%s is privilege, and refused',
    (name) =>
      withDevice(async (device) => {
        const seen = await replaceOs(device, { ...agent, xattrs: { [name]: '00' } });
        expect([seen.exitCode, seen.log]).toEqual([5, expect.stringContaining('manifest.invalid')]);
      }),
  );

  test('a program without executable bit is a finding where nothing is asked', () =>
    withDevice(async (device) => {
      const seen = await replaceOs(device, { ...agent, mode: '0644' });
      expect(seen.exitCode).toBe(0);
      expect(seen.log).toContain('msg="edge.os.operation_cannot_run"');
    }));
});

/** Lets another process swap things while a device is replaced again and again. */
async function race(device: TestDevice, swap: string, judge: () => void): Promise<Set<number>> {
  const swapping = `for (;;) { try { ${swap} } catch {} }`;
  const script = `const fs = require('fs'); fs.writeSync(1, 'swapping'); ${swapping}`;
  const child = spawn(process.execPath, ['-e', script], { cwd: device.stateRoot });
  const seen = new Set<number>();
  try {
    await new Promise((resolve) => child.stdout.once('data', resolve));
    // on a busy machine the other process may not have had its turn: then more rounds are raced
    const most = rounds * 10;
    for (let round = 0; round < (seen.has(5) ? rounds : most); round += 1) {
      const { exitCode, log } = await replaceAgain(device);
      seen.add(exitCode);
      races.tried();
      if (log.includes('internal.defect')) races.crashed(log);
      judge();
    }
  } finally {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }
  return seen;
}

describe('swapped between check and use', () => {
  test('the directory of dst, for a symlink that leads out', () =>
    withDevice(async (device) => {
      const outside = path.join(device.directory, 'outside');
      fs.mkdirSync(outside);
      await replaceOs(device, agent);
      // what precheck made while the directory was away would end the swapping for good
      const swap =
        `fs.rmSync('runtime/real', { recursive: true, force: true }); ` +
        `fs.renameSync('runtime/bin', 'runtime/real'); ` +
        `fs.symlinkSync(${JSON.stringify(outside)}, 'runtime/bin'); ` +
        `fs.unlinkSync('runtime/bin'); fs.renameSync('runtime/real', 'runtime/bin');`;
      const seen = await race(device, swap, () => {
        if (fs.readdirSync(outside).length > 0) races.wroteOutside('dst directory');
      });
      expect(races.found).toEqual([]);
      expect([...seen].every((exitCode) => exitCode === 0 || exitCode === 5)).toBe(true);
      expect(seen.has(5)).toBe(true); // the swap was seen, or this was no race
    }));

  test('src, for a symlink to a secret', () =>
    withDevice(async (device) => {
      device.write('outside/secret', 'a secret');
      const secret = path.join(device.directory, 'outside/secret');
      const outside = digestOf(path.join(device.directory, 'outside'));
      await replaceOs(device, agent);
      const src = agent.src;
      const swap =
        `fs.renameSync('${src}', '${src}.real'); ` +
        `fs.symlinkSync(${JSON.stringify(secret)}, '${src}'); ` +
        `fs.unlinkSync('${src}'); fs.renameSync('${src}.real', '${src}');`;
      const seen = await race(device, swap, () => {
        const installed = device.read('state-root/runtime/bin/agent');
        if (!installed.includes('echo agent 1')) races.acceptedWrongly(installed);
        if (digestOf(path.join(device.directory, 'outside')) !== outside) {
          races.wroteOutside('the secret');
        }
      });
      expect(races.found).toEqual([]);
      expect(seen.has(5)).toBe(true); // the swap was seen, or this was no race
    }));

  test('src is rewritten all the time: what is installed has the signed hash', () =>
    withDevice(async (device) => {
      const good = `${'good '.repeat(400_000)}\n`;
      device.write('state-root/runtime/binaries/edge-agent', good);
      const hash = Buffer.from(blake3(Buffer.from(good))).toString('hex');
      await replaceOs(device, { ...agent, hash });
      const swap =
        `fs.writeFileSync('${agent.src}', 'bad '.repeat(500_000)); ` +
        `fs.writeFileSync('${agent.src}', 'good '.repeat(400_000) + '\\n');`;
      const seen = await race(device, swap, () => {
        const isGood = device.read('state-root/runtime/bin/agent') === good;
        if (!isGood) races.acceptedWrongly('another content than was signed');
      });
      expect(races.found).toEqual([]);
      expect(seen.has(5)).toBe(true); // the swap was seen, or this was no race
    }));
});
