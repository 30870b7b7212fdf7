/**
 * What only writing and locking need, loaded when it is asked for: a matching boot, which is nearly
 * every boot, writes nothing and pays for none of it.
 */

import type { writeWholeFile } from './atomic-file.ts';
import type { tryLinuxLock } from './linux-lock.ts';
import type { setXattrs } from './linux-xattr.ts';

interface Writing {
  readonly writeWholeFile: typeof writeWholeFile;
  readonly setXattrs: typeof setXattrs;
  readonly tryLinuxLock: typeof tryLinuxLock;
}

let loaded: Writing | undefined;

/** To be awaited before the first write, and before the lock. */
export async function loadWriting(): Promise<void> {
  if (loaded) return;
  const [atomic, lock, xattr] = await Promise.all([
    import('./atomic-file.ts'),
    import('./linux-lock.ts'),
    import('./linux-xattr.ts'),
  ]);
  loaded = { ...atomic, ...lock, ...xattr };
}

/** Throws where nobody has waited for `loadWriting`. */
export function writing(): Writing {
  if (!loaded) throw new Error('a write before prepareToWrite()');
  return loaded;
}
