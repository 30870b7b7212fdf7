/** Names inside the state root (spec section 2). Every path is relative to the state root. */

/** Exactly the directories that `bootstrap` creates when they are missing. */
export const stateRootDirectories = [
  'edge/segments',
  'edge/relay',
  'identity',
  'runtime',
  'runtime/binaries',
  'epoch',
  'bootstrap',
] as const;

export const layout = {
  fingerprint: 'bootstrap/os_fingerprint.json',
  config: 'bootstrap/config.yaml',
  history: 'bootstrap/epoch_history.json',
  lock: '.precheck.lock',
  transaction: 'bootstrap/transaction',
  verifyKey: 'identity/manifest-verify.pub',
  binaries: 'runtime/binaries',
  manifest: 'runtime/manifest.json',
  signature: 'runtime/manifest.json.sig',
  epochs: 'epoch',
  currentEpoch: 'epoch/current',
  previousEpoch: 'epoch/previous',
} as const;

export const evidenceName = 'evidence.json';

/** `binary_path` where the manifest names none. */
export const defaultBinary = 'edged';

/** Where no installed file may be: not there, not below, not in the way of it (spec section 6). */
const protectedPlaces = ['identity', 'bootstrap', 'epoch', 'edge', layout.binaries, layout.lock];

/**
 * True when a dst, given relative to the state root and with every symlink resolved, is reserved.
 */
export function isProtected(relativePath: string): boolean {
  if (relativePath === '' || relativePath.startsWith(layout.manifest)) return true;
  return protectedPlaces.some(
    (place) =>
      relativePath === place ||
      relativePath.startsWith(`${place}/`) ||
      place.startsWith(`${relativePath}/`),
  );
}
