/**
 * Whose word counts on this device. Without a keyring: the key in the state root, pinned by the
 * config if that says so. With one, which lies outside the state root: the keyring's keys, and the
 * key in the state root counts no more.
 *
 * A keyring is every `*.json` in /usr/lib/edged/keyring.d and /etc/edged/keyring.d (a file in /etc
 * hides one of the same name in /usr/lib, an empty one hides it altogether), and every systemd
 * credential whose name begins with `edged.keyring`. Signed updates of it lie in the state root,
 * in `identity/keyring/N.json` with `N.json.sig*` beside it.
 */
import { type Disk, DiskError, type Host } from '@edged/host/host';
import type { Acceptance } from '@edged/model/acceptance';
import { digestOf } from '@edged/model/digest';
import { type FailureCode, PrecheckError } from '@edged/model/failure';
import {
  type Keyring,
  type KeyringUpdate,
  applyUpdate,
  keyringLimitBytes,
  mergeKeyrings,
  parseKeyring,
} from '@edged/model/keyring';
import { layout } from '@edged/model/layout';
import {
  type VerifyKey,
  loadVerifyKey,
  publicKeyBytes,
  signatureBytes,
} from '@edged/model/manifest-signature';
import { diskDetail } from '../state-root/disk-failure.ts';

export interface TrustOrder {
  /** `identity.edge_domain_id`; undefined: the audience of a manifest is not judged. */
  readonly edgeDomainId: string | undefined;
  /** BLAKE3 of identity/manifest-verify.pub. */
  readonly verifyKeyDigest: string | undefined;
  readonly requireKeyring: boolean;
  /** `$CREDENTIALS_DIRECTORY`. */
  readonly credentialsDirectory: string | undefined;
}

export type Trust =
  | { readonly kind: 'state_root_key'; readonly key: VerifyKey }
  | { readonly kind: 'keyring'; readonly keyring: Keyring; readonly files: readonly string[] };

/** In the order in which a later one hides an earlier one. */
export const keyringDirectories = ['/usr/lib/edged/keyring.d', '/etc/edged/keyring.d'] as const;
const credentialPrefix = 'edged.keyring';
const mostUpdates = 1000;
const mostSignatures = 16;

