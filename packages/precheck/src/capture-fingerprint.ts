/** What the running OS states of itself, read through the port (spec section 4). */
import { DiskError, type OperatingSystem } from '@edged/host/host';
import { PrecheckError } from '@edged/model/failure';
import { digestOf } from '@edged/model/digest';
import { type ImageIdentity, nameOfFile, statedByKernel } from '@edged/model/image-identity';
import type { OsIdentity } from '@edged/model/os-fingerprint';
import { refusingAs } from './state-root/disk-failure.ts';

/** An os-release is some hundred bytes; 1 MiB is no os-release. */
const osReleaseLimitBytes = 1024 * 1024;

/** A file that states which image it is: far from a whole image. */
const imageFileLimitBytes = 64 * 1024 * 1024;

export interface FingerprintOrder {
  /** `image`: also what the image states of itself elsewhere. */
  readonly profile: 'classic' | 'image';
  /** Absolute paths inside the image; with the profile `image` only. */
  readonly files: readonly string[];
}

/**
 * Throws `os.identity_missing` when the OS carries neither os-release file, or none can be read;
 * `os.identity_unusable` when one is there and no regular file: never an empty one, which would
 * begin an epoch.
 */
export function captureIdentity(
  system: OperatingSystem,
  { profile, files }: FingerprintOrder = { profile: 'classic', files: [] },
): OsIdentity {
  return refusingAs('os.identity_missing', {}, () => {
    const etcOsRelease = readStatement('/etc/os-release', osReleaseLimitBytes, system);
    const usrLibOsRelease = readStatement('/usr/lib/os-release', osReleaseLimitBytes, system);
    if (!etcOsRelease && !usrLibOsRelease) {
      throw new PrecheckError('os.identity_missing', { found: 'neither of the two files' });
    }
    const image = profile === 'image' ? captureImage(system, files) : undefined;
    const kernelRelease = system.kernelRelease();
    return { etcOsRelease, usrLibOsRelease, kernelRelease, ...(image ? { image } : {}) };
  });
}

/** A directory; a pipe, a device or a socket. */
const noFile = new Map([
  ['EISDIR', 'a directory'],
  ['EINVAL', 'a pipe, a device or a socket'],
]);

function readStatement(
  file: string,
  limitBytes: number,
  system: OperatingSystem,
): Uint8Array | undefined {
  try {
    return system.readImageFile(file, limitBytes);
  } catch (error) {
    const found = error instanceof DiskError ? noFile.get(error.errno) : undefined;
    if (found === undefined) throw error;
    throw new PrecheckError('os.identity_unusable', { file, found }, error);
  }
}

/** `IMAGE_ID` and `IMAGE_VERSION` are part of os-release, and so of the composite hash already. */
function captureImage(system: OperatingSystem, files: readonly string[]): ImageIdentity {
  const hashOf = (path: string): string => {
    const bytes = readStatement(path, imageFileLimitBytes, system);
    return bytes ? digestOf(bytes) : '';
  };
  return {
    ...statedByKernel(system.kernelCommandLine()),
    ...Object.fromEntries(files.map((path) => [nameOfFile(path), hashOf(path)])),
  };
}
