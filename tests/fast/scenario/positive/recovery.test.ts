/** What a crash, another program or a hand left behind, and what the next boot makes of it. */
import fs from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { DiskError } from '@edged/host/host';
import { startCommand } from '@edged/testkit/device/built-command';
import { type TestDevice, withDevice } from '@edged/testkit/device/device';
import { holdLock } from '@edged/testkit/device/lock-holder';
import { failing, failingFromRename, withDisk } from '@edged/testkit/device/faults';

function replaceOs(device: TestDevice): void {
  device.editFingerprint({ composite_hash: 'ffff0000' });
  expect(device.precheck().exitCode).toBe(0);
}

describe('evidence that does not agree with a matching fingerprint is repaired', () => {
  test.each<[string, (device: TestDevice) => void]>([
    ['missing', (device) => fs.rmSync(device.inside('epoch/current'), { recursive: true })],
    ['torn', (device) => fs.truncateSync(device.inside('epoch/current/evidence.json'), 20)],
    ['empty', (device) => fs.truncateSync(device.inside('epoch/current/evidence.json'), 0)],
    [
      'of the epoch before',
      (device) =>
        fs.copyFileSync(
          device.inside('epoch/previous/evidence.json'),
          device.inside('epoch/current/evidence.json'),
        ),
    ],
    [
      'a plain file',
      (device) => {
        fs.rmSync(device.inside('epoch/current'), { recursive: true });
        device.write('state-root/epoch/current', 'not a directory');
      },
    ],
  ])('%s', (_what, damage) =>
    withDevice((device) => {
      device.precheck();
      replaceOs(device);
      replaceOs(device);
      damage(device);
      const boot = device.precheck();
      expect(boot.exitCode).toBe(0);
      expect(boot.stderr).toContain('level=WARN msg="edge.epoch.evidence_repaired"');
      expect(device.fingerprint()['boot_epoch']).toBe(2);
      expect([device.evidenceEpoch('current'), device.evidenceEpoch('previous')]).toEqual([2, 1]);
      expect(device.leftovers()).toEqual([]);
      expect(device.precheck().stderr).not.toContain('evidence_repaired');
    }),
  );
});

describe('evidence of the epoch before that is not of just that epoch is repaired', () => {
  test.each<[string, (device: TestDevice) => void]>([
    ['an older one put in its place', () => undefined],
    [
      'and the history, which knew the epoch before, is gone',
      (device) => fs.rmSync(device.inside('bootstrap/epoch_history.json')),
    ],
  ])('%s', (_what, lose) =>
    withDevice((device) => {
      device.precheck();
      const oldest = device.read('state-root/epoch/current/evidence.json');
      for (let count = 0; count < 3; count += 1) replaceOs(device);
      device.write('state-root/epoch/previous/evidence.json', oldest);
      lose(device);
      const boot = device.precheck();
      expect([boot.exitCode, boot.stderr]).toEqual([
        0,
        expect.stringContaining('evidence_repaired" found="previous: epoch 0" boot_epoch=3'),
      ]);
      expect([device.evidenceEpoch('current'), device.evidenceEpoch('previous')]).toEqual([3, 2]);
      expect(device.precheck().stderr).not.toContain('evidence_repaired');
    }),
  );
});

