/** Gate `reconstruction`: the disk; and defects. */
import { failing, withDisk } from '@edged/testkit/device/faults';
import type { Scenes } from './scene.ts';

export const reconstructionScenes: Scenes = {
  'reconstruction.no_space': [
    { name: 'disk full', wrapHost: withDisk(() => ({ freeBytes: () => 100 })) },
  ],
  'reconstruction.journal_damaged': [
    {
      name: 'after files were replaced',
      arrange: (device) => {
        device.write('state-root/bootstrap/transaction/journal.json', '{"os_fingerprint":');
        device.write('state-root/bootstrap/transaction/undo/0', 'the old agent');
      },
    },
  ],
  'reconstruction.io_error': [
    { name: 'a copy fails', wrapHost: failing('copyFile', 'EIO', 0).wrapHost },
    {
      name: 'the journal cannot be written',
      wrapHost: failing('createFile', 'ENOSPC', 2).wrapHost,
    },
    {
      name: 'a rename into place is not permitted',
      wrapHost: failing('rename', 'EPERM', 0).wrapHost,
    },
  ],
  'internal.defect': [
    {
      name: 'a TypeError somewhere',
      wrapHost: withDisk(() => ({
        freeBytes: () => {
          throw new TypeError('a bug');
        },
      })),
    },
  ],
};
