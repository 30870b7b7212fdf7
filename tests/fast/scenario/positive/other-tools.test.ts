/** Agreement with the tools that others use: b3sum, OpenSSL, Go's key format. */
import { type StdioOptions, execFileSync } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { runCommand } from '@edged/testkit/device/built-command';
import { type TestDevice, withDevice } from '@edged/testkit/device/device';
import { testWith } from '@edged/testkit/needs';

/** In the device's directory; what it prints. */
function openssl(device: TestDevice, ...args: readonly string[]): Buffer {
  const stdio: StdioOptions = ['ignore', 'pipe', 'pipe'];
  return execFileSync('openssl', args, { cwd: device.directory, stdio });
}

/** A key pair in `key.pem`; its raw public half where the device looks for it. */
function makeKey(device: TestDevice): void {
  openssl(device, 'genpkey', '-algorithm', 'ed25519', '-out', 'key.pem');
  const der = openssl(device, 'pkey', '-in', 'key.pem', '-pubout', '-outform', 'DER');
  device.write('state-root/identity/manifest-verify.pub', der.subarray(-32));
}

function boot(device: TestDevice): number | null {
  device.precheck();
  device.editFingerprint({ composite_hash: 'ffff0000' });
  return device.precheck().exitCode;
}

testWith('b3sum')('edged fingerprint equals b3sum over the three inputs', () => {
  const files = ['/etc/os-release', '/usr/lib/os-release'].filter((file) => fs.existsSync(file));
  const input = Buffer.concat([
    ...files.map((file) => fs.readFileSync(file)),
    Buffer.from(os.release()),
  ]);
  const expected = execFileSync('b3sum', ['--no-names'], { input, encoding: 'utf8' });
  expect(runCommand(['fingerprint']).stdout).toBe(expected);
});

describe('keys made elsewhere work as they are', () => {
  testWith('openssl')('raw keys out of OpenSSL, signature by OpenSSL', () =>
    withDevice((device) => {
      makeKey(device);
      const manifest = 'state-root/runtime/manifest.json';
      const signature = ['-in', manifest, '-out', `${manifest}.sig`];
      openssl(device, 'pkeyutl', '-sign', '-rawin', '-inkey', 'key.pem', ...signature);
      expect(boot(device)).toBe(0);
    }),
  );

  testWith('openssl')('a raw private key out of OpenSSL signs with edged sign', () =>
    withDevice((device) => {
      makeKey(device);
      const der = openssl(device, 'pkey', '-in', 'key.pem', '-outform', 'DER');
      device.write('raw.key', der.subarray(-32));
      const key = path.join(device.directory, 'raw.key');
      const manifest = device.inside('runtime/manifest.json');
      expect(runCommand(['sign', manifest, '--key', key]).exitCode).toBe(0);
      expect(boot(device)).toBe(0);
    }),
  );

  test("Go's 64-byte private key (seed, then public key)", () =>
    withDevice((device) => {
      const seed = fs.readFileSync(path.join(device.directory, 'keys/manifest-sign.key'));
      const publicKey = fs.readFileSync(path.join(device.directory, 'keys/manifest-verify.pub'));
      device.write('go.key', Buffer.concat([seed, publicKey]));
      fs.rmSync(device.inside('runtime/manifest.json.sig'));
      const manifest = device.inside('runtime/manifest.json');
      const signed = runCommand(['sign', manifest, '--key', path.join(device.directory, 'go.key')]);
      expect(signed.exitCode).toBe(0);
      expect(boot(device)).toBe(0);
    }));

  test('a key pair of node:crypto', () =>
    withDevice((device) => {
      const { publicKey, privateKey } = generateKeyPairSync('ed25519');
      const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
      device.write('state-root/identity/manifest-verify.pub', raw);
      const manifest = fs.readFileSync(device.inside('runtime/manifest.json'));
      device.write('state-root/runtime/manifest.json.sig', sign(null, manifest, privateKey));
      expect(boot(device)).toBe(0);
    }));

  test('edged keygen: 32 raw bytes each, the private one for its owner only', () =>
    withDevice((device) => {
      const directory = path.join(device.directory, 'new-keys');
      expect(runCommand(['keygen', directory]).exitCode).toBe(0);
      const privateKey = fs.statSync(path.join(directory, 'manifest-sign.key'));
      expect([privateKey.size, privateKey.mode & 0o777]).toEqual([32, 0o600]);
      expect(fs.statSync(path.join(directory, 'manifest-verify.pub')).size).toBe(32);
    }));
});

test('one flipped bit is exit 5 and changes no file, wherever it is (every seventh is tried)', () =>
  withDevice(async (device) => {
    await device.boot();
    device.flash({ name: '2.0', kernelRelease: '6.1.0-2' });
    const before = device.treeDigest();
    const places = [
      'runtime/manifest.json',
      'runtime/manifest.json.sig',
      'identity/manifest-verify.pub',
    ];
    for (const place of places) {
      const good = fs.readFileSync(device.inside(place));
      for (let bit = 0; bit < good.length * 8; bit += 7) {
        const bad = Buffer.from(good);
        bad.writeUInt8(bad.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
        fs.writeFileSync(device.inside(place), bad);
        const { exitCode } = await device.boot();
        fs.writeFileSync(device.inside(place), good);
        expect({ place, bit, exitCode }).toEqual({ place, bit, exitCode: 5 });
      }
      expect(device.treeDigest()).toBe(before);
    }
    expect((await device.boot()).exitCode).toBe(0);
  }));
