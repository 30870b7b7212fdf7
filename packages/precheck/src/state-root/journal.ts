/**
 * The journal: everything that a change of the state root is going to do, written down before the
 * first visible step, and enough to finish it on any later boot (spec I1 to I4).
 *
 * All that is unfinished lives in `bootstrap/transaction/`, mode 0700:
 *   staged/N     the file of installation N, complete, until it is renamed to its dst
 *   undo/N       a second name of the file that installation N replaces, or a whole copy
 *   manifest.json, manifest.json.sig*  the verified bytes; a journal with installations is
 *                continued only if they verify again (I5: a journal alone proves nothing)
 *   journal.json the commit point: without it the directory is rubbish, with it it is a promise
 */
import type { Disk } from '@edged/host/host';
import { type BootCount, bootCountFromJson, bootCountToJson } from '@edged/model/acceptance';
import { type Found, isPresent } from '@edged/model/decision';
import { type Digest, parseDigest } from '@edged/model/digest';
import {
  type EpochEvidence,
  epochEvidenceFromJson,
  epochEvidenceToJson,
} from '@edged/model/epoch-evidence';
import {
  type EpochHistory,
  epochHistoryFromJson,
  epochHistoryToJson,
} from '@edged/model/epoch-history';
import { PrecheckError } from '@edged/model/failure';
import { hasTooLongName } from '@edged/model/install-operation';
import { isObject, parseTolerantJson, serializeJson } from '@edged/model/json-reader';
import {
  type OsFingerprint,
  osFingerprintFromJson,
  osFingerprintToJson,
} from '@edged/model/os-fingerprint';
import { isProtected, layout } from '@edged/model/layout';
import { parentOf, removeTree } from './durable.ts';
import { readRecord } from './records.ts';

/** The records as they shall be when the change is done. */
export interface EpochGoal {
  readonly fingerprint: OsFingerprint;
  readonly evidence: EpochEvidence;
  /** Evidence of the epoch before; undefined where there was none. */
  readonly previous: EpochEvidence | undefined;
  readonly history: EpochHistory;
  /** Where the manifest limits its boots. */
  readonly bootCount?: BootCount;
}

/** The records as they stood before the change: what it is taken back to. */
export interface EpochRecords {
  readonly current: Found<EpochEvidence>;
  readonly previous: Found<EpochEvidence>;
  readonly history: Found<EpochHistory>;
}

/** One file that moves from `staged/N` to `dst`, N being its place in the list. */
export interface Installation {
  readonly dst: string;
  readonly digest: Digest;
  /** True when a file stands at dst before. */
  readonly replaces: boolean;
}

/** What is to happen, as it is prepared. */
export interface Change {
  readonly goal: EpochGoal;
  readonly installations: readonly Installation[];
  /** Parents of dsts that do not exist yet, outermost first. Others make a journal none of ours. */
  readonly newDirectories: readonly string[];
}

export interface Journal extends Change {
  readonly before: EpochRecords;
}

export const transaction = {
  directory: layout.transaction,
  journal: layout.journal,
  manifest: `${layout.transaction}/manifest.json`,
  /** Of the n-th signature; the first has the plain name. */
  signature: (index: number) =>
    `${layout.transaction}/manifest.json.sig${index === 0 ? '' : `.${index}`}`,
  staging: `${layout.transaction}/staged`,
  undoing: `${layout.transaction}/undo`,
  staged: (index: number) => `${layout.transaction}/staged/${index}`,
  undo: (index: number) => `${layout.transaction}/undo/${index}`,
  fingerprint: `${layout.transaction}/os_fingerprint.json`,
  history: `${layout.transaction}/epoch_history.json`,
  committed: `${layout.transaction}/committed.json`,
  bootCount: `${layout.transaction}/boots_since_accept.json`,
} as const;

const journalLimitBytes = 16 * 1024 * 1024;
/** PATH_MAX of Linux. */
const longestPathBytes = 4096;

/** An empty transaction directory, whatever an earlier run left there. */
export function beginTransaction(disk: Disk): void {
  removeTree(disk, transaction.directory);
  disk.createDirectory(transaction.directory, 0o700);
  disk.createDirectory(transaction.staging, 0o700);
  disk.createDirectory(transaction.undoing, 0o700);
}

/**
 * The commit point. When this returns, the change will happen, however often the power fails. All
 * that the journal speaks of is durable before its own name can be.
 */
export function commitJournal(disk: Disk, journal: Journal): void {
  disk.syncDirectory(transaction.staging);
  disk.syncDirectory(transaction.undoing);
  disk.syncDirectory(transaction.directory);
  disk.syncDirectory(parentOf(transaction.directory));
  disk.createFile(transaction.journal, serializeJson(toJson(journal)), 0o600);
  disk.syncDirectory(transaction.directory);
}

/** The promise is kept or taken back: first the journal goes, durably, then the rest. */
export function endTransaction(disk: Disk): void {
  if (isBegun(disk) && disk.status(transaction.journal)) {
    removeTree(disk, transaction.journal);
    disk.syncDirectory(transaction.directory);
  }
  removeTree(disk, transaction.directory);
  disk.syncDirectory(parentOf(layout.transaction));
}