describe('a lost fingerprint is never epoch 0 again', () => {
  test.each<[string, (device: TestDevice) => void]>([
    ['deleted', (device) => fs.rmSync(device.inside('bootstrap/os_fingerprint.json'))],
    ['torn', (device) => fs.truncateSync(device.inside('bootstrap/os_fingerprint.json'), 10)],
    ['without an epoch', (device) => device.editFingerprint({ boot_epoch: undefined })],
    [
      'deleted with its directory',
      (device) => fs.rmSync(device.inside('bootstrap'), { recursive: true }),
    ],
  ])('%s', (_what, lose) =>
    withDevice((device) => {
      device.writeManifest([]);
      device.precheck();
      replaceOs(device);
      lose(device);
      const boot = device.precheck();
      expect(boot.exitCode).toBe(0);
      expect(boot.stderr).toContain('level=WARN msg="edge.os.fingerprint_lost"');
      expect(device.fingerprint()['boot_epoch']).toBe(2);
    }),
  );

  test('fingerprint and evidence deleted: the history still knows', () =>
    withDevice((device) => {
      device.precheck();
      replaceOs(device);
      fs.rmSync(device.inside('bootstrap/os_fingerprint.json'));
      fs.rmSync(device.inside('epoch'), { recursive: true });
      expect(device.precheck().exitCode).toBe(0);
      expect(device.fingerprint()['boot_epoch']).toBe(2);
    }));

  test('and without a manifest it is exit 5, not a first run', () =>
    withDevice((device) => {
      device.precheck();
      fs.rmSync(device.inside('bootstrap/os_fingerprint.json'));
      fs.rmSync(device.inside('runtime/manifest.json'));
      expect(device.precheck().exitCode).toBe(5);
      expect(device.exists('state-root/bootstrap/os_fingerprint.json')).toBe(false);
    }));
});

test('an epoch edited downwards never lowers the next one', () =>
  withDevice((device) => {
    device.precheck();
    for (let count = 0; count < 3; count += 1) replaceOs(device);
    device.editFingerprint({ composite_hash: 'ffff0000', boot_epoch: 0 });
    expect(device.precheck().exitCode).toBe(0);
    expect(device.fingerprint()['boot_epoch']).toBe(4);
  }));

test('a fingerprint put back from before an interrupted save continues the same epoch', () =>
  withDevice((device) => {
    device.precheck();
    const before = device.read('state-root/bootstrap/os_fingerprint.json');
    device.editFingerprint({ composite_hash: 'ffff0000' });
    const edited = device.read('state-root/bootstrap/os_fingerprint.json');
    expect(device.precheck().exitCode).toBe(0);
    // the evidence of epoch 0 speaks of the OS that the fingerprint spoke of
    device.write(
      'state-root/epoch/previous/evidence.json',
      JSON.stringify({
        ...device.evidence('previous'),
        os_fingerprint: JSON.parse(edited) as unknown,
      }),
    );
    device.write('state-root/bootstrap/os_fingerprint.json', edited);
    expect(device.precheck().exitCode).toBe(0);
    expect(device.fingerprint()['boot_epoch']).toBe(1);
    expect(before).not.toBe(edited);
  }));

test('complete evidence that the original left between its renames is rolled forward', () =>
  withDevice((device) => {
    device.precheck();
    replaceOs(device);
    // fingerprint saved at epoch 1, current moved to previous, the new one not yet in its place
    fs.rmSync(device.inside('epoch/previous'), { recursive: true });
    fs.renameSync(
      device.inside('epoch/current'),
      device.inside('epoch/epoch_1700000000000000000.tmp'),
    );
    const complete = device.read('state-root/epoch/epoch_1700000000000000000.tmp/evidence.json');
    const boot = device.precheck();
    expect(boot.exitCode).toBe(0);
    expect(boot.stderr).toContain('edge.epoch.evidence_rolled_forward');
    expect(JSON.parse(complete)).toEqual(device.evidence('current'));
    expect(device.leftovers()).toEqual([]);
  }));

