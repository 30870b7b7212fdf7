/**
 * The epochs seen, newest last: the third witness of the highest epoch, beside fingerprint and
 * evidence, so that the loss of any one of them loses no count (spec I1).
 */
import { type Acceptance, acceptanceFromJson, acceptanceToJson } from './acceptance.ts';
import { type BootEpoch, parseBootEpoch } from './boot-epoch.ts';
import { type EpochKind, parseEpochKind } from './epoch-kind.ts';
import { isObject, parseTolerantJson, serializeJson } from './json-reader.ts';

export interface HistoryEntry {
  readonly bootEpoch: BootEpoch;
  readonly compositeHash: string;
  /** RFC 3339, UTC. */
  readonly beganAt: string;
  /** With `fingerprint.profile: image` only. */
  readonly imageHash?: string;
  /** Unknown where an older release wrote the entry. */
  readonly kind?: EpochKind;
  /** Of the manifest that this epoch was reconstructed from. */
  readonly acceptance?: Acceptance;
}

export type EpochHistory = readonly HistoryEntry[];

/** Enough for decades of monthly updates; bounded so that the file stays below 64 KiB. */
const mostEntries = 256;

/** Undefined when the file is no history at all; entries that cannot be read are left out. */
export function parseEpochHistory(bytes: Uint8Array): EpochHistory | undefined {
  const entries = parseTolerantJson(bytes)?.['epochs'];
  return Array.isArray(entries) ? epochHistoryFromJson(entries) : undefined;
}

export function epochHistoryFromJson(entries: readonly unknown[]): EpochHistory {
  return entries.flatMap((entry) => {
    if (!isObject(entry) || typeof entry['composite_hash'] !== 'string') return [];
    const bootEpoch = parseBootEpoch(entry['boot_epoch']);
    const beganAt = typeof entry['began_at'] === 'string' ? entry['began_at'] : '';
    if (bootEpoch === undefined) return [];
    const acceptance = acceptanceFromJson(entry['acceptance']);
    const kind = parseEpochKind(entry['kind']);
    const imageHash = typeof entry['image_hash'] === 'string' ? entry['image_hash'] : undefined;
    return [
      {
        bootEpoch,
        compositeHash: entry['composite_hash'],
        beganAt,
        ...(imageHash === undefined ? {} : { imageHash }),
        ...(kind ? { kind } : {}),
        ...(acceptance ? { acceptance } : {}),
      },
    ];
  });
}

export function epochHistoryToJson(history: EpochHistory): Record<string, unknown>[] {
  return history.map(({ bootEpoch, compositeHash, beganAt, imageHash, kind, acceptance }) => ({
    boot_epoch: bootEpoch,
    composite_hash: compositeHash,
    began_at: beganAt,
    ...(imageHash === undefined ? {} : { image_hash: imageHash }),
    ...(kind ? { kind } : {}),
    ...(acceptance ? { acceptance: acceptanceToJson(acceptance) } : {}),
  }));
}

export function serializeEpochHistory(history: EpochHistory): Uint8Array {
  return serializeJson({ epochs: epochHistoryToJson(history) });
}

/**
 * The history with this epoch as its newest entry; entering the same epoch twice changes nothing.
 */
export function withEpoch(history: EpochHistory, entry: HistoryEntry): EpochHistory {
  const earlier = history.filter(({ bootEpoch }) => bootEpoch < entry.bootEpoch);
  return [...earlier, entry].slice(-mostEntries);
}

export function newestEntry(history: EpochHistory): HistoryEntry | undefined {
  return history.reduce<HistoryEntry | undefined>(
    (newest, entry) => (newest && newest.bootEpoch >= entry.bootEpoch ? newest : entry),
    undefined,
  );
}

/** The newest epoch below `before` that this OS began; undefined for an OS not seen before. */
export function epochOf(
  history: EpochHistory,
  os: Pick<HistoryEntry, 'compositeHash' | 'imageHash'>,
  before: BootEpoch,
): HistoryEntry | undefined {
  return newestEntry(
    history.filter(
      (entry) =>
        entry.bootEpoch < before &&
        entry.compositeHash === os.compositeHash &&
        (!entry.imageHash || !os.imageHash || entry.imageHash === os.imageHash),
    ),
  );
}
