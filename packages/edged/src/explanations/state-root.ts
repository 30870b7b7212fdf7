/** Pages for the reasons of the state root gate (exit 2). */
import type { stateRootFailures } from '@edged/model/failures/state-root';
import { type Explanation, runAgain } from './explanation.ts';

export const stateRootExplanations = {
  'state_root.not_absolute': {
    meaning:
      'The path in `state_root` does not begin with a slash. A relative path means another ' +
      'directory wherever the command is started from, so no boot could rely on it. ' +
      '`EDGE_STATE_ROOT`, where it is set, overrides the config.',
    repair: [
      'See what the unit sets: `systemctl cat edged-precheck | grep EDGE_STATE_ROOT`.',
      "See what the config says: `grep -A1 '^state_root' F`.",
      'Give the absolute path in the place that counts.',
      runAgain,
    ],
  },
  'state_root.missing': {
    meaning:
      'Nothing stands at the path in `state_root`. precheck never makes a state root of its ' +
      'own: a device whose partition did not come up would then be counted as new, from epoch ' +
      '0. Usually the persistent partition is not mounted, because the disk is missing, its ' +
      'UUID changed, or the new OS has no line for it in /etc/fstab.',
    repair: [
      'See which disks there are: `lsblk -f`, and what failed: `systemctl --failed`, `dmesg | ' +
        'tail -50`.',
      "See what should be mounted: `grep -v '^#' /etc/fstab`, `systemctl list-units " +
        '--type=mount --all`.',
      'Mount it, for example `mount /data`, and look: `findmnt -T /data/edged`.',
      'Only on a device that never had a state root: `edged init /data/edged`.',
      runAgain,
    ],
  },
  'state_root.not_a_directory': {
    meaning:
      'The path in `state_root` leads to something that is no directory, every symlink ' +
      'followed. Usually a path is mistyped, or a file was written to the place where a ' +
      'partition should be mounted.',
    repair: [
      'Look at it: `ls -ld /data/edged`, `readlink -f /data/edged`.',
      'See which disks there are and what is mounted: `lsblk -f`, `findmnt`.',
      'Correct state_root.root, or EDGE_STATE_ROOT in the unit.',
      runAgain,
    ],
  },
  'state_root.is_filesystem_root': {
    meaning:
      'The path in `state_root` is `/`, or a symlink to it. The root filesystem is what an OS ' +
      'replacement wipes, and no operation could be kept inside the state root. Usually a ' +
      'variable was empty when the config was made.',
    repair: [
      "See what the config and the unit say: `grep -A1 '^state_root' F`, `systemctl cat " +
        'edged-precheck | grep EDGE_STATE_ROOT`.',
      'Name a directory on the persistent partition: `lsblk -f` shows the partitions.',
      runAgain,
    ],
  },
  'state_root.not_writable': {
    meaning:
      'The user that runs edged may not write to, or not search, the directory in ' +
      '`state_root`, though its mount is read-write. Without that nothing can be recorded, so ' +
      'a replacement of the OS would go unnoticed. Usually the unit runs as another user than ' +
      'the one who made the state root.',
    repair: [
      'Look at owner and mode: `ls -ld /data/edged`, and at the user: `systemctl show -p User ' +
        'edged-precheck` (empty is root).',
      'Give the directory to that user: `chown USER /data/edged`, `chmod u+rwx /data/edged`.',
      runAgain,
    ],
  },
  'state_root.read_only': {
    meaning:
      'The state root is on a read-only mount (`mount` quotes its line), and there is work: ' +
      'a first run, a replaced OS, records to repair, or a change that was cut off. With ' +
      'nothing to do the same mount is only a warning. Usually the kernel remounted the ' +
      'filesystem read-only after a disk error, or the sandbox of the unit does not name ' +
      'the state root in ReadWritePaths=.',
    repair: [
      'Look at the mount: `findmnt -T /data/edged -o TARGET,SOURCE,FSTYPE,OPTIONS`.',
      "Look for disk errors: `dmesg | grep -iE 'i/o error|ext4|xfs|btrfs|remount'`.",
      'Without errors: `mount -o remount,rw /data`. With errors: `umount /data`, then `fsck` ' +
        '(`xfs_repair`) on its SOURCE, then mount it again.',
      'If it is `rw` outside the unit: `systemctl cat edged-precheck | grep ReadWritePaths`.',
      runAgain,
    ],
  },
  'state_root.wrong_owner': {
    meaning:
      'The directory in `state_root` belongs to a user (`owner`, a number) that is neither root ' +
      'nor the one that runs edged. Its owner could put another manifest, key or record there ' +
      'between two boots. Usually it was unpacked from an archive that kept the numbers of a ' +
      'build machine.',
    repair: [
      "Look: `stat -c '%U %G %a %n' /data/edged /data/edged/*`.",
      'Take it over: `chown root:root /data/edged`.',
      'Make sure that what lies there is yours, the key above all: ' +
        '`edged keys list --state-root /data/edged`, `edged verify --state-root /data/edged`.',
      runAgain,
    ],
  },
  'state_root.world_writable': {
    meaning:
      'Every user of this device may write into the state root (`mode`), so none of its ' +
      'records proves anything. Usually somebody ran chmod 777 to get around another error.',
    repair: [
      'Take the right away: `chmod o-w /data/edged`.',
      'Look for what others left: `find /data/edged -xdev ! -user root -ls`.',
      'Check the rest: `edged doctor --config F`.',
      runAgain,
    ],
  },
  'state_root.ephemeral_filesystem': {
    meaning:
      'The state root lies on a filesystem (`filesystem`, with the line of the mount in ' +
      '`mount`) that is not one of those known to keep data over a power cut and an OS ' +
      'replacement (`allowed`). Memory, overlays, network filesystems and anything unknown ' +
      'would lose the epoch. Network and FUSE filesystems are refused by the mount table alone: ' +
      'a dead one would hold the boot for ever. Usually the partition is not mounted and an ' +
      'overlay of the root shows through, or the program runs in a container.',
    repair: [
      'See what is there: `findmnt -T /data/edged`, and which partitions there are: `lsblk ' +
        '-f`.',
      'Mount the persistent partition, for example `mount /data`; correct /etc/fstab or the ' +
        'mount unit in the image.',
      'For a trial on a laptop only: `EDGE_STATE_ROOT_SKIP_MOUNT_CHECK=1`, which is logged at ' +
        'every start.',
      runAgain,
    ],
  },
  'state_root.on_root_filesystem': {
    meaning:
      'The state root lies on the same filesystem as `/` (`mount` quotes its line), a bind mount ' +
      'of a directory of it included. The next OS image would wipe it, and the device would ' +
      'begin again with epoch 0. Usually the persistent partition failed to mount, and what is ' +
      'seen is the empty directory below the mount point. On btrfs and ZFS another subvolume or ' +
      'dataset counts as a filesystem of its own; on bcachefs one inside the tree of `/` cannot ' +
      'be told from a directory.',
    repair: [
      'See what is there: `findmnt -T /data/edged`, and which partitions there are: `lsblk ' +
        '-f`.',
      'Look for what failed: `systemctl --failed`, `dmesg | tail -50`.',
      'Mount it, for example `mount /data`; what was written below the mount point meanwhile ' +
        'is not the state root.',
      'Only where updates keep the root filesystem: set `state_root.allow_root_filesystem: ' +
        'true` in F.',
      runAgain,
    ],
  },
  'state_root.mounts_unreadable': {
    meaning:
      '/proc/self/mountinfo could not be read (`errno`), or names no mount for the state ' +
      'root. Without it nobody can say whether the state root survives an OS replacement. ' +
      'Usually this is a chroot whose root is no mount point, or a drop-in of the unit hides ' +
      'the table. Where there is no /proc at all it is `state_root.proc_missing`.',
    repair: [
      'Look: `head -3 /proc/self/mountinfo`.',
      'Make the root of a chroot a mount point, before it is entered: `mount --bind DIR DIR`.',
      'Look for a drop-in that takes it away: `systemctl cat edged-precheck | grep -i proc`.',
      runAgain,
    ],
  },
  'state_root.proc_missing': {
    meaning:
      '/proc is not mounted, or hides the descriptors of the process. edged opens every file of ' +
      'the state root through /proc/self/fd, so that no symlink can lead it away; without it ' +
      'every file would look as if it were not there, and the device like a new one. Usually ' +
      'this is a chroot, an initrd or a rescue shell. (The one-file executable does not come to ' +
      'that: its runtime ends there with a banner of its own.)',
    repair: [
      'Look: `ls -l /proc/self/fd`.',
      'Mount it: `mount -t proc proc /proc`; before a chroot: `mount --rbind /proc ' +
        '/mnt/root/proc`.',
      'Look for a drop-in that takes it away: `systemctl cat edged-precheck | grep -i proc`.',
      runAgain,
    ],
  },
  'state_root.wrong_disk': {
    meaning:
      'The config pins the disk by `uuid` or `label`, and `found` is mounted instead of ' +
      "`expected`. The records of another device would give a wrong epoch and somebody else's " +
      'runtime. Usually a disk was swapped or formatted anew; "no such disk attached" under ' +
      'systemd can also mean that the sandbox hides /dev/disk.',
    repair: [
      'See what is attached: `lsblk -o NAME,UUID,LABEL,MOUNTPOINT`.',
      'Right disk, new filesystem: correct state_root.expected_uuid or expected_label in F. ' +
        'Wrong disk: put the right one in.',
      'Right disk and "no such disk attached": let the unit see it, ' +
        '`systemctl edit --runtime edged-precheck`, with `PrivateDevices=no` and ' +
        '`DevicePolicy=closed` under `[Service]`; for good it is the drop-in expected-disk.conf.',
      runAgain,
    ],
  },
  'state_root.replaced': {
    meaning:
      'Between opening the state root and taking its lock, something was mounted over it, or it ' +
      'was renamed. The lock would be held on one tree and another one written, so nothing was.',
    repair: [
      'See what is mounted there: `findmnt -T /data/edged`.',
      'Let the unit wait for the mount: `systemctl cat edged-precheck` has ' +
        '`RequiresMountsFor=/data/edged`.',
      'Then run it again: `systemctl restart edged-precheck && systemctl start edged`.',
    ],
  },
  'state_root.locked': {
    meaning:
      'Another process holds the lock of this state root, and still held it after ' +
      '`waited_seconds`. Two of them writing at once could tear the records. The kernel frees ' +
      'the lock when its holder ends, so no stale lock can cause this: somebody is at work, ' +
      'usually a precheck that copies a large runtime, or one started by hand.',
    repair: [
      'See who: `fuser -v /data/edged`, `systemctl status edged-precheck`, `ps ax | grep ' +
        'edged`.',
      'Wait until it ends; a first copy to a slow disk takes minutes. If it hangs, look at ' +
        'the disk: `dmesg | tail -50`.',
      'Run it again, waiting longer: `edged precheck --config F --lock-wait-seconds 300`.',
      'Then start the rest: `systemctl restart edged-precheck && systemctl start edged`.',
    ],
  },
  'state_root.lock_unavailable': {
    meaning:
      'The lock is taken with flock(1), which did not start or failed; `found` says how. ' +
      'Without a lock two prechecks could run at once. Usually the new OS image does not ' +
      'bring the program, or keeps it where precheck does not look: in PATH, then in ' +
      '/usr/bin and /bin.',
    repair: [
      'Look for it: `command -v flock`, `flock --version` (BusyBox has one too).',
      'See where a unit looks for programs: `systemd-path search-binaries-default`.',
      'Put util-linux (or BusyBox with flock) into the image.',
      runAgain,
    ],
  },
  'state_root.io_error': {
    meaning:
      'A file or directory of the state root could not be read or written: `failed_call`, ' +
      '`file` and `errno` say what. What cannot be read cannot be judged. EIO is a failing ' +
      'disk, ENOSPC a full one, EACCES another owner, ELOOP a symlink where a file must be, ' +
      'ESTALE or ENODEV a disk that went away.',
    repair: [
      'Look at the disk: `dmesg | tail -50`, `df -h /data`, `df -i /data`.',
      'Look at the file: `ls -la /data/edged`, and at what is wrong in all: `edged doctor ' +
        '--config F`.',
      'On EIO: save what can be read, then `umount /data` and `fsck` (`xfs_repair`) on its ' +
        'device.',
      runAgain,
    ],
  },
} as const satisfies Record<keyof typeof stateRootFailures, Explanation>;
