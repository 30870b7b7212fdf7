/**
 * The records in the state root. A record that is there but is not what it should be is `damaged`;
 * only a disk that cannot be read is an error.
 */
import { type Disk, DiskError } from '@edged/host/host';
import { type Acceptance, mergeAcceptances } from '@edged/model/acceptance';
import { type Found, type Records, present } from '@edged/model/decision';
import { type EpochEvidence, acceptanceOf, parseEpochEvidence } from '@edged/model/epoch-evidence';
import { parseEpochHistory } from '@edged/model/epoch-history';
import { evidenceName, layout } from '@edged/model/layout';
import { parseOsFingerprint } from '@edged/model/os-fingerprint';

const recordLimitBytes = 1024 * 1024;

/** Not a regular file, a symlink, or far too large: damage, not a failing disk. */
const damage = new Set(['EINVAL', 'ELOOP', 'EISDIR', 'ENOTDIR', 'EFBIG', 'ENXIO']);

/**
 * Fingerprint and evidence at once, the rest when first asked for. Whoever holds no lock looks for
 * unfinished work after this, not before: the fingerprint is saved before the journal goes, so that
 * who sees the new fingerprint, and then no journal, sees a finished change.
 */
export function readRecords(disk: Disk): Records {
  const fingerprint = readRecord(disk, layout.fingerprint, parseOsFingerprint);
  const current = readEvidence(disk, layout.currentEpoch);
  const previous = once(() => readEvidence(disk, layout.previousEpoch));
  const committed = once(() => readEvidence(disk, layout.committedEpoch));
  const history = once(() => readRecord(disk, layout.history, parseEpochHistory));
  return {
    fingerprint,
    current,
    get previous() {
      return previous();
    },
    get committed() {
      return committed();
    },
    get history() {
      return history();
    },
  };
}

function once<Value>(read: () => Value): () => Value {
  let seen: { readonly value: Value } | undefined;
  return () => (seen ??= { value: read() }).value;
}

/** What the device remembers of the manifests it accepted, from every record that is left. */
export function memoryOf(records: Records): Acceptance | undefined {
  const { current, previous, committed } = records;
  const evidence = [present(current), present(previous), present(committed)];
  const remembered = [
    ...evidence.map((found) => [found?.osFingerprint.bootEpoch, found && acceptanceOf(found)]),
    ...(present(records.history) ?? []).map((entry) => [entry.bootEpoch, entry.acceptance]),
  ] as const;
  const newestFirst = remembered
    .toSorted(([one = 0], [other = 0]) => Number(other) - Number(one))
    .flatMap(([, acceptance]) => (acceptance ? [acceptance as Acceptance] : []));
  return mergeAcceptances(newestFirst);
}

/** True when the boots of this epoch are to be counted. Asks for the current evidence only. */
export function limitsBoots({ current }: Records): boolean {
  const evidence = present(current);
  return evidence !== undefined && acceptanceOf(evidence)?.maxBoots !== undefined;
}

export function readEvidence(disk: Disk, directory: string): Found<EpochEvidence> {
  return readRecord(disk, `${directory}/${evidenceName}`, parseEpochEvidence);
}

export function readRecord<Document>(
  disk: Disk,
  path: string,
  parse: (bytes: Uint8Array) => Document | undefined,
  limitBytes = recordLimitBytes,
): Found<Document> {
  try {
    const bytes = disk.readFile(path, limitBytes);
    return bytes ? (parse(bytes) ?? 'damaged') : 'absent';
  } catch (error) {
    if (error instanceof DiskError && damage.has(error.errno)) return 'damaged';
    throw error;
  }
}
