/**
 * Rung 3: a real filesystem on a block device whose every write and flush is recorded, and power
 * cuts made from the record. No VM: `qemu-storage-daemon` records below an exported file, which is
 * mounted through a loop device.
 *
 * The last 4 KiB of the device lie behind the filesystem. After each precheck that exited 0 its
 * number is written there with O_DIRECT and O_DSYNC, so that every prefix of the record knows what
 * had been promised.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { Need } from '../needs.ts';
import { type LogEntry, readWriteLog } from './write-log.ts';

export interface FileSystem {
  readonly name: 'ext4' | 'xfs' | 'btrfs';
  readonly sizeMebibytes: number;
  readonly make: readonly string[];
  /** Judges an unmounted filesystem; exit 0 when it is clean. */
  readonly check: readonly string[];
}

export const fileSystems: readonly FileSystem[] = [
  {
    name: 'ext4',
    sizeMebibytes: 32,
    make: ['mkfs.ext4', '-q', '-F', '-E', 'lazy_itable_init=0,lazy_journal_init=0'],
    check: ['e2fsck', '-fn'],
  },
  { name: 'xfs', sizeMebibytes: 304, make: ['mkfs.xfs', '-q', '-f'], check: ['xfs_repair', '-n'] },
  {
    name: 'btrfs',
    sizeMebibytes: 128,
    make: ['mkfs.btrfs', '-q', '-f'],
    check: ['btrfs', 'check', '--readonly'],
  },
];

export const rigNeeds: readonly Need[] = [
  'qemu-storage-daemon',
  '/dev/fuse',
  'mkfs.ext4',
  'mkfs.xfs',
  'mkfs.btrfs',
  'mount',
  'the right to mount',
  'loop devices',
];

export interface Recording {
  readonly fileSystem: FileSystem;
  /** The device before the first recorded write. */
  readonly baseImage: string;
  readonly entries: readonly LogEntry[];
  /** Sector of the acknowledgements. */
  readonly acknowledgementSector: number;
}

const acknowledgementBytes = 4096;

/**
 * Makes a filesystem, records everything that `work` causes on it, and gives the record. `work`
 * gets
 * the mount point and a function that writes an acknowledgement.
 */
export async function record(
  directory: string,
  fileSystem: FileSystem,
  prepare: (mountPoint: string) => Promise<void>,
  work: (mountPoint: string, acknowledge: (number: number) => void) => Promise<void>,
): Promise<Recording> {
  const [disk, log, base] = ['disk.img', 'log.img', 'base.img'].map((name) =>
    path.join(directory, name),
  ) as [string, string, string];
  const mountPoint = path.join(directory, 'mount');
  fs.mkdirSync(mountPoint, { recursive: true });
  makeFileSystem(disk, fileSystem);
  await mounted(disk, mountPoint, () => prepare(mountPoint));
  execFileSync('cp', ['--sparse=always', disk, base]);
  fs.writeFileSync(log, '');
  const exported = path.join(directory, 'exported');
  fs.writeFileSync(exported, '');
  const daemon = await startDaemon(disk, log, exported);
  const position = fileSystem.sizeMebibytes * 1024 * 1024;
  try {
    const device = attach(exported);
    try {
      await mounted(device, mountPoint, () =>
        work(mountPoint, (number) => writeAcknowledgement(device, position, number)),
      );
    } finally {
      execFileSync('losetup', ['-d', device]);
    }
  } finally {
    await stop(daemon);
  }
  const entries = readWriteLog(log);
  return {
    fileSystem,
    baseImage: base,
    entries,
    acknowledgementSector: position / 512,
  };
}

/**
 * Mounts an image or a device, acts, unmounts. Returns when the loop device is gone as well: on a
 * busy machine it outlives the mount for a moment, and the next mount of the image would be served
 * from what it remembers.
 */
export async function mounted<Result>(
  image: string,
  mountPoint: string,
  act: () => Promise<Result>,
): Promise<Result> {
  const loop = image.startsWith('/dev/') ? [] : ['-o', 'loop'];
  execFileSync('mount', [...loop, image, mountPoint], { stdio: ['ignore', 'ignore', 'pipe'] });
  try {
    return await act();
  } finally {
    unmount(mountPoint);
    while (loop.length > 0 && execFileSync('losetup', ['-j', image]).length > 0) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

function unmount(mountPoint: string): void {
  execFileSync('umount', [mountPoint]);
}

function makeFileSystem(image: string, { sizeMebibytes, make }: FileSystem): void {
  const size = sizeMebibytes * 1024 * 1024;
  fs.writeFileSync(image, '');
  fs.truncateSync(image, size);
  const [tool = '', ...args] = make;
  execFileSync(tool, [...args, image], { stdio: 'ignore' });
  fs.truncateSync(image, size + acknowledgementBytes);
}

async function startDaemon(disk: string, log: string, exported: string): Promise<ChildProcess> {
  const daemon = spawn(
    'qemu-storage-daemon',
    [
      ['--blockdev', `driver=file,node-name=disk,filename=${disk}`],
      ['--blockdev', `driver=file,node-name=log,filename=${log}`],
      [
        '--blockdev',
        'driver=blklogwrites,node-name=recorded,file=disk,log=log,log-sector-size=512',
      ],
      ['--export', `type=fuse,id=export,node-name=recorded,mountpoint=${exported},writable=on`],
    ].flat(),
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const size = fs.statSync(disk).size;
  for (let tries = 0; tries < 200; tries += 1) {
    if (daemon.exitCode !== null) break;
    if (fs.statSync(exported).size === size) return daemon;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  daemon.kill();
  throw new Error('qemu-storage-daemon did not export the disk');
}

async function stop(daemon: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => daemon.once('exit', resolve));
  daemon.kill('SIGTERM');
  await ended;
}

function attach(file: string): string {
  return execFileSync('losetup', ['--show', '-f', file], { encoding: 'utf8' }).trim();
}

function writeAcknowledgement(device: string, position: number, number: number): void {
  const block = Buffer.alloc(acknowledgementBytes);
  block.writeUInt32LE(number + 1);
  execFileSync(
    'dd',
    [`of=${device}`, 'bs=4096', `seek=${position / 4096}`, 'oflag=direct,dsync', 'conv=notrunc'],
    { input: block, stdio: ['pipe', 'ignore', 'ignore'] },
  );
}