describe('what another writer left in epoch/ under a name that ends in .tmp', () => {
  const namesIn = (device: TestDevice): string[] => fs.readdirSync(device.inside('epoch')).sort();
  const removed = (name: string): string =>
    `level=WARN msg="edge.state_root.leftovers_removed" directory="epoch/${name}"`;

  test.each<[string, (device: TestDevice) => string]>([
    [
      'a file',
      (device) => {
        device.write('state-root/epoch/evidence.json.tmp', '{"os_fing');
        return 'evidence.json.tmp';
      },
    ],
    [
      'a directory with torn evidence',
      (device) => {
        device.write('state-root/epoch/new.tmp/evidence.json', '{"os_fing');
        return 'new.tmp';
      },
    ],
    [
      'complete evidence of an epoch that is no news',
      (device) => {
        const evidence = device.read('state-root/epoch/current/evidence.json');
        device.write('state-root/epoch/epoch_1.x.tmp/evidence.json', evidence);
        return 'epoch_1.x.tmp';
      },
    ],
  ])('%s is swept away, and that is said', (_what, leave) =>
    withDevice((device) => {
      device.precheck();
      const name = leave(device);
      const boot = device.precheck();
      expect([boot.exitCode, boot.stderr]).toEqual([0, expect.stringContaining(removed(name))]);
      expect(namesIn(device)).toEqual(['README.md', 'current']);
      expect(device.precheck().stderr).not.toContain('leftovers');
    }),
  );

  test('complete evidence of the epoch that is missing is rolled forward', () =>
    withDevice((device) => {
      device.precheck();
      replaceOs(device);
      const complete = device.evidence('current');
      fs.renameSync(device.inside('epoch/current'), device.inside('epoch/current.tmp'));
      const boot = device.precheck();
      expect([boot.exitCode, boot.stderr]).toEqual([
        0,
        expect.stringContaining('edge.epoch.evidence_rolled_forward'),
      ]);
      expect(device.evidence('current')).toEqual(complete);
      expect(namesIn(device)).toEqual(['README.md', 'current', 'previous']);
    }));

  test('a name that is no UTF-8 is left, and holds nothing up', () =>
    withDevice((device) => {
      device.precheck();
      const name = Buffer.concat([
        Buffer.from(device.inside('epoch/')),
        Buffer.from('\xff.tmp', 'latin1'),
      ]);
      fs.writeFileSync(name, '');
      const boot = device.precheck();
      expect([boot.exitCode, boot.stderr]).toEqual([0, expect.not.stringContaining('leftovers')]);
    }));

  test('what cannot be removed keeps no matching boot from passing', () =>
    withDevice(async (device) => {
      await device.boot();
      device.write('state-root/epoch/epoch_1700000000000000000.tmp/evidence.json', '{"os_fing');
      const fault = failing('removeFile', 'EPERM', 0, true);
      const { exitCode, logLines } = await device.boot({ wrapHost: fault.wrapHost });
      expect([exitCode, fault.happened()]).toEqual([0, true]);
      expect(logLines.join('\n')).toContain('level=WARN msg="edge.state_root.leftovers_kept"');
      expect((await device.boot()).exitCode).toBe(0);
      expect(device.leftovers()).toEqual([]);
    }));
});

test('torn evidence in a temporary directory is swept away', () =>
  withDevice((device) => {
    device.precheck();
    device.write('state-root/epoch/epoch_1700000000000000000.tmp/evidence.json', '{"os_fing');
    expect(device.precheck().exitCode).toBe(0);
    expect(device.leftovers()).toEqual([]);
    expect(device.evidenceEpoch('current')).toBe(0);
  }));

test('a transaction that was never committed leaves with a warning', () =>
  withDevice((device) => {
    device.precheck();
    device.write('state-root/bootstrap/transaction/staged/0', 'half a binary');
    const boot = device.precheck();
    expect(boot.exitCode).toBe(0);
    expect(boot.stderr).toContain('edge.state_root.leftovers_removed');
    expect(device.leftovers()).toEqual([]);
  }));