function isBegun(disk: Disk): boolean {
  return disk.status(transaction.directory)?.kind === 'directory';
}

/**
 * `damaged` when it is none of ours. Throws `reconstruction.journal_damaged` when files were set
 * aside under it: nothing says any more where they belong.
 */
export function readJournal(disk: Disk): Found<Journal> {
  if (!isBegun(disk)) return 'absent';
  const found = readRecord(disk, transaction.journal, parseJournal, journalLimitBytes);
  const hasUndo = disk.status(transaction.undoing)?.kind === 'directory';
  if (found === 'damaged' && hasUndo && disk.list(transaction.undoing)?.length !== 0) {
    throw new PrecheckError('reconstruction.journal_damaged', { file: transaction.journal });
  }
  return found;
}

function parseJournal(bytes: Uint8Array): Journal | undefined {
  return fromJson(parseTolerantJson(bytes));
}

function toJson(journal: Journal): Record<string, unknown> {
  const { goal, before, installations, newDirectories } = journal;
  return {
    os_fingerprint: osFingerprintToJson(goal.fingerprint),
    evidence: epochEvidenceToJson(goal.evidence),
    previous_evidence: goal.previous ? epochEvidenceToJson(goal.previous) : null,
    history: epochHistoryToJson(goal.history),
    ...(goal.bootCount ? { boot_count: bootCountToJson(goal.bootCount) } : {}),
    before: {
      current: foundToJson(before.current, epochEvidenceToJson),
      previous: foundToJson(before.previous, epochEvidenceToJson),
      history: foundToJson(before.history, epochHistoryToJson),
    },
    installations,
    new_directories: newDirectories,
  };
}

function foundToJson<Document>(
  found: Found<Document>,
  toJsonOf: (document: Document) => unknown,
): unknown {
  return isPresent(found) ? toJsonOf(found) : found;
}

/** What cannot be read counts as damaged: then no record is removed for its sake. */
function beforeFromJson(json: unknown): EpochRecords {
  const { current, previous, history } = isObject(json) ? json : {};
  const evidenceFrom = (value: unknown): Found<EpochEvidence> =>
    (isObject(value) ? epochEvidenceFromJson(value) : undefined) ?? absentOrDamaged(value);
  return {
    current: evidenceFrom(current),
    previous: evidenceFrom(previous),
    history: Array.isArray(history) ? epochHistoryFromJson(history) : absentOrDamaged(history),
  };
}

function absentOrDamaged(value: unknown): 'absent' | 'damaged' {
  return value === 'absent' ? 'absent' : 'damaged';
}

function fromJson(json: Record<string, unknown> | undefined): Journal | undefined {
  if (!json) return undefined;
  const { os_fingerprint, evidence, previous_evidence, history, installations, new_directories } =
    json;
  if (!isObject(os_fingerprint) || !isObject(evidence)) return undefined;
  if (!Array.isArray(history) || !Array.isArray(installations)) return undefined;
  const fingerprint = osFingerprintFromJson(os_fingerprint);
  const parsedEvidence = epochEvidenceFromJson(evidence);
  const parsedInstallations = installations.map(installationFromJson);
  const newDirectories: readonly unknown[] = Array.isArray(new_directories) ? new_directories : [];
  const bootCount = bootCountFromJson(json['boot_count']);
  if (!fingerprint || !parsedEvidence || parsedInstallations.includes(undefined)) return undefined;
  const isParent = (path: unknown): path is string =>
    isPlain(path) &&
    parsedInstallations.some((installation) => installation?.dst.startsWith(`${path}/`));
  if (!newDirectories.every(isParent)) return undefined;
  return {
    goal: {
      fingerprint,
      evidence: parsedEvidence,
      previous: isObject(previous_evidence) ? epochEvidenceFromJson(previous_evidence) : undefined,
      history: epochHistoryFromJson(history),
      ...(bootCount ? { bootCount } : {}),
    },
    before: beforeFromJson(json['before']),
    installations: parsedInstallations as Installation[],
    newDirectories,
  };
}

/** A path that a file can have: relative, and nothing in it that leads elsewhere than it says. */
function isPlain(path: unknown): path is string {
  if (typeof path !== 'string' || path.includes('\0') || hasTooLongName(path)) return false;
  if (Buffer.byteLength(path) >= longestPathBytes) return false;
  return path.split('/').every((name) => name !== '' && name !== '.' && name !== '..');
}

function installationFromJson(json: unknown): Installation | undefined {
  if (!isObject(json)) return undefined;
  const { dst, replaces } = json;
  const digest = typeof json['digest'] === 'string' ? parseDigest(json['digest']) : undefined;
  if (!isPlain(dst) || isProtected(dst)) return undefined;
  return digest && typeof replaces === 'boolean' ? { dst, digest, replaces } : undefined;
}
