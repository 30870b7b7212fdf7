/** What the running OS states of itself, read through the port (spec section 4). */
import type { OperatingSystem } from '@edged/host/host';
import { PrecheckError } from '@edged/model/failure';
import type { OsIdentity } from '@edged/model/os-fingerprint';
import { refusingAs } from './disk-failure.ts';

/** An os-release is some hundred bytes; 1 MiB is no os-release. */
const osReleaseLimitBytes = 1024 * 1024;

/**
 * Throws `os.identity_missing` when the OS carries neither os-release file, or none can be read.
 */
export function captureIdentity(system: OperatingSystem): OsIdentity {
  return refusingAs('os.identity_missing', {}, () => {
    const etcOsRelease = system.readImageFile('/etc/os-release', osReleaseLimitBytes);
    const usrLibOsRelease = system.readImageFile('/usr/lib/os-release', osReleaseLimitBytes);
    if (!etcOsRelease && !usrLibOsRelease) {
      throw new PrecheckError('os.identity_missing', { found: 'neither of the two files' });
    }
    return { etcOsRelease, usrLibOsRelease, kernelRelease: system.kernelRelease() };
  });
}