test('a journal whose manifest is not verified installs nothing', () =>
  withDevice((device) => {
    device.precheck();
    const stored = device.fingerprint();
    const evidence = {
      ...device.evidence('current'),
      os_fingerprint: { ...stored, boot_epoch: 1 },
    };
    device.write('state-root/bootstrap/transaction/staged/0', 'evil');
    device.write(
      'state-root/bootstrap/transaction/manifest.json',
      '{"version":"1","operations":[]}',
    );
    device.write('state-root/bootstrap/transaction/manifest.json.sig', '\0'.repeat(64));
    device.write(
      'state-root/bootstrap/transaction/journal.json',
      JSON.stringify({
        os_fingerprint: { ...stored, boot_epoch: 1 },
        evidence,
        previous_evidence: null,
        history: [],
        installations: [
          {
            dst: 'runtime/bin/edge-agent',
            digest: '4c8b2f1d4c0a8e0b1a3f1f1d1f1c9a4f5ad6b9d7d0a4f3c9b1e7f7a5d1e0c9b8',
            replaces: false,
          },
        ],
        new_directories: [],
      }),
    );
    const boot = device.precheck();
    expect(boot.exitCode).toBe(0);
    expect(boot.stderr).toContain('edge.state_root.journal_discarded');
    expect(device.exists('state-root/runtime/bin/edge-agent')).toBe(false);
    expect(device.fingerprint()).toEqual(stored);
  }));

describe('a forged journal that is taken back', () => {
  const file = 'state-root/bootstrap/transaction';
  const forge = (device: TestDevice, dst: string, newDirectories: readonly string[]): void => {
    const stored = device.fingerprint();
    const next = { ...stored, boot_epoch: 1 };
    device.write(`${file}/undo/0`, 'evil');
    const journal = {
      os_fingerprint: next,
      evidence: { ...device.evidence('current'), os_fingerprint: next },
      previous_evidence: device.evidence('current'),
      history: [],
      installations: [{ dst, digest: '0'.repeat(64), replaces: true }],
      new_directories: newDirectories,
    };
    device.write(`${file}/journal.json`, JSON.stringify(journal));
  };

  test.each([
    'identity/manifest-verify.pub',
    'bootstrap/os_fingerprint.json',
    'epoch/current/evidence.json',
    'edge/segments/0001.seg',
    'runtime/manifest.json',
    'runtime/binaries/edged',
    'runtime/../identity/manifest-verify.pub',
    './edge/segments/0001.seg',
    '../outside',
  ])('replaces no %s', (dst) =>
    withDevice((device) => {
      device.write('outside', 'somebody else');
      device.precheck();
      const before = device.read(`state-root/${dst}`);
      forge(device, dst, []);
      const { exitCode, stderr } = device.precheck();
      expect([exitCode, device.read(`state-root/${dst}`)]).toEqual([5, before]);
      expect(stderr).toContain('reason="reconstruction.journal_damaged"');
    }),
  );

  test.each(['edge/empty', 'runtime/../edge/empty', '../outside'])('removes no %s', (directory) =>
    withDevice((device) => {
      device.precheck();
      fs.mkdirSync(device.inside(directory));
      forge(device, `${directory}/edge-agent`, [directory]);
      expect(device.precheck().exitCode).toBe(5);
      expect(device.exists(`state-root/${directory}`)).toBe(true);
    }),
  );

  test.each<[string, unknown]>([
    ['a value that is no text', [{ toString: 1, valueOf: 1 }]],
    ['a name that no file can have', ['runtime/\0']],
    ['a number', [7]],
  ])('is none of ours with %s among the directories', (_what, newDirectories) =>
    withDevice((device) => {
      device.precheck();
      forge(device, 'runtime/new/edge-agent', newDirectories as string[]);
      const { exitCode, stderr } = device.precheck();
      expect([exitCode, stderr]).toEqual([5, expect.not.stringContaining('internal.defect')]);
    }),
  );

  test('makes the device forget no serial', () =>
    withDevice((device) => {
      device.precheck();
      for (const serial of [3, 7]) {
        device.writeManifest([], { serial });
        replaceOs(device);
      }
      const { acceptance: _forgotten, ...evidence } = device.evidence('current');
      const journal = {
        os_fingerprint: { ...device.fingerprint(), captured_at: '2020-01-01T00:00:00Z' },
        evidence,
        previous_evidence: device.evidence('previous'),
        history: device.readJson('state-root/bootstrap/epoch_history.json')['epochs'],
        before: { current: device.evidence('previous'), previous: 'absent', history: 'absent' },
        installations: [],
        new_directories: [],
      };
      device.write(`${file}/journal.json`, JSON.stringify(journal));
      expect(device.precheck().exitCode).toBe(0);
      device.writeManifest([], { serial: 4 });
      device.editFingerprint({ composite_hash: 'ffff0000' });
      expect(device.precheck().stderr).toContain('reason="manifest.rolled_back"');
    }));
});

