/**
 * What only writing and locking need, loaded when it is asked for: a matching boot, which is nearly
 * every boot, writes nothing and pays for none of it.
 */

import type { writeWholeFile } from './atomic-file.ts';
import type { isLinuxLocked, tryLinuxLock } from './linux-lock.ts';
import type { setXattrs } from './linux-xattr.ts';

interface Writing {
  readonly writeWholeFile: typeof writeWholeFile;
  readonly setXattrs: typeof setXattrs;
  readonly tryLinuxLock: typeof tryLinuxLock;
  readonly isLinuxLocked: typeof isLinuxLocked;
}

let loaded: Writing | undefined;

/** To be awaited before the first write, and before the lock. */
export async function loadWriting(): Promise<void> {
  if (loaded) return;
  const before = signalListeners();
  // one after the other: they share modules, which jest cannot link for two at once
  const atomic = await import('./atomic-file.ts');
  const lock = await import('./linux-lock.ts');
  const xattr = await import('./linux-xattr.ts');
  loaded = { ...atomic, ...lock, ...xattr };
  removeAllBut(before);
}

type Listeners = ReadonlyMap<string, ReadonlySet<unknown>>;

function signalListeners(): Listeners {
  const signals = process.eventNames().filter((name) => String(name).startsWith('SIG'));
  return new Map(
    signals.map((name) => [String(name), new Set(process.listeners(name as NodeJS.Signals))]),
  );
}

/**
 * `proper-lockfile` listens to every signal that ends a process, to tidy up. A listener waits for
 * the event loop, to which precheck comes back only when its work is done: Ctrl-C and systemd's
 * stop would be ignored for minutes. Nothing has to be tidied up: a signal may end us anywhere.
 */
function removeAllBut(before: Listeners): void {
  for (const [name, listeners] of signalListeners()) {
    for (const listener of listeners) {
      if (before.get(name)?.has(listener)) continue;
      process.off(name, listener as () => void);
    }
  }
}

/** Throws where nobody has waited for `loadWriting`. */
export function writing(): Writing {
  if (!loaded) throw new Error('a write before prepareToWrite()');
  return loaded;
}
