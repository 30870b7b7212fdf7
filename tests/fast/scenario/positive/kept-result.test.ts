/** The result that is kept on the state root: when it is written, and that no verdict hangs on it. */
import fs from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { DiskError } from '@edged/host/host';
import { type TestDevice, withDevice } from '@edged/testkit/device/device';
import { withDisk } from '@edged/testkit/device/faults';

const file = 'state-root/bootstrap/last_result.json';
const notKept = 'level=WARN msg="edge.state_root.result_not_kept"';

function replaceOs(device: TestDevice): void {
  device.editFingerprint({ composite_hash: 'ffff0000' });
}

function modified(device: TestDevice): bigint {
  return fs.statSync(device.inside('bootstrap/last_result.json'), { bigint: true }).mtimeNs;
}

test('a run that found news leaves it, a plain match does not touch it', () =>
  withDevice((device) => {
    device.precheck();
    expect(device.readJson(file)).toMatchObject({ result: 'passed', decision: 'first_run' });
    const before = modified(device);
    expect(device.precheck().exitCode).toBe(0);
    expect(modified(device)).toBe(before);
    replaceOs(device);
    device.precheck();
    expect(device.readJson(file)).toMatchObject({ decision: 'os_replaced', boot_epoch: 1 });
    expect(device.exists('state-root/bootstrap/result')).toBe(false);
  }));

test('a refusal leaves its reason, with whatever else there was before it', () =>
  withDevice((device) => {
    device.precheck();
    replaceOs(device);
    fs.rmSync(device.inside('runtime/manifest.json'));
    const before = device.treeDigest();
    expect(device.precheck().exitCode).toBe(5);
    expect(device.readJson(file)).toMatchObject({
      result: 'refused',
      exit_code: 5,
      gate: 'reconstruction',
      reason: 'manifest.missing',
      class: 'operator',
    });
    expect(device.treeDigest()).toBe(before);
  }));

test('what a crash left of a result is swept by the next', () =>
  withDevice((device) => {
    device.write('state-root/bootstrap/result/last_result.json', '{"half');
    expect(device.precheck().exitCode).toBe(0);
    expect(device.exists('state-root/bootstrap/result')).toBe(false);
    expect(device.readJson(file)).toMatchObject({ decision: 'first_run' });
  }));

test('a directory in its place makes way', () =>
  withDevice((device) => {
    device.write(`${file}/in-the-way`, '');
    expect(device.precheck().exitCode).toBe(0);
    expect(device.readJson(file)).toMatchObject({ decision: 'first_run' });
  }));

describe('where it cannot be written, the verdict stands', () => {
  test.each(['ENOSPC', 'EIO', 'EROFS'])('a disk that says %s', (errno) =>
    withDevice(async (device) => {
      const wrapHost = withDisk((disk) => ({
        createDirectory(path: string, mode: number): void {
          if (path === 'bootstrap/result') throw new DiskError('mkdir', path, errno);
          disk.createDirectory(path, mode);
        },
      }));
      const { exitCode, logLines } = await device.boot({ wrapHost });
      expect(exitCode).toBe(0);
      expect(logLines.join('\n')).toContain(notKept);
      expect(logLines.join('\n')).toContain(`mkdir bootstrap/result: ${errno}`);
      expect(device.exists(file)).toBe(false);
      device.flash({ name: '2.0', kernelRelease: '6.1.0-2' });
      fs.rmSync(device.inside('runtime/manifest.json.sig'));
      const refused = await device.boot({ wrapHost });
      expect(refused.exitCode).toBe(5);
      expect(refused.logLines.join('\n')).toContain('reason="manifest.signature_missing"');
    }),
  );
});