test('a change that could neither be finished nor taken back is finished by the next boot', () =>
  withDevice(async (device) => {
    await device.boot();
    device.flash({ name: '2.0', kernelRelease: '6.1.0-2' });
    // the renames of a reconstruction: install, current, evidence, history, fingerprint
    const fault = failingFromRename(4);
    const broken = await device.boot({ wrapHost: fault.wrapHost });
    expect(fault.happened()).toBe(true);
    expect(broken.exitCode).toBe(5);
    expect(device.bootEpoch()).toBe(0);
    const next = await device.boot();
    expect(next.exitCode).toBe(0);
    expect(next.logLines.join('\n')).toContain('edge.os.reconstruction_resumed');
    expect(device.bootEpoch()).toBe(1);
    expect([device.evidenceEpoch('current'), device.evidenceEpoch('previous')]).toEqual([1, 0]);
    expect(device.leftovers()).toEqual([]);
  }));

describe('what cannot be taken back', () => {
  /** Two files are replaced; calls that change what lies below `place` are refused. */
  async function bootRefusing(device: TestDevice, place: string): Promise<string> {
    for (const name of ['one', 'two']) {
      device.write(`state-root/runtime/binaries/${name}`, `new ${name}`);
      device.write(`state-root/runtime/${name}/agent`, `old ${name}`);
    }
    device.writeManifest(
      ['one', 'two'].map((name) => ({
        op: 'copy_binary',
        src: `runtime/binaries/${name}`,
        dst: `runtime/${name}/agent`,
      })),
    );
    await device.boot();
    device.flash({ name: '2.0', kernelRelease: '6.1.0-2' });
    let isFull = false; // of the commit of the history, and for good
    const refuse = (path: string): void => {
      if (isFull && path.startsWith(place)) throw new DiskError('rename', path, 'EPERM');
    };
    const wrapHost = withDisk((disk) => ({
      rename(from: string, to: string): void {
        if (to === 'bootstrap/epoch_history.json') {
          isFull = true;
          throw new DiskError('rename', to, 'EIO');
        }
        refuse(to);
        disk.rename(from, to);
      },
      removeFile(path: string): void {
        refuse(path);
        disk.removeFile(path);
      },
    }));
    const { exitCode, logLines } = await device.boot({ wrapHost });
    expect(exitCode).toBe(5);
    return logLines.join('\n');
  }
  const files = (device: TestDevice): string[] =>
    ['one', 'two'].map((name) => device.read(`state-root/runtime/${name}/agent`));

  test.each([
    ['evidence', 'epoch/', ['old one', 'old two']],
    ['the first file', 'runtime/one/', ['new one', 'old two']],
    ['the second file', 'runtime/two/', ['old one', 'new two']],
  ])('%s: everything else is, and it is said', (_what, place, kept) =>
    withDevice(async (device) => {
      const log = await bootRefusing(device, place);
      expect(files(device)).toEqual(kept);
      expect(log).toContain(
        `level=WARN msg="edge.os.not_taken_back" failed_call="rename" file="${place}`,
      );
      expect(log).toContain('reason="reconstruction.io_error"');
      expect(log).toContain('errno="EIO"'); // the first failure is the reason
      expect(device.bootEpoch()).toBe(0);
      const next = await device.boot();
      expect([next.exitCode, device.bootEpoch()]).toEqual([0, 1]);
      expect(files(device)).toEqual(['new one', 'new two']);
      expect([device.evidenceEpoch('current'), device.evidenceEpoch('previous')]).toEqual([1, 0]);
      expect(device.leftovers()).toEqual([]);
    }),
  );
});

