/** Situations in which a device boots: what stands on its disk, and what precheck finds then. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestDevice } from '@edged/testkit/device/device';
import { failingFromRename } from '@edged/testkit/device/faults';

export interface Change {
  readonly path: string;
  readonly change: 'added' | 'replaced' | 'removed';
}

export function replaceOs(device: TestDevice): void {
  device.editFingerprint({ composite_hash: 'ffff0000' });
}

function requireGood(isGood: boolean): void {
  if (!isGood) throw new Error('the situation could not be arranged');
}

export function inEpochOne(device: TestDevice): void {
  device.precheck();
  replaceOs(device);
  requireGood(device.precheck().exitCode === 0);
}

/** The image in the device's directory becomes the OS of this machine. */
function flashThisMachine(device: TestDevice): void {
  device.flash({ name: 'this machine', kernelRelease: os.release() });
  for (const file of ['etc/os-release', 'usr/lib/os-release']) {
    fs.rmSync(path.join(device.directory, 'os', file));
    if (fs.existsSync(`/${file}`)) device.write(`os/${file}`, fs.readFileSync(`/${file}`));
  }
}

/** Cut off behind its promise: the journal is there, some of it is done. */
async function cutOff(device: TestDevice): Promise<void> {
  const fault = failingFromRename(4); // nor can it be taken back
  const { exitCode } = await device.boot({ wrapHost: fault.wrapHost });
  const journal = 'state-root/bootstrap/transaction/journal.json';
  requireGood(exitCode === 5 && fault.happened() && device.exists(journal));
}

export interface Situation {
  readonly name: string;
  readonly arrange: (device: TestDevice) => void | Promise<void>;
  readonly exit: number;
  /** Decision, or reason. */
  readonly found: string;
  readonly least: readonly Change[];
}

const added = (file: string): Change => ({ path: file, change: 'added' });
export const replaced = (file: string): Change => ({ path: file, change: 'replaced' });

export const situations: readonly Situation[] = [
  {
    name: 'a first run',
    arrange: () => undefined,
    exit: 0,
    found: 'first_run',
    least: [added('bootstrap/os_fingerprint.json'), added('epoch/current/evidence.json')],
  },
  { name: 'a match', arrange: inEpochOne, exit: 0, found: 'unchanged', least: [] },
  {
    name: 'an OS replaced',
    arrange(device) {
      device.precheck();
      replaceOs(device);
    },
    exit: 0,
    found: 'os_replaced',
    least: [
      added('runtime/bin/edge-agent'),
      added('epoch/previous/evidence.json'),
      replaced('bootstrap/os_fingerprint.json'),
    ],
  },
  {
    name: 'an OS replaced once more, by a manifest that has moved a file',
    arrange(device) {
      inEpochOne(device);
      const [src, dst] = ['runtime/binaries/edge-agent', 'runtime/new/place/edge-agent'];
      device.writeManifest([{ op: 'copy_binary', src, dst }]);
      replaceOs(device);
    },
    exit: 0,
    found: 'os_replaced',
    least: [added('runtime/new/place/edge-agent'), replaced('epoch/previous/evidence.json')],
  },
  {
    name: 'a lost fingerprint',
    arrange(device) {
      inEpochOne(device);
      fs.rmSync(device.inside('bootstrap/os_fingerprint.json'));
    },
    exit: 0,
    found: 'state_lost',
    least: [added('bootstrap/os_fingerprint.json')],
  },
  {
    name: 'damaged evidence',
    arrange(device) {
      inEpochOne(device);
      fs.truncateSync(device.inside('epoch/current/evidence.json'), 20);
    },
    exit: 0,
    found: 'evidence_damaged',
    least: [replaced('epoch/current/evidence.json')],
  },
  {
    name: 'a plain file in the place of the evidence',
    arrange(device) {
      inEpochOne(device);
      fs.rmSync(device.inside('epoch/current'), { recursive: true });
      device.write('state-root/epoch/current', 'not a directory');
    },
    exit: 0,
    found: 'evidence_damaged',
    least: [added('epoch/current/evidence.json'), { path: 'epoch/current', change: 'removed' }],
  },
  {
    name: 'a journal that a crash left, of the OS that runs',
    async arrange(device) {
      await device.boot();
      flashThisMachine(device);
      await cutOff(device);
    },
    exit: 0,
    found: 'unchanged',
    least: [
      replaced('bootstrap/os_fingerprint.json'),
      { path: 'bootstrap/transaction/journal.json', change: 'removed' },
    ],
  },
  {
    name: 'a journal that a crash left, and another OS since',
    async arrange(device) {
      await device.boot();
      device.flash({ name: '2.0', kernelRelease: '6.1.0-2' });
      await cutOff(device);
    },
    exit: 0,
    found: 'os_replaced',
    least: [replaced('bootstrap/os_fingerprint.json')],
  },
  {
    name: 'a transaction that was never committed, and a lock left by a kill',
    arrange(device) {
      inEpochOne(device);
      device.write('state-root/bootstrap/transaction/staged/0', 'half a file');
      fs.mkdirSync(device.inside('.precheck.lock'));
    },
    exit: 0,
    found: 'unchanged',
    least: [{ path: 'bootstrap/transaction/staged/0', change: 'removed' }],
  },
  {
    name: 'a certificate that is due',
    async arrange(device) {
      inEpochOne(device);
      await device.issueCertificate(5);
      device.editConfig((text) =>
        text.replace(/( +)ca_file: (.*)edge.crt(.*)/, '$&\n$1ca_key_file: $2edge.key$3'),
      );
    },
    exit: 0,
    found: 'unchanged',
    least: [],
  },
  {
    name: 'a manifest whose signature does not hold',
    arrange(device) {
      inEpochOne(device);
      fs.appendFileSync(device.inside('runtime/manifest.json'), '\n');
      replaceOs(device);
    },
    exit: 5,
    found: 'manifest.signature_invalid',
    least: [replaced('bootstrap/last_result.json')],
  },
  {
    name: 'a file that is not the one of the manifest',
    arrange(device) {
      inEpochOne(device);
      const [src, dst] = ['runtime/binaries/edge-agent', 'runtime/bin/edge-agent'];
      device.writeManifest([
        { op: 'copy_binary', src, dst: 'runtime/bin/first' },
        { op: 'copy_binary', src, dst, hash: 'ab'.repeat(32) },
      ]);
      replaceOs(device);
    },
    exit: 5,
    found: 'operation.hash_mismatch',
    least: [replaced('bootstrap/last_result.json')],
  },
];
