/** Exit 2: the state root. */
import type { FailureKind } from '../failure.ts';

export const stateRootFailures = {
  'state_root.not_absolute': {
    gate: 'state_root',
    class: 'operator',
    message: 'precheck: state root is not an absolute path',
    remedy: 'Give state_root.root (or EDGE_STATE_ROOT) as an absolute path.',
  },
  'state_root.missing': {
    gate: 'state_root',
    class: 'operator',
    message: 'precheck: state root does not exist',
    remedy: 'Mount the persistent partition, or create a state root with `edged init DIR`.',
  },
  'state_root.not_a_directory': {
    gate: 'state_root',
    class: 'operator',
    message: 'precheck: state root is not a directory',
    remedy: 'Point state_root.root at a directory on the persistent partition.',
  },
  'state_root.is_filesystem_root': {
    gate: 'state_root',
    class: 'operator',
    message: 'precheck: state root is the root directory',
    remedy: 'Point state_root.root at a directory on the persistent partition, never at /.',
  },
  'state_root.not_writable': {
    gate: 'state_root',
    class: 'operator',
    message: 'precheck: state root is not writable',
    remedy: 'Give the user that runs edged write permission on the state root.',
  },
  'state_root.read_only': {
    gate: 'state_root',
    class: 'operator',
    message: 'precheck: state root is on a read-only mount and work is to be done',
    remedy: 'Remount the persistent partition read-write; check the kernel log for disk errors.',
  },
  'state_root.wrong_owner': {
    gate: 'state_root',
    class: 'operator',
    message: 'precheck: state root belongs to another user',
    remedy: 'Make root, or the user that runs edged, the owner of the state root.',
  },
  'state_root.world_writable': {
    gate: 'state_root',
    class: 'operator',
    message: 'precheck: state root is world-writable',
    remedy: 'Run `chmod o-w` on the state root, then check what was written into it.',
  },
  'state_root.ephemeral_filesystem': {
    gate: 'state_root',
    class: 'operator',
    message: 'precheck: state root is not on a persistent filesystem',
    remedy: 'Mount a persistent partition (ext4, xfs, btrfs, f2fs, …) at the state root.',
  },
  'state_root.on_root_filesystem': {
    gate: 'state_root',
    class: 'operator',
    message: 'precheck: state root is on the root filesystem, which an OS replacement wipes',
    remedy:
      'Mount a partition of its own there, or set state_root.allow_root_filesystem: true ' +
      'if the root filesystem survives updates.',
  },
  'state_root.mounts_unreadable': {
    gate: 'state_root',
    class: 'operator',
    message: 'precheck: the mount of the state root cannot be found out',
    remedy: 'See that /proc/self/mountinfo can be read and names the mount of the state root.',
  },
  'state_root.proc_missing': {
    gate: 'state_root',
    class: 'operator',
    message: 'precheck: nothing is mounted at /proc',
    remedy: 'Run `mount -t proc proc /proc`: the state root is read and written through it.',
  },
  'state_root.wrong_disk': {
    gate: 'state_root',
    class: 'operator',
    message: 'precheck: another disk than the expected one is mounted at the state root',
    remedy: 'Attach the expected disk, or correct state_root.expected_uuid / expected_label.',
  },
  'state_root.replaced': {
    gate: 'state_root',
    class: 'transient',
    message: 'precheck: another directory took the place of the state root meanwhile',
    remedy: 'Let precheck start after the mount: RequiresMountsFor=STATE_ROOT. Then run it again.',
  },
  'state_root.locked': {
    gate: 'state_root',
    class: 'transient',
    message: 'precheck: another precheck is at work on this state root',
    remedy: 'Wait for the other precheck to end (`fuser -v STATE_ROOT` names it), then run again.',
  },
  'state_root.lock_unavailable': {
    gate: 'state_root',
    class: 'operator',
    message: 'precheck: the state root cannot be locked',
    remedy: 'Install flock(1) (util-linux or BusyBox) in PATH, /usr/bin or /bin.',
  },
  'state_root.io_error': {
    gate: 'state_root',
    class: 'operator',
    message: 'precheck: the state root cannot be read or written',
    remedy: 'Check the disk and its mount (`dmesg`, `df`), then run precheck again.',
  },
} as const satisfies Record<string, FailureKind>;
