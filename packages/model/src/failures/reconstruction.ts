/** Exit 5: the OS, the operations, carrying them out. */
import type { FailureKind } from '../failure.ts';

export const reconstructionFailures = {
  'os.identity_missing': {
    gate: 'reconstruction',
    class: 'permanent',
    message: 'precheck: operating system cannot be identified',
    remedy: 'The OS image must carry /etc/os-release or /usr/lib/os-release.',
  },
  'os.identity_unusable': {
    gate: 'reconstruction',
    class: 'operator',
    message: 'precheck: what identifies the operating system is no regular file',
    remedy: 'Make the file shown a regular file again, as the OS image brings it.',
  },
  'os.epoch_exhausted': {
    gate: 'reconstruction',
    class: 'operator',
    message: 'precheck: the boot epoch cannot be counted further',
    remedy: 'A record was edited: correct boot_epoch in bootstrap/ and epoch/ to the true count.',
  },
  'operation.path_forbidden': {
    gate: 'reconstruction',
    class: 'permanent',
    message: 'precheck: operation path holds a forbidden character',
    remedy: 'Use plain path names without shell metacharacters, quotes or control characters.',
  },
  'operation.src_outside': {
    gate: 'reconstruction',
    class: 'permanent',
    message: 'precheck: operation src is outside its allowed directory',
    remedy: 'Put the file under runtime/binaries/ (verify_config: under the state root).',
  },
  'operation.dst_outside': {
    gate: 'reconstruction',
    class: 'permanent',
    message: 'precheck: operation dst is outside the state root',
    remedy: 'Choose a dst inside the state root; no symlink may lead out of it.',
  },
  'operation.dst_protected': {
    gate: 'reconstruction',
    class: 'permanent',
    message: 'precheck: operation dst is reserved',
    remedy: 'Choose a dst outside identity/, bootstrap/, epoch/, edge/ and the runtime sources.',
  },
  'operation.dst_duplicate': {
    gate: 'reconstruction',
    class: 'permanent',
    message: 'precheck: two operations have the same dst',
    remedy: 'Give every operation a dst of its own, none inside another.',
  },
  'operation.dst_unusable': {
    gate: 'reconstruction',
    class: 'operator',
    message: 'precheck: operation dst cannot be replaced',
    remedy:
      'The dst must be a regular file or absent, every parent a directory, and all of it on the ' +
      'mount of bootstrap/.',
  },
  'operation.src_missing': {
    gate: 'reconstruction',
    class: 'operator',
    message: 'precheck: operation src does not exist',
    remedy: 'Ship the file into runtime/binaries/, or correct src in the manifest.',
  },
  'operation.src_unusable': {
    gate: 'reconstruction',
    class: 'operator',
    message: 'precheck: operation src is not a readable regular file',
    remedy: 'Make src a regular file that edged may read.',
  },
  'operation.hash_mismatch': {
    gate: 'reconstruction',
    class: 'permanent',
    message: 'precheck: operation src does not have the expected hash',
    remedy: 'Ship the file that the manifest was made for, or sign a manifest for this file.',
  },
  'operation.wrong_machine': {
    gate: 'reconstruction',
    class: 'permanent',
    message: 'precheck: operation src is an executable for another machine',
    remedy: 'Ship a build for the architecture of this device.',
  },
  'operation.cannot_run': {
    gate: 'reconstruction',
    class: 'operator',
    message: 'precheck: operation dst could not be run',
    remedy: 'Give it an executable mode, and the state root a mount without noexec.',
  },
  'operation.src_changed': {
    gate: 'reconstruction',
    class: 'transient',
    message: 'precheck: operation src changed while it was read',
    remedy: 'Let whatever writes into runtime/binaries/ finish before the device reboots.',
  },
  'operation.xattr_refused': {
    gate: 'reconstruction',
    class: 'operator',
    message: 'precheck: an extended attribute cannot be set',
    remedy: 'Install setfattr(1) (package attr), and use a filesystem with extended attributes.',
  },
  'reconstruction.no_space': {
    gate: 'reconstruction',
    class: 'operator',
    message: 'precheck: not enough free space on the state root',
    remedy: 'Free space on the persistent partition, then run precheck again.',
  },
  'reconstruction.journal_damaged': {
    gate: 'reconstruction',
    class: 'operator',
    message: 'precheck: the journal of an interrupted reconstruction cannot be read',
    remedy:
      'Restore the journal, or put the files of `bootstrap/transaction/undo` back and remove ' +
      '`bootstrap/transaction`.',
  },
  'reconstruction.io_error': {
    gate: 'reconstruction',
    class: 'operator',
    message: 'precheck: reconstruction stopped by an input/output error',
    remedy: 'Check the disk (`dmesg`, `df`); then run precheck again: nothing is half done.',
  },
} as const satisfies Record<string, FailureKind>;
