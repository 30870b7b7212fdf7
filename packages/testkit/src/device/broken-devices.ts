/**
 * Devices broken in one way each, as they come back from the field: what breaks them, what a
 * command must say of it, and what the operator who read that does. Each begins as a device in
 * epoch 1 whose agent was installed.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { Need } from '../needs.ts';
import type { TestDevice } from './device.ts';
import { testKey } from './signing.ts';

export interface BrokenDevice {
  readonly name: string;
  readonly breaks: (device: TestDevice) => void | Promise<void>;
  /** Of precheck, before it is cured. */
  readonly exitCode: 0 | 1 | 2 | 3 | 5;
  /** Printed by `edged doctor`; and by precheck where it refuses. */
  readonly cause: readonly (string | RegExp)[];
  readonly cure: readonly (string | RegExp)[];
  /** What is then done; nothing where precheck cures it by itself. */
  readonly cures: (device: TestDevice) => void | Promise<void>;
  readonly environment?: Readonly<Record<string, string>>;
  /** Put before the command, such as faketime(1). */
  readonly under?: readonly string[];
  readonly needs?: readonly Need[];
}

const replaceOs = (device: TestDevice): void => device.editFingerprint({ composite_hash: 'ffff' });
const nothing = (): void => undefined;

function keeping(file: string, breaks: (device: TestDevice, file: string) => void) {
  return {
    breaks(device: TestDevice): void {
      replaceOs(device);
      fs.copyFileSync(device.inside(file), path.join(device.directory, 'kept'));
      breaks(device, device.inside(file));
    },
    cures(device: TestDevice): void {
      fs.rmSync(device.inside(file), { recursive: true, force: true });
      fs.copyFileSync(path.join(device.directory, 'kept'), device.inside(file));
    },
  };
}

function mount(...args: readonly string[]): void {
  execFileSync('mount', args);
}

/** The state root as it is, on a small filesystem of its own. */
function onFilesystem(device: TestDevice): void {
  const image = path.join(device.directory, 'disk.img');
  fs.writeFileSync(image, '');
  fs.truncateSync(image, 16 * 1024 * 1024);
  execFileSync('mke2fs', ['-q', '-t', 'ext4', '-d', device.stateRoot, image]);
  mount('-o', 'loop', image, device.stateRoot);
  device.unmountLater(device.stateRoot);
}

const aFilesystem = ['mke2fs', 'mount', 'the right to mount', 'loop devices'] as const;

