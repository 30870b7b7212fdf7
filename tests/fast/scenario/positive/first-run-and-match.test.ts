import fs from 'node:fs';
import { expect, test } from '@jest/globals';
import { withDevice } from '@edged/testkit/device/device';

test('a first run stores exactly the five keys at epoch 0 and needs no manifest', () =>
  withDevice((device) => {
    fs.rmSync(device.inside('runtime/manifest.json'));
    fs.rmSync(device.inside('identity/manifest-verify.pub'));
    const boot = device.precheck();
    expect(boot.exitCode).toBe(0);
    expect(boot.stderr).toContain('level=INFO msg="edge.os.fingerprint_initialized"');
    expect(Object.keys(device.fingerprint())).toEqual([
      'composite_hash',
      'os_release',
      'uname_release',
      'boot_epoch',
      'captured_at',
    ]);
    expect(device.fingerprint()).toMatchObject({ boot_epoch: 0 });
    expect(device.fingerprint()['captured_at']).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  }));

test('a first run makes the seven directories in an empty state root', () =>
  withDevice((device) => {
    fs.rmSync(device.stateRoot, { recursive: true });
    fs.mkdirSync(device.stateRoot);
    expect(device.precheck().exitCode).toBe(0);
    for (const directory of [
      'edge/segments',
      'edge/relay',
      'identity',
      'runtime',
      'runtime/binaries',
      'epoch',
      'bootstrap',
    ]) {
      expect(fs.statSync(device.inside(directory)).isDirectory()).toBe(true);
    }
  }));

test('the same OS again: silent but for the skipped mount check, and nothing is touched', () =>
  withDevice((device) => {
    device.precheck();
    const before = device.treeDigest();
    const times = device.modificationTimes();
    const boot = device.precheck();
    expect(boot).toMatchObject({ exitCode: 0, stdout: '' });
    expect(boot.stderr).toMatch(
      /^level=WARN msg="edge\.state_root\.mount_check_skipped" state_root="[^"]+"\n$/,
    );
    expect(device.treeDigest()).toBe(before);
    expect(device.modificationTimes()).toEqual(times);
  }));

test('a match says so at debug level', () =>
  withDevice((device) => {
    device.precheck();
    expect(device.precheck(['--log-level', 'debug']).stderr).toContain(
      'level=DEBUG msg="edge.precheck.passed" decision="unchanged"',
    );
  }));

test('EDGE_STATE_ROOT overrides state_root.root', () =>
  withDevice((device) => {
    device.editConfig((text) => text.replace(/root: \/.*\n$/, 'root: /nonexistent\n'));
    const environment = {
      EDGE_STATE_ROOT_SKIP_MOUNT_CHECK: '1',
      EDGE_STATE_ROOT: device.stateRoot,
    };
    expect(device.precheck([], { environment }).exitCode).toBe(0);
    expect(device.precheck().exitCode).toBe(2);
  }));

test('the skipped mount check is recorded in result and evidence', () =>
  withDevice((device) => {
    const result = JSON.parse(device.precheck(['--output', 'json']).stdout) as object;
    expect(result).toMatchObject({
      schema: 'edged.precheck.v1',
      exit_code: 0,
      result: 'passed',
      decision: 'first_run',
      boot_epoch: 0,
      mount_check_skipped: true,
    });
    expect(device.evidence('current')).toMatchObject({ mount_check_skipped: true });
  }));

test.each(['compact', 'reordered', 'with unknown keys'])(
  'a stored fingerprint in another JSON layout (%s) still matches',
  (layout) =>
    withDevice((device) => {
      device.precheck();
      const stored = device.fingerprint();
      const entries = Object.entries(stored);
      const rewritten = {
        compact: stored,
        reordered: Object.fromEntries(entries.toReversed()),
        'with unknown keys': { ...stored, vendor: { note: 'kept' } },
      }[layout];
      device.write('state-root/bootstrap/os_fingerprint.json', JSON.stringify(rewritten));
      const before = device.treeDigest();
      expect(device.precheck().exitCode).toBe(0);
      expect(device.treeDigest()).toBe(before);
    }),
);

test('unknown keys of the fingerprint survive a reconstruction', () =>
  withDevice((device) => {
    device.precheck();
    device.editFingerprint({ composite_hash: 'ffff0000', vendor: { note: 'kept' } });
    expect(device.precheck().exitCode).toBe(0);
    expect(device.fingerprint()).toMatchObject({ boot_epoch: 1, vendor: { note: 'kept' } });
  }));

test('a dry run says what would be done, writes nothing and takes no lock', () =>
  withDevice((device) => {
    device.precheck();
    device.editFingerprint({ composite_hash: 'ffff0000' });
    const before = device.treeDigest();
    const boot = device.precheck(['--dry-run', '--log-level', 'debug']);
    expect(boot.exitCode).toBe(0);
    expect(boot.stderr).toContain('would="os_replaced"');
    expect(boot.stderr).toMatch(/msg="edge.os.operation_staged" .*dst="runtime\/bin\/edge-agent"/);
    expect(boot.stderr).toContain('msg="edge.digest.chosen" native=true');
    expect(device.treeDigest()).toBe(before);
  }));
