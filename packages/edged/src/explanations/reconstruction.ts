/**
 * Pages for the reasons of the reconstruction gate (exit 5) about the OS, the operations and
 * carrying them out.
 */
import type { reconstructionFailures } from '@edged/model/failures/reconstruction';
import { type Explanation, runAgain } from './explanation.ts';

export const reconstructionExplanations = {
  'os.identity_missing': {
    meaning:
      'Neither /etc/os-release nor /usr/lib/os-release could be read, or another statement of ' +
      'the image could not (`found`, or `file` and `errno`). An OS that does not say who it ' +
      'is cannot be told from the next one. Usually the image was stripped too far, or the ' +
      'file is a dangling symlink in a chroot or initrd.',
    repair: [
      'Look: `ls -l /etc/os-release /usr/lib/os-release`.',
      'Put it into the image: os-release(5), at the least ID= and VERSION_ID=.',
      'See what edged makes of it: `edged fingerprint --output json`.',
      runAgain,
    ],
  },
  'os.identity_unusable': {
    meaning:
      '`file` is there, but it is `found`: /etc/os-release, /usr/lib/os-release, or a file that ' +
      '`fingerprint.files` names. A pipe or a device reads like an empty file, and an empty file ' +
      'like another OS: an epoch would begin. Usually a link to /dev/null stands in its place, ' +
      'or something is mounted over it.',
    repair: [
      'Look: `ls -lL /etc/os-release /usr/lib/os-release`, `findmnt -T /etc/os-release`.',
      'Put the file of the image back: `ln -sf ../usr/lib/os-release /etc/os-release`.',
      'See what edged makes of it: `edged fingerprint --output json`.',
      runAgain,
    ],
  },
  'os.epoch_exhausted': {
    meaning:
      'A record holds a `boot_epoch` from which nothing can be counted up any more: close to ' +
      '2^53. No device gets there by updates, so a record was edited. Beginning again at 0 ' +
      'would break every promise made with the epoch.',
    repair: [
      'See what the records say: `grep -r boot_epoch /data/edged/bootstrap /data/edged/epoch`.',
      'Find the true count: /data/edged/epoch/previous, the history in /data/edged/bootstrap, ' +
        "or the fleet's records.",
      'Keep a copy, `cp -a /data/edged/bootstrap /data/edged/epoch /tmp/`, then correct ' +
        'boot_epoch in the edited file.',
      runAgain,
    ],
  },
  'operation.path_forbidden': {
    meaning:
      'The operation with the number in `operation` (from 0) has a `path` with a forbidden ' +
      '`character`, or one too long (`found`). Shell metacharacters, quotes, control and ' +
      'invisible characters have no place in the name of a program, and are how one command ' +
      'is smuggled into another.',
    repair: [
      'Rename the file where the runtime is made, and write the plain name into the manifest.',
      'Sign and ship it: `edged sign manifest.json --key K`.',
      'Check: `edged verify --state-root /data/edged`.',
      runAgain,
    ],
  },
  'operation.src_outside': {
    meaning:
      '`src` of the operation with the number in `operation` (from 0) does not lie below ' +
      '`allowed`, every symlink followed. Only what was shipped into the state root can be ' +
      'installed. Usually a symlink in runtime/binaries leads into the root filesystem.',
    repair: [
      'See where it leads: `readlink -f /data/edged/SRC`, `ls -l ' +
        '/data/edged/runtime/binaries`.',
      'Ship the file itself in place of the link, or correct src and sign the manifest again.',
      'Check: `edged verify --state-root /data/edged`.',
      runAgain,
    ],
  },
  'operation.dst_outside': {
    meaning:
      '`dst` of the operation with the number in `operation` (from 0) leads out of the state ' +
      'root, by `..`, by an absolute path, or by a symlink that leads out, in a circle or ' +
      'nowhere. edged installs nothing elsewhere: the root filesystem belongs to the OS.',
    repair: [
      'See where it leads: `readlink -f /data/edged/DST`.',
      'Remove a symlink that is in the way, or correct dst and sign the manifest again.',
      'Check: `edged verify --state-root /data/edged`.',
      runAgain,
    ],
  },
  'operation.dst_protected': {
    meaning:
      '`dst` of the operation with the number in `operation` (from 0) is one of the places ' +
      'that no manifest may write: identity, bootstrap, epoch, edge, runtime/binaries, the ' +
      'manifest, the lock, or a directory above one of them. A runtime that could replace ' +
      'keys or records could vouch for itself. Letters of either case count as the same.',
    repair: [
      'Choose a place of its own, such as runtime/bin/NAME, and sign the manifest again: ' +
        '`edged sign manifest.json --key K`.',
      'Check: `edged verify --state-root /data/edged`.',
      runAgain,
    ],
  },
  'operation.dst_duplicate': {
    meaning:
      'Two operations install to the same `dst`, or one of them below the file of another. ' +
      'The order would decide which one wins. Names that a filesystem without case may take ' +
      'for one count as one.',
    repair: [
      'Find them: `grep -n \'"dst"\' /data/edged/runtime/manifest.json`.',
      'Give each its own dst, and sign the manifest again: `edged sign manifest.json --key K`.',
      'Check: `edged verify --state-root /data/edged`.',
      runAgain,
    ],
  },
  'operation.dst_unusable': {
    meaning:
      'What stands at `dst`, or at its `parent`, is `found`, and cannot be replaced by a ' +
      'file in one step: a directory or a device in place of a file, a file in place of a ' +
      'directory, or a mount, a filesystem or a subvolume of its own. Files are staged in ' +
      'bootstrap/ and renamed to their place, and no rename leads from one mount to another, a ' +
      'bind mount of the same filesystem included. Usually somebody made a directory there by ' +
      'hand, or mounted something, there or at bootstrap/; in a unit, several paths below the ' +
      'state root in `ReadWritePaths=` or `BindPaths=` are a mount each.',
    repair: [
      'Look: `ls -ld /data/edged/DST`, `findmnt -T /data/edged/DST`, `findmnt -T ' +
        '/data/edged/bootstrap`.',
      'In a unit name the state root alone: `systemctl cat edged-precheck | grep -E ' +
        '"ReadWritePaths|BindPaths"`.',
      'Move it away: `mv /data/edged/DST /data/edged/DST.old`, or unmount what is mounted ' +
        'there.',
      'Check: `edged verify --state-root /data/edged`.',
      runAgain,
    ],
  },
  'operation.src_missing': {
    meaning:
      'The file in `src`, asked for by the operation with the number in `operation` (from 0), ' +
      'is not there. Nothing was installed, of the other operations neither. Usually the ' +
      'manifest was shipped before the files, or the files by another name.',
    repair: [
      'Look: `ls -l /data/edged/runtime/binaries`.',
      'Ship the file, or correct src and sign the manifest again.',
      'Check: `edged verify --state-root /data/edged`.',
      runAgain,
    ],
  },
  'operation.src_unusable': {
    meaning:
      '`src` of the operation with the number in `operation` (from 0) is a `found`, not a ' +
      'regular file. Only a file can be hashed and copied as a whole.',
    repair: [
      'Look: `ls -ld /data/edged/SRC`.',
      'Ship a regular file there.',
      'Check: `edged verify --state-root /data/edged`.',
      runAgain,
    ],
  },
  'operation.hash_mismatch': {
    meaning:
      'The BLAKE3 of `src` is `found`, and the signed manifest asks for `expected`. The file ' +
      'was changed, torn or exchanged after the manifest was made, or one of the two was ' +
      'shipped without the other. Nothing was installed, of the other operations neither.',
    repair: [
      'Look at time and size: `ls -l --time-style=full-iso /data/edged/runtime/binaries`.',
      'Compare with the release: `b3sum /data/edged/SRC`.',
      'Ship the file again. If it tears once more, look at the disk: `dmesg | tail -50`.',
      'Check: `edged verify --state-root /data/edged`.',
      runAgain,
    ],
  },
  'operation.wrong_machine': {
    meaning:
      '`src` is an ELF program for another architecture than `this_machine`, and could never ' +
      'start here. Usually the release for another board was shipped.',
    repair: [
      'Look: `file /data/edged/SRC` (or `readelf -h`), `uname -m`.',
      'Ship the build for this architecture, with the manifest that was signed for it.',
      'Check: `edged verify --state-root /data/edged`.',
      runAgain,
    ],
  },
  'operation.cannot_run': {
    meaning:
      'The manifest asks that what the operation with the number in `operation` (from 0) ' +
      'installs can be run (`executable: true`), and it could not: `found` names the ' +
      'missing mode bit or the noexec mount. An agent that cannot start is better noticed ' +
      'now than when nobody watches. Without `executable` this is only a warning.',
    repair: [
      'Look at the mount: `findmnt -T /data/edged -o TARGET,OPTIONS`.',
      'Without noexec: `mount -o remount,exec /data`, and the same in /etc/fstab or the mount ' +
        'unit.',
      'A missing bit: `chmod 755 /data/edged/SRC`; or write `"mode": "0755"` into the ' +
        'manifest and sign it again.',
      runAgain,
    ],
  },
  'operation.src_changed': {
    meaning:
      'The file in `src` changed while it was read, so what was hashed might not be what is ' +
      'copied. Something writes into runtime/binaries while the device boots, usually an ' +
      'updater that is not ordered after precheck.',
    repair: [
      'See who: `fuser -v /data/edged/SRC`, `ls -l --time-style=full-iso ' +
        '/data/edged/runtime/binaries`.',
      'Let it finish. An updater should write a new file and rename it, and its unit say ' +
        '`After=edged-precheck.service`.',
      runAgain,
    ],
  },
  'operation.xattr_refused': {
    meaning:
      'The manifest asks for the extended attribute in `xattr`, and setting it failed with ' +
      '`errno`. ENOSYS: setfattr(1) did not start; ENOTSUP: the filesystem has no such ' +
      'attributes; EPERM: the sandbox or the security module does not allow it.',
    repair: [
      'Look: `command -v setfattr`, `findmnt -T /data/edged -o FSTYPE,OPTIONS`.',
      'Put the package attr into the image, or mount with extended attributes.',
      'Or take `xattrs` out of the manifest and sign it again.',
      runAgain,
    ],
  },
  'reconstruction.no_space': {
    meaning:
      'The state root has `free_bytes`, and `needed_bytes` are asked for: all files of the ' +
      'manifest once more, since the old ones stay until the new ones are whole, and a little ' +
      'for the records. It is measured before the first write, so nothing was touched. ' +
      "Usually the agent's own data has filled the partition.",
    repair: [
      'Look: `df -h /data`, `df -i /data`, `du -xh -d 2 /data | sort -h | tail`.',
      'Remove what is of no use, such as old runtimes in runtime/binaries. Leave bootstrap, ' +
        'epoch and identity alone.',
      'Lower storage.disk_ceiling_bytes in F, so that the agent leaves room.',
      runAgain,
    ],
  },
  'reconstruction.journal_damaged': {
    meaning:
      'A reconstruction was cut off, and its journal, which says where each file belongs, was ' +
      'damaged afterwards: by hand, or by a failing disk. Some installed files may be of the new ' +
      'runtime and some of the old one, so the agent does not start. The files of the old ' +
      'runtime are kept in `bootstrap/transaction/undo`, numbered from 0 in the order in which ' +
      'the manifest copies them.',
    repair: [
      'See what is there: `ls -l /data/edged/bootstrap/transaction/undo`, and in which order the ' +
        'manifest installs: `/data/edged/bootstrap/transaction/manifest.json`.',
      'Put each back: `mv /data/edged/bootstrap/transaction/undo/0 /data/edged/DST`.',
      'Then end the change: `rm -r /data/edged/bootstrap/transaction`.',
      runAgain,
    ],
  },
  'reconstruction.io_error': {
    meaning:
      'Reading or writing failed in the middle of a change: `failed_call`, `file` and `errno` ' +
      'say where. Files and records are as they were before; where not even that could be done, ' +
      'the next run does it or carries the change to its end. No installed file is half old and ' +
      'half new, and the epoch is not counted twice.',
    repair: [
      'Look at the disk: `dmesg | tail -50`, `df -h /data`, `df -i /data`, `findmnt -T ' +
        '/data/edged`.',
      'See what is left to finish: `edged doctor --config F`.',
      'On EIO: save what can be read, then `umount /data` and `fsck` (`xfs_repair`) on its ' +
        'device. On EBUSY or EXDEV: something is mounted at `file`; unmount it.',
      runAgain,
    ],
  },
} as const satisfies Record<keyof typeof reconstructionFailures, Explanation>;
