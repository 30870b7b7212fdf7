/** Certificates of every kind in use, made by OpenSSL; rotation; and what a doubtful clock proves. */
import { execFileSync } from 'node:child_process';
import { X509Certificate, createPrivateKey } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Host } from '@edged/host/host';
import { notAfter } from '@edged/precheck/certificate/certificate';
import { type TestDevice, withDevice } from '@edged/testkit/device/device';
import { failing } from '@edged/testkit/device/faults';
import { has, testWith } from '@edged/testkit/needs';

const day = 86_400_000;
const keyKinds = {
  'RSA 2048': ['RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
  'P-256': ['EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  'P-384': ['EC', '-pkeyopt', 'ec_paramgen_curve:P-384'],
  Ed25519: ['ED25519'],
} as const;
const withOpenssl = testWith('openssl');
type KeyKind = keyof typeof keyKinds;
const kinds = Object.keys(keyKinds) as KeyKind[];

function openssl(device: TestDevice, ...args: readonly string[]): void {
  execFileSync('openssl', args, { cwd: device.directory, stdio: ['ignore', 'ignore', 'pipe'] });
}

const extensions = `
[ca]
basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
[leaf]
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=serverAuth,clientAuth
subjectAltName=DNS:edge-001.fleet.example,IP:192.0.2.7,URI:urn:edge:001
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
`;

/** `name.key` and `name.crt`; its own issuer where none is given. */
function issue(
  device: TestDevice,
  name: string,
  kind: KeyKind,
  { issuer = name, section = 'leaf', days = 90 } = {},
): void {
  device.write('x509.cnf', extensions);
  openssl(device, 'genpkey', '-algorithm', ...keyKinds[kind], '-out', `${name}.key`);
  const subject = `/O=Fleet/CN=${name}`;
  openssl(device, 'req', '-new', '-key', `${name}.key`, '-subj', subject, '-out', `${name}.csr`);
  const signer =
    issuer === name
      ? ['-signkey', `${name}.key`]
      : ['-CA', `${issuer}.crt`, '-CAkey', `${issuer}.key`, '-CAcreateserial'];
  const more = ['-extfile', 'x509.cnf', '-extensions', section, '-days', String(days)];
  openssl(device, 'x509', '-req', '-in', `${name}.csr`, ...signer, ...more, '-out', `${name}.crt`);
}

/** A device with a CA of its own, its key included. */
function withCa(device: TestDevice, ca: KeyKind, leaf: KeyKind, days = 90): void {
  issue(device, 'ca', ca, { section: 'ca', days: 3650 });
  issue(device, 'edge', leaf, { issuer: 'ca', days });
  useCa(device);
}

function useCa(device: TestDevice): void {
  device.editConfig((text) =>
    text.replace(/ca_file: .*/, 'ca_file: ca.crt\n  ca_key_file: ca.key'),
  );
}

function leafOf(device: TestDevice): X509Certificate {
  return new X509Certificate(device.read('edge.crt'));
}

/** Certificate and key as they stand. */
function pairOf(device: TestDevice): string {
  return device.read('edge.crt') + device.read('edge.key');
}

function belongTogether(device: TestDevice): boolean {
  return leafOf(device).checkPrivateKey(createPrivateKey(device.read('edge.key')));
}

describe('a leaf and a CA of each kind', () => {
  withOpenssl.each(kinds)('%s', (kind) =>
    withDevice(async (device) => {
      withCa(device, kind, kind);
      expect((await device.boot()).exitCode).toBe(0);
    }),
  );
});

withOpenssl('a chain over an intermediate', () =>
  withDevice(async (device) => {
    issue(device, 'ca', 'P-384', { section: 'ca', days: 3650 });
    issue(device, 'sub', 'RSA 2048', { issuer: 'ca', section: 'ca', days: 3650 });
    issue(device, 'edge', 'P-256', { issuer: 'sub' });
    useCa(device);
    expect((await device.boot()).exitCode).toBe(3); // nothing leads from the leaf to the CA
    device.write('edge.crt', device.read('edge.crt') + device.read('sub.crt'));
    expect((await device.boot()).exitCode).toBe(0);
  }),
);

withOpenssl('PEM with junk around it, CRLF, and parameters before the key', () =>
  withDevice(async (device) => {
    withCa(device, 'P-256', 'P-256');
    const junk = 'Bag Attributes\n    friendlyName: edge\n\u0000\u00ff junk\n';
    const certificate = device.read('edge.crt').replaceAll('\n', '\r\n');
    device.write('edge.crt', `${junk}${certificate}${junk}`);
    openssl(device, 'ecparam', '-name', 'prime256v1', '-out', 'params.pem');
    openssl(device, 'ec', '-in', 'edge.key', '-out', 'sec1.pem');
    device.write('edge.key', junk + device.read('params.pem') + device.read('sec1.pem') + junk);
    expect((await device.boot()).exitCode).toBe(0);
  }),
);

describe('seven days, to the second', () => {
  const now = Date.parse('2026-11-01T00:00:00Z');
  test.each([
    [7 * day, 3],
    [7 * day + 1000, 0],
  ])('%d milliseconds left is exit %d', (left, exitCode) =>
    withDevice(async (device) => {
      await device.issueCertificate(30, now);
      const ends = notAfter(leafOf(device)).getTime();
      const boot = await device.boot({ wrapHost: showing(ends - left) });
      expect(boot.exitCode).toBe(exitCode);
    }),
  );

  test('the config may say otherwise', () =>
    withDevice(async (device) => {
      await device.issueCertificate(20);
      const limits = 'certificate:\n  fail_within_days: 14\n  warn_within_days: 30\n';
      device.editConfig((text) => text + limits);
      const warned = await device.boot();
      expect(warned.exitCode).toBe(0);
      expect(warned.logLines.join('\n')).toMatch(
        /WARN msg="edge.certificate.expires" .*days_left=/,
      );
      await device.issueCertificate(13);
      const refused = await device.boot();
      expect(refused.exitCode).toBe(3);
      expect(refused.logLines.join('\n')).toMatch(/days_left=1[23][.\d]* limit_days=14/);
    }));
});

describe('a clock that nobody has set (I7)', () => {
  test('a certificate of tomorrow is a finding, and no refusal', () =>
    withDevice(async (device) => {
      await device.issueCertificate(90, Date.now() + 2 * day);
      const { exitCode, logLines } = await device.boot();
      expect(exitCode).toBe(0);
      expect(logLines.join('\n')).toContain('msg="edge.certificate.validity_unproven"');
    }));

  test('1970: the certificate is good, and that is said', () =>
    withDevice(async (device) => {
      const { exitCode, logLines } = await device.boot({ wrapHost: showing(0) });
      expect(exitCode).toBe(0);
      expect(logLines.join('\n')).toContain('msg="edge.clock.implausible"');
      expect(device.evidence('current')['time_verdict']).toBe('implausible');
    }));

  test('2099: it is not expired by a clock that is implausible', () =>
    withDevice(async (device) => {
      const { exitCode, logLines } = await device.boot({ wrapHost: showing(2099) });
      expect(exitCode).toBe(0);
      expect(logLines.join('\n')).toContain('msg="edge.certificate.expiry_unproven"');
      const epoch = device.fingerprint()['captured_at'];
      expect(String(epoch)).toMatch(/^2026/); // and 2099 is written nowhere
    }));

  test('2099, synchronised: it is expired', () =>
    withDevice(async (device) => {
      device.write('os/run/systemd/timesync/synchronized', '');
      expect((await device.boot({ wrapHost: showing(2099) })).exitCode).toBe(3);
    }));
});

function showing(time: number): (host: Host) => Host {
  const milliseconds = time === 2099 ? Date.parse('2099-01-01') : time;
  return (host) => ({ ...host, clock: { ...host.clock, wallMilliseconds: () => milliseconds } });
}

describe('rotation', () => {
  withOpenssl.each(kinds)('by a CA with a %s key, from a leaf of that kind', (kind) =>
    withDevice(async (device) => {
      withCa(device, kind, kind);
      const old = leafOf(device);
      const { exitCode, logLines } = await device.boot({ rotateCerts: true });
      expect(logLines.join('\n')).toContain('msg="edge.certificate.rotated"');
      expect(exitCode).toBe(0);
      const leaf = leafOf(device);
      expect(leaf.subject).toBe(old.subject);
      expect(leaf.subjectAltName).toBe(old.subjectAltName);
      expect(leaf.keyUsage).toEqual(old.keyUsage);
      expect(leaf.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
      expect(leaf.serialNumber).not.toBe(old.serialNumber);
      expect(notAfter(leaf).getTime() - Date.now()).toBeGreaterThan(364.9 * day);
      openssl(device, 'verify', '-x509_strict', '-CAfile', 'ca.crt', 'edge.crt');
      expect(belongTogether(device)).toBe(true);
      expect(fs.readdirSync(device.directory).join()).not.toContain('edged-rotation');
    }),
  );

  withOpenssl('keeps the chain, and ends no later than the CA', () =>
    withDevice(async (device) => {
      issue(device, 'root', 'P-384', { section: 'ca', days: 3650 });
      issue(device, 'ca', 'P-256', { issuer: 'root', section: 'ca', days: 100 });
      issue(device, 'edge', 'P-256', { issuer: 'ca' });
      device.write('edge.crt', device.read('edge.crt') + device.read('ca.crt'));
      device.editConfig((text) =>
        text.replace(/ca_file: .*/, 'ca_file: root.crt\n  ca_key_file: ca.key'),
      );
      expect((await device.boot({ rotateCerts: true })).exitCode).toBe(0);
      const [end, caEnd] = [leafOf(device), new X509Certificate(device.read('ca.crt'))];
      expect(notAfter(end)).toEqual(notAfter(caEnd));
      expect((await device.boot()).exitCode).toBe(0);
    }),
  );

  test('of a certificate that is its own CA', () =>
    withDevice(async (device) => {
      device.editConfig((text) =>
        text.replace(/( +)ca_file: (.*)edge.crt(.*)/, '$&\n$1ca_key_file: $2edge.key$3'),
      );
      const old = leafOf(device);
      expect((await device.boot({ rotateCerts: true })).exitCode).toBe(0);
      expect(leafOf(device).subject).toBe(old.subject);
      expect(leafOf(device).fingerprint256).not.toBe(old.fingerprint256);
      expect((await device.boot()).exitCode).toBe(0);
    }));

  withOpenssl('comes by itself when it is due, and not before', () =>
    withDevice(async (device) => {
      withCa(device, 'P-256', 'P-256');
      const before = pairOf(device);
      expect((await device.boot()).exitCode).toBe(0);
      expect(pairOf(device)).toBe(before);
      issue(device, 'edge', 'P-256', { issuer: 'ca', days: 6 });
      const due = pairOf(device);
      const dry = await device.boot({ dryRun: true });
      expect(dry.exitCode).toBe(0);
      expect(dry.logLines.join('\n')).toMatch(/msg="edge.certificate.rotated".* dry_run=true/);
      expect(pairOf(device)).toBe(due);
      expect((await device.boot()).exitCode).toBe(0);
      expect(pairOf(device)).not.toBe(due);
    }),
  );

  withOpenssl('keeps mode and owner, so that the agent can read its key', () =>
    withDevice(async (device) => {
      withCa(device, 'P-256', 'P-256');
      const key = path.join(device.directory, 'edge.key');
      fs.chmodSync(key, 0o640);
      const isGiven = has('the right to give files away');
      if (isGiven) fs.chownSync(key, 12_345, 12_346);
      expect((await device.boot({ rotateCerts: true })).exitCode).toBe(0);
      const { mode, uid, gid } = fs.statSync(key);
      expect(mode & 0o777).toBe(0o640);
      if (isGiven) expect([uid, gid]).toEqual([12_345, 12_346]);
    }),
  );

  withOpenssl('refuses a symlink in the place of the key, and leaves the pair', () =>
    withDevice(async (device) => {
      withCa(device, 'P-256', 'P-256');
      const key = path.join(device.directory, 'edge.key');
      fs.renameSync(key, `${key}.real`);
      fs.symlinkSync('edge.key.real', key);
      const before = pairOf(device);
      expect((await device.boot({ rotateCerts: true })).exitCode).toBe(3);
      expect(pairOf(device)).toBe(before);
    }),
  );

  withOpenssl.each([
    ['createFile', 0],
    ['createFile', 1],
    ['syncDirectory', 0],
    ['rename', 0],
    ['rename', 1],
    ['syncDirectory', 4],
    ['syncDirectory', 5],
  ] as const)('cut off at %s %d, the next boot has a pair that matches', (operation, at) =>
    withDevice(async (device) => {
      await device.boot();
      withCa(device, 'P-256', 'P-256');
      const fault = failing(operation, 'EIO', at);
      const cut = await device.boot({ rotateCerts: true, wrapHost: fault.wrapHost });
      expect(fault.happened()).toBe(true);
      expect(cut.exitCode).toBe(3);
      expect(belongTogether(device)).toBe(true);
      expect((await device.boot()).exitCode).toBe(0);
      expect(belongTogether(device)).toBe(true);
      expect(fs.readdirSync(device.directory).join()).not.toContain('edged-rotation');
    }),
  );

  withOpenssl.each([
    ['between the renames', ['edge.key']],
    ['before the first', []],
    ['the certificate first, as a filesystem may reorder them', ['edge.crt']],
  ])('killed %s: the next boot brings it to its end', (_when, renamed) =>
    withDevice(async (device) => {
      await device.boot();
      withCa(device, 'P-256', 'P-256');
      const old = new Map(['edge.crt', 'edge.key'].map((name) => [name, device.read(name)]));
      expect((await device.boot({ rotateCerts: true })).exitCode).toBe(0);
      for (const [name, text] of old) {
        if (renamed.includes(name)) continue;
        device.write(`.edged-rotation/${name}`, device.read(name));
        device.write(name, text);
      }
      const { exitCode, logLines } = await device.boot();
      expect(logLines.join('\n')).toContain('msg="edge.certificate.rotation_finished"');
      expect(exitCode).toBe(0);
      expect(belongTogether(device)).toBe(true);
      expect(pairOf(device) === [...old.values()].join('')).toBe(renamed.length === 0);
      expect(fs.readdirSync(device.directory).join()).not.toContain('edged-rotation');
    }),
  );
});