export const brokenDevices: readonly BrokenDevice[] = [
  {
    name: 'the verify key is that of another fleet',
    ...keeping('identity/manifest-verify.pub', (_device, file) =>
      fs.writeFileSync(file, testKey(77).publicKey),
    ),
    exitCode: 5,
    cause: ['manifest.signature_invalid', 'signature verification failed'],
    cure: ['with the key whose public half is on the device'],
  },
  {
    name: 'the verify key is gone',
    ...keeping('identity/manifest-verify.pub', (_device, file) => fs.rmSync(file)),
    exitCode: 5,
    cause: ['manifest.verify_key_missing'],
    cure: ['raw 32-byte Ed25519 public key at', 'identity/manifest-verify.pub'],
  },
  {
    name: 'the signature is cut short',
    ...keeping('runtime/manifest.json.sig', (_device, file) => fs.truncateSync(file, 40)),
    exitCode: 5,
    cause: ['manifest.signature_invalid', /\b40\b/],
    cure: ['Sign exactly these manifest bytes'],
  },
  {
    name: 'the signature is gone',
    ...keeping('runtime/manifest.json.sig', (_device, file) => fs.rmSync(file)),
    exitCode: 5,
    cause: ['manifest.signature_missing'],
    cure: ['edged sign', 'runtime/manifest.json.sig'],
  },
  {
    name: 'the manifest was edited on the device',
    ...keeping('runtime/manifest.json', (_device, file) => fs.appendFileSync(file, '\n')),
    exitCode: 5,
    cause: ['manifest.signature_invalid'],
    cure: ['Sign exactly these manifest bytes'],
  },
  {
    name: 'the manifest is gone',
    ...keeping('runtime/manifest.json', (_device, file) => fs.rmSync(file)),
    exitCode: 5,
    cause: ['manifest.missing'],
    cure: ['Ship runtime/manifest.json together with its', 'signature'],
  },
  {
    name: 'the binary of the agent is missing',
    ...keeping('runtime/binaries/edge-agent', (_device, file) => fs.rmSync(file)),
    exitCode: 5,
    cause: ['operation.src_missing', 'src="runtime/binaries/edge-agent"'],
    cure: ['Ship the file into runtime/binaries/'],
  },
  {
    name: 'the binary of the agent is another one',
    breaks(device) {
      device.writeManifest([operation({ hash: 'ab'.repeat(32) })]);
      replaceOs(device);
    },
    exitCode: 5,
    cause: ['operation.hash_mismatch', 'expected="abababab'],
    cure: ['sign a manifest for this file'],
    cures: (device) => device.writeManifest([operation({})]),
  },
  {
    name: 'the binary of the agent is for another machine',
    breaks(device) {
      const header = Buffer.alloc(64);
      header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
      header.writeUInt16LE(process.arch === 'arm64' ? 62 : 183, 18);
      device.write('state-root/runtime/binaries/edge-agent', header);
      replaceOs(device);
    },
    exitCode: 5,
    cause: ['operation.wrong_machine', `this_machine="${process.arch}"`],
    cure: ['Ship a build for the architecture of this device'],
    cures: (device) => device.write('state-root/runtime/binaries/edge-agent', '#!/bin/sh\n', 0o755),
  },
  {
    name: 'a directory stands where the agent is to be installed',
    breaks(device) {
      fs.rmSync(device.inside('runtime/bin/edge-agent'));
      fs.mkdirSync(device.inside('runtime/bin/edge-agent'));
      replaceOs(device);
    },
    exitCode: 5,
    cause: ['operation.dst_unusable', 'dst="runtime/bin/edge-agent"', 'found="directory"'],
    cure: ['must be a regular file or absent'],
    cures: (device) => fs.rmdirSync(device.inside('runtime/bin/edge-agent')),
  },
  {
    name: 'the disk is full',
    needs: aFilesystem,
    breaks(device) {
      replaceOs(device);
      onFilesystem(device);
      fill(device.inside('edge/segments/full'));
    },
    exitCode: 5,
    cause: ['reconstruction.no_space', /free_bytes=\d+/],
    cure: ['Free space on the persistent partition'],
    cures: (device) => fs.rmSync(device.inside('edge/segments/full')),
  },
  {
    name: 'the partition is mounted read-only, and the OS was replaced',
    needs: aFilesystem,
    breaks(device) {
      replaceOs(device);
      onFilesystem(device);
      mount('-o', 'remount,ro', device.stateRoot);
    },
    exitCode: 2,
    cause: ['state_root.read_only', /mount="[^"]*ext4/],
    cure: ['Remount the persistent partition read-write'],
    cures: (device) => mount('-o', 'remount,rw', device.stateRoot),
  },
  {
    name: 'the state root is in memory',
    needs: ['/dev/shm'],
    breaks(device) {
      const memory = fs.mkdtempSync('/dev/shm/edged-broken-');
      device.removeLater(memory);
      device.editConfig((text) => text.replace(/^ {2}root: .*/m, `  root: ${memory}`));
    },
    environment: {},
    exitCode: 2,
    cause: ['state_root.ephemeral_filesystem', 'filesystem="tmpfs"'],
    cure: ['Mount a persistent partition'],
    cures(device) {
      device.editConfig((text) => text.replace(/^ {2}root: .*/m, `  root: ${device.stateRoot}`));
    },
  },
  {
    name: 'the partition is not mounted',
    breaks: (device) => fs.renameSync(device.stateRoot, `${device.stateRoot}.unmounted`),
    exitCode: 2,
    cause: ['state_root.missing', /state_root="[^"]+"/],
    cure: ['Mount the persistent partition'],
    cures: (device) => fs.renameSync(`${device.stateRoot}.unmounted`, device.stateRoot),
  },
  {
    name: 'the state root belongs to somebody else',
    needs: ['the right to give files away'],
    breaks: (device) => fs.chownSync(device.stateRoot, 12_345, 12_345),
    exitCode: 2,
    cause: ['state_root.wrong_owner'],
    cure: ['the owner of the state root'],
    cures: (device) => fs.chownSync(device.stateRoot, 0, 0),
  },
  {
    name: 'everybody may write into the state root',
    breaks: (device) => fs.chmodSync(device.stateRoot, 0o777),
    exitCode: 2,
    cause: ['state_root.world_writable', 'mode="0777"'],
    cure: ['chmod o-w'],
    cures: (device) => fs.chmodSync(device.stateRoot, 0o755),
  },
  {
    name: 'the certificate has expired',
    breaks: (device) => device.issueCertificate(10, Date.now() - 20 * 86_400_000),
    exitCode: 3,
    cause: ['certificate.expired', /not_after="20/],
    cure: ['Install a new certificate'],
    cures: (device) => device.issueCertificate(90),
  },
  {
    name: 'the certificate expires on Thursday',
    breaks: (device) => device.issueCertificate(4),
    exitCode: 3,
    cause: ['certificate.expires_soon', /days_left=3/],
    cure: ['Renew the certificate now'],
    cures: (device) => device.issueCertificate(90),
  },
  {
    name: 'the key is not that of the certificate',
    async breaks(device) {
      const certificate = device.read('edge.crt');
      await device.issueCertificate(90);
      device.write('edge.crt', certificate);
    },
    exitCode: 3,
    cause: ['certificate.key_mismatch', /key="[^"]*edge\.key"/],
    cure: ['Install the key that the certificate was issued for'],
    cures: (device) => device.issueCertificate(90),
  },
  {
    name: 'the clock shows 1970',
    needs: ['faketime'],
    breaks: nothing,
    under: ['faketime', '-f', '@1970-01-02 00:00:00'],
    exitCode: 0,
    cause: ['inspection.clock_implausible', '1970-01-02'],
    cure: ['timedatectl set-time'],
    cures: nothing,
  },
  {
    name: 'a mistyped key in the config',
    breaks: (device) =>
      device.editConfig((text) => text.replace('window_seconds', 'windw_seconds')),
    exitCode: 1,
    cause: ['config.invalid', 'did_you_mean="window_seconds"', /at="\d+:\d+"/],
    cure: ['Correct every problem listed'],
    cures: (device) => device.editConfig((text) => text.replace('windw_seconds', 'window_seconds')),
  },
  {
    name: 'the fingerprint is lost',
    breaks: (device) => fs.rmSync(device.inside('bootstrap/os_fingerprint.json')),
    exitCode: 0,
    cause: ['the fingerprint is lost: epoch 2 will begin', 'inspection.records_disagree'],
    cure: ['precheck repairs'],
    cures: nothing,
  },
  {
    name: 'the evidence is torn',
    breaks: (device) => fs.truncateSync(device.inside('epoch/current/evidence.json'), 33),
    exitCode: 0,
    cause: ['inspection.records_disagree', 'record="current" found="damaged"'],
    cure: ['precheck repairs'],
    cures: nothing,
  },
  {
    name: 'the history was written over',
    breaks: (device) => device.write('state-root/bootstrap/epoch_history.json', '\0\0\0\0'),
    exitCode: 0,
    cause: ['inspection.records_disagree', 'record="history" found="damaged"'],
    cure: ['precheck repairs'],
    // the history is a third witness: precheck writes it with the next epoch
    cures: replaceOs,
  },
  {
    name: 'somebody has replaced the installed agent',
    breaks: (device) => device.write('state-root/runtime/bin/edge-agent', '#!/bin/sh\nevil\n'),
    exitCode: 0,
    cause: ['inspection.installed_differs', 'dst="runtime/bin/edge-agent"'],
    cure: ['install -m MODE SRC DST'],
    cures: installAgent,
  },
  {
    name: 'the installed agent was removed',
    breaks: (device) => fs.rmSync(device.inside('runtime/bin/edge-agent')),
    exitCode: 0,
    cause: ['inspection.installed_missing', 'src="runtime/binaries/edge-agent"'],
    cure: ['install -m MODE SRC DST'],
    cures: installAgent,
  },
  {
    name: 'the power went in the middle of a reconstruction',
    breaks: (device) => device.write('state-root/bootstrap/transaction/staged/0', 'half a fi'),
    exitCode: 0,
    cause: ['inspection.unfinished_work', 'bootstrap/transaction'],
    cure: ['the next precheck finishes it', 'edged doctor --fix'],
    cures: nothing,
  },
  {
    name: 'a lock was left by a kill',
    breaks: (device) => fs.mkdirSync(device.inside('.precheck.lock')),
    exitCode: 0,
    cause: ['inspection.lock_without_owner'],
    cure: ['the next precheck takes it away', 'edged doctor --fix'],
    cures: nothing,
  },
];

function operation(more: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const [src, dst] = ['runtime/binaries/edge-agent', 'runtime/bin/edge-agent'];
  return { op: 'copy_binary', src, dst, ...more };
}

/** As the output says: `install -m MODE SRC DST`. */
function installAgent(device: TestDevice): void {
  const dst = device.inside('runtime/bin/edge-agent');
  fs.rmSync(dst, { force: true });
  fs.copyFileSync(device.inside('runtime/binaries/edge-agent'), dst);
  fs.chmodSync(dst, 0o755);
}

/** Until not a byte is free, for root neither. */
function fill(file: string): void {
  const fd = fs.openSync(file, 'w');
  try {
    for (let size = 1024 * 1024; size >= 512;) {
      try {
        fs.writeSync(fd, Buffer.alloc(size));
        fs.fsyncSync(fd);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        size /= 2;
      }
    }
  } finally {
    fs.closeSync(fd);
  }
}
