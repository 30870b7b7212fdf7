/** Gate `state_root`. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { DiskError, type Host, LockUnavailable } from '@edged/host/host';
import { parseMountInfo } from '@edged/host/linux-mounts';
import type { CommandOptions } from '@edged/testkit/device/built-command';
import { withDisk } from '@edged/testkit/device/faults';
import { type Scenes, config } from './scene.ts';

const withMountCheck: CommandOptions = { environment: {} };
const nobody = 65_534;
const rootMount = '1 0 8:1 / / rw - ext4 /dev/sda1 rw';
/** Where the device lies, as mountinfo writes it. */
const temporary = fs.realpathSync(os.tmpdir()).replaceAll(' ', String.raw`\040`);

export const stateRootScenes: Scenes = {
  'state_root.not_absolute': [
    { name: 'relative', ...config((text) => text.replace(/^ {2}root: .*/m, '  root: state-root')) },
  ],
  'state_root.missing': [
    {
      name: 'and with it the config that lies in it',
      options: { environment: { EDGE_STATE_ROOT: '/nowhere/edged' } },
      command: () => ['precheck', '--config', '/nowhere/edged/bootstrap/config.yaml'],
    },

    {
      name: 'absent',
      ...config((text) => text.replace(/^ {2}root: .*/m, '  root: /nowhere/at/all')),
    },
  ],
  'state_root.not_a_directory': [
    { name: 'a file', ...config((text) => text.replace(/^ {2}root: .*/m, '  root: /etc/passwd')) },
  ],
  'state_root.is_filesystem_root': [
    { name: '/', ...config((text) => text.replace(/^ {2}root: .*/m, '  root: /')) },
    { name: '/..', ...config((text) => text.replace(/^ {2}root: .*/m, '  root: /usr/..')) },
  ],
  'state_root.world_writable': [
    { name: 'mode 0777', arrange: (device) => fs.chmodSync(device.stateRoot, 0o777) },
  ],
  'state_root.wrong_owner': [
    {
      name: 'of user 12345',
      needs: ['the right to give files away'],
      arrange: (device) => fs.chownSync(device.stateRoot, 12_345, 0),
    },
  ],
  'state_root.not_writable': [
    {
      name: 'run by nobody',
      needs: ['paths that every user can reach'],
      arrange: (device) => fs.chmodSync(device.directory, 0o755),
      options: { userId: nobody, environment: { EDGE_STATE_ROOT_SKIP_MOUNT_CHECK: '1' } },
    },
  ],
  'state_root.read_only': [
    {
      name: 'read-only mount, and the OS was replaced',
      wrapHost: (host) => ({
        ...host,
        inspectDirectory: (name) => {
          const found = host.inspectDirectory(name);
          return found && { ...found, access: 'read_only_mount' };
        },
      }),
    },
  ],
  'state_root.ephemeral_filesystem': [
    {
      name: 'tmpfs',
      needs: ['/dev/shm'],
      options: withMountCheck,
      arrange: (device) => {
        fs.mkdirSync(`/dev/shm/${path.basename(device.directory)}`);
        device.removeLater(`/dev/shm/${path.basename(device.directory)}`);
        device.editConfig((text) =>
          text.replace(/^ {2}root: .*/m, `  root: /dev/shm/${path.basename(device.directory)}`),
        );
      },
    },
    {
      name: 'proc',
      options: withMountCheck,
      ...config((text) => text.replace(/^ {2}root: .*/m, '  root: /proc/sys')),
    },
    {
      name: 'EDGE_STATE_ROOT_SKIP_MOUNT_CHECK=true is not 1',
      options: { environment: { EDGE_STATE_ROOT_SKIP_MOUNT_CHECK: 'true' } },
      ...config((text) => text.replace(/^ {2}root: .*/m, '  root: /proc/sys')),
    },
  ],
  'state_root.on_root_filesystem': [
    {
      name: 'same mount as /',
      mountCheck: true,
      wrapHost: mounted(rootMount),
    },
    {
      name: 'bind mount of a directory of the root filesystem',
      mountCheck: true,
      wrapHost: mounted(`${rootMount}\n2 1 8:1 /x ${temporary} rw - ext4 /dev/sda1 rw`),
    },
  ],
  'state_root.mounts_unreadable': [
    {
      name: 'a table that may not be read',
      mountCheck: true,
      wrapHost: withoutMounts('EACCES'),
    },
    {
      name: 'a chroot whose root is no mount point',
      mountCheck: true,
      wrapHost: mounted('2 1 8:2 / /elsewhere rw - ext4 /dev/sda2 rw'),
    },
  ],
  'state_root.proc_missing': [
    { name: 'no table of mounts', mountCheck: true, wrapHost: withoutMounts('ENOENT') },
    {
      name: 'no descriptors, the mount check skipped',
      wrapHost: (host) => ({
        ...host,
        openDisk: (name) => {
          throw new DiskError('open', name, 'ENOPROC');
        },
      }),
    },
  ],
  'state_root.wrong_disk': [
    {
      name: 'expected_label of a disk that is not there, the mount check skipped',
      arrange: (device) => device.editConfig((text) => `${text}  expected_label: no-such\n`),
    },
    {
      name: 'expected_uuid of a disk that is not there',
      arrange: (device) => device.editConfig((text) => `${text}  expected_uuid: 0000-0000\n`),
      mountCheck: true,
      wrapHost: mounted(`${rootMount}\n2 1 8:2 / ${temporary} rw - ext4 /dev/sda2 rw`),
    },
  ],
  'state_root.locked': [
    { name: 'held by a live process', wrapHost: (host) => ({ ...host, tryLock: () => undefined }) },
  ],
  'state_root.replaced': [
    {
      name: 'mounted over between opening and locking',
      wrapHost: withDisk(() => ({ isAt: () => false })),
    },
  ],
  'state_root.lock_unavailable': [
    {
      name: 'no flock(1)',
      wrapHost: (host) => ({
        ...host,
        tryLock: () => {
          throw new LockUnavailable('flock(1) did not start');
        },
      }),
    },
  ],
  'state_root.io_error': [
    {
      name: 'the fingerprint cannot be read',
      wrapHost: withDisk(() => ({
        readFile: (name) => {
          throw new DiskError('read', name, 'EIO');
        },
      })),
    },
  ],
};

function withoutMounts(errno: string): (host: Host) => Host {
  const mounts = (): never => {
    throw new DiskError('read', '/proc/self/mountinfo', errno);
  };
  return (host) => ({ ...host, system: { ...host.system, mounts } });
}

/** The mount table as given, the state root lying where it lies; the mount check is on. */
function mounted(table: string): (host: Host) => Host {
  return (host) => ({
    ...host,
    system: { ...host.system, mounts: () => parseMountInfo(table) },
  });
}
