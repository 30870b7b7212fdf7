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
  bootCount: 'bootstrap/boots_since_accept.json',
  /** Of the last precheck that was no plain match. */
  lastResult: 'bootstrap/last_result.json',
  /** Holds the result until it is whole. */
  resultStaging: 'bootstrap/result',
  lock: '.precheck.lock',
  transaction: 'bootstrap/transaction',
  /** The promise of the transaction. */
  journal: 'bootstrap/transaction/journal.json',
  verifyKey: 'identity/manifest-verify.pub',
  keyringUpdates: 'identity/keyring',
  binaries: 'runtime/binaries',
  manifest: 'runtime/manifest.json',
  signature: 'runtime/manifest.json.sig',
  epochs: 'epoch',
  currentEpoch: 'epoch/current',
  previousEpoch: 'epoch/previous',
  /** Evidence of the last OS that was blessed: no failed trial can push it out. */
  committedEpoch: 'epoch/committed',
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
  const path = foldName(relativePath);
  if (path === '' || path.startsWith(layout.manifest)) return true;
  return protectedPlaces.some(
    (place) => path === place || path.startsWith(`${place}/`) || place.startsWith(`${path}/`),
  );
}

/** The agent's own data, never read, written or touched (spec section 2). Path as above. */
export function isAgentData(relativePath: string): boolean {
  return foldName(`${relativePath}/`).startsWith('edge/');
}

/**
 * Two names that a case-insensitive or normalizing filesystem (ext4 with casefold) takes for one
 * become the same text.
 */
export function foldName(path: string): string {
  return path.normalize('NFKC').toLowerCase().normalize('NFKC');
}