interface KeyringFile {
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** Throws `trust.*`, `manifest.verify_key_*`. */
export function loadTrust(
  order: TrustOrder,
  host: Host,
  disk: Disk,
  stateRootPath: string,
  memory: Acceptance | undefined,
): Trust {
  const files = anchorFiles(order, host, stateRootPath);
  const anchor = mergeKeyrings(files.map(({ file, bytes }) => parseKeyring(bytes, file)));
  if (anchor) {
    const { keyring, updates } = followUpdates(anchor, disk);
    requireNoOlder(keyring, memory);
    return { kind: 'keyring', keyring, files: [...files.map(({ file }) => file), ...updates] };
  }
  if (order.requireKeyring) {
    const looked = keyringDirectories.join(', ');
    throw new PrecheckError('trust.keyring_required', { looked_in: looked });
  }
  if (memory?.keyringVersion !== undefined) {
    const found = 'no keyring, where one was relied on before';
    throw new PrecheckError('trust.rolled_back', { found, version: memory.keyringVersion });
  }
  return { kind: 'state_root_key', key: readVerifyKey(order, disk) };
}

function readVerifyKey({ verifyKeyDigest }: TrustOrder, disk: Disk): VerifyKey {
  const bytes = readTrusted(disk, layout.verifyKey, publicKeyBytes, {
    absent: 'manifest.verify_key_missing',
    tooLarge: 'manifest.verify_key_invalid',
  });
  const key = loadVerifyKey(bytes);
  const found = digestOf(bytes);
  if (verifyKeyDigest !== undefined && found !== verifyKeyDigest) {
    const detail = { file: layout.verifyKey, expected: verifyKeyDigest, found };
    throw new PrecheckError('trust.verify_key_unexpected', detail);
  }
  return key;
}

/** One file of the state root that trust depends on, read once. */
export function readTrusted(
  disk: Disk,
  path: string,
  limitBytes: number,
  codes: { readonly absent: FailureCode; readonly tooLarge: FailureCode },
): Uint8Array {
  try {
    const bytes = disk.readFile(path, limitBytes);
    if (bytes) return bytes;
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    const code = error.errno === 'EFBIG' ? codes.tooLarge : 'manifest.unreadable';
    throw new PrecheckError(code, { ...diskDetail(error), limit_bytes: limitBytes }, error);
  }
  throw new PrecheckError(codes.absent, { file: path });
}

interface SignatureCodes {
  readonly absent: FailureCode;
  /** Or too small, for a signature. */
  readonly tooLarge: FailureCode;
}

/** `FILE.sig`, which must be there, and every `FILE.sig.NAME`, in the order of their names. */
export function readSignatures(
  disk: Disk,
  file: string,
  codes: SignatureCodes,
): readonly [Uint8Array, ...Uint8Array[]] {
  const slash = file.lastIndexOf('/');
  const stem = `${file.slice(slash + 1)}.sig`;
  const names = (disk.list(file.slice(0, slash)) ?? []).filter(
    (name) => name === stem || name.startsWith(`${stem}.`),
  );
  if (names.length > mostSignatures) {
    const found = `${names.length} signatures, at most ${mostSignatures}`;
    throw new PrecheckError(codes.tooLarge, { file, found });
  }
  const read = (name: string): Uint8Array => {
    const path = `${file.slice(0, slash)}/${name}`;
    const bytes = readTrusted(disk, path, signatureBytes, codes);
    if (bytes.length === signatureBytes) return bytes;
    const found = `${bytes.length} bytes, not ${signatureBytes}`;
    throw new PrecheckError(codes.tooLarge, { file: path, found });
  };
  const others = names.filter((name) => name !== stem);
  return [read(stem), ...others.map(read)];
}

function anchorFiles(order: TrustOrder, host: Host, stateRootPath: string): KeyringFile[] {
  const byName = new Map<string, KeyringFile>();
  for (const directory of keyringDirectories) {
    for (const name of readable(directory, () => host.system.listImageDirectory(directory)) ?? []) {
      if (!name.endsWith('.json')) continue;
      refuseInsideStateRoot(directory, host, stateRootPath);
      const file = `${directory}/${name}`;
      refuseInsideStateRoot(file, host, stateRootPath);
      const bytes = readable(file, () => host.system.readImageFile(file, keyringLimitBytes));
      if (bytes) byName.set(name, { file, bytes });
    }
  }
  const { credentialsDirectory } = order;
  if (credentialsDirectory !== undefined) {
    refuseInsideStateRoot(credentialsDirectory, host, stateRootPath);
    const names = readable(credentialsDirectory, () => host.listDirectory(credentialsDirectory));
    for (const name of (names ?? []).filter((each) => each.startsWith(credentialPrefix))) {
      const file = `${credentialsDirectory}/${name}`;
      refuseInsideStateRoot(file, host, stateRootPath);
      const bytes = readable(file, () => host.readFile(file, keyringLimitBytes));
      if (bytes) byName.set(file, { file, bytes });
    }
  }
  return [...byName.values()].filter(({ bytes }) => bytes.length > 0);
}

/** A keyring that whoever writes the state root can write is none. */
function refuseInsideStateRoot(place: string, host: Host, stateRootPath: string): void {
  const found = readable(place, () => host.inspectDirectory(place))?.canonicalPath;
  if (found !== stateRootPath && !found?.startsWith(`${stateRootPath}/`)) return;
  const detail = { file: place, problem: `leads into the state root: ${found}` };
  throw new PrecheckError('trust.keyring_invalid', detail);
}

function readable<Result>(file: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    const problem = `cannot be read: ${error.errno}`;
    throw new PrecheckError('trust.keyring_invalid', { file, problem }, error);
  }
}

function followUpdates(anchor: Keyring, disk: Disk): { keyring: Keyring; updates: string[] } {
  const updates: string[] = [];
  let keyring = anchor;
  while (updates.length < mostUpdates) {
    const update = readUpdate(keyring.version + 1, disk);
    if (!update) break;
    keyring = applyUpdate(keyring, update);
    updates.push(update.file);
  }
  return { keyring, updates };
}

function readUpdate(version: number, disk: Disk): KeyringUpdate | undefined {
  const file = `${layout.keyringUpdates}/${version}.json`;
  if (!disk.status(file)) return undefined;
  const codes = { absent: 'trust.update_refused', tooLarge: 'trust.update_refused' } as const;
  const bytes = readTrusted(disk, file, keyringLimitBytes, codes);
  return { file, bytes, signatures: readSignatures(disk, file, codes) };
}

function requireNoOlder({ version }: Keyring, memory: Acceptance | undefined): void {
  const remembered = memory?.keyringVersion ?? 0;
  if (version >= remembered) return;
  throw new PrecheckError('trust.rolled_back', { version, relied_on_before: remembered });
}