test('what was set aside and cannot be removed is swept by the next boot', () =>
  withDevice(async (device) => {
    await device.boot();
    device.flash({ name: '2.0', kernelRelease: '6.1.0-2' });
    const fault = failing('removeFile', 'EIO', 0, true);
    const done = await device.boot({ wrapHost: fault.wrapHost });
    expect([done.exitCode, fault.happened(), device.bootEpoch()]).toEqual([0, true, 1]);
    expect(done.logLines.join('\n')).toContain('level=WARN msg="edge.state_root.leftovers_kept"');
    expect(device.leftovers()).not.toEqual([]);
    expect((await device.boot()).exitCode).toBe(0);
    expect([device.bootEpoch(), device.leftovers()]).toEqual([1, []]);
  }));

test('another live precheck is waited for, and said so; after a while it is exit 2', () =>
  withDevice(async (device) => {
    device.precheck();
    device.editFingerprint({ composite_hash: 'ffff0000' });
    const holder = await holdLock(device.stateRoot);
    const refused = device.precheck(['--lock-wait-seconds', '0.1']);
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain('reason="state_root.locked"');
    const waiting = startCommand(['precheck', '--config', device.config]);
    await waiting.says('level=INFO msg="edge.state_root.lock_waiting"');
    await holder.kill();
    expect((await waiting.ended).exitCode).toBe(0);
    expect(device.fingerprint()['boot_epoch']).toBe(1);
  }));

test('a lock left by a kill is no obstacle and goes away', () =>
  withDevice((device) => {
    device.precheck();
    fs.mkdirSync(device.inside('.precheck.lock'));
    fs.utimesSync(device.inside('.precheck.lock'), 4_070_908_800, 4_070_908_800);
    expect(device.precheck().exitCode).toBe(0);
    expect(device.leftovers()).toEqual([]);
  }));

test('two prechecks started together count one epoch', () =>
  withDevice(async (device) => {
    device.precheck();
    for (let epoch = 1; epoch <= 5; epoch += 1) {
      device.editFingerprint({ composite_hash: 'ffff0000' });
      const both = [0, 1].map(() => startCommand(['precheck', '--config', device.config]).ended);
      const results = await Promise.all(both);
      expect(results.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
      expect(device.fingerprint()['boot_epoch']).toBe(epoch);
      const completed = results.filter(({ stderr }) => stderr.includes('reconstruction_completed'));
      expect(completed).toHaveLength(1);
    }
  }));

test('a forged journal of records alone does not make the device forget a serial', () =>
  withDevice(async (device) => {
    device.writeManifest([], { serial: 7 });
    await device.boot();
    device.editFingerprint({ composite_hash: 'ffff0000' });
    expect((await device.boot()).exitCode).toBe(0);
    const evidence = device.evidence('current');
    const { acceptance, ...forgetful } = evidence;
    expect(acceptance).toMatchObject({ highest_serial: 7 });
    const journal = {
      os_fingerprint: evidence['os_fingerprint'],
      evidence: forgetful,
      previous_evidence: null,
      history: [],
      installations: [],
      new_directories: [],
    };
    device.write('state-root/bootstrap/transaction/journal.json', JSON.stringify(journal));
    const boot = await device.boot();
    expect(boot.logLines.join()).toContain('found="it forgets a serial or a keyring"');
    expect(device.evidence('current')).toEqual(evidence);
  }));
