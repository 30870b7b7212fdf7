/**
 * The verdict of one precheck as a document, for other programs: `edged bless`, `edged failed`,
 * `edged status`, scripts. That of this boot lies in memory (`/run/edged/precheck.json` under
 * systemd), gone with it; the last one that was no plain match stays on the state root.
 */
import type { Disk, Host } from '@edged/host/host';
import type { Decision } from '@edged/model/decision';
import { exitCodes, success } from '@edged/model/exit-code';
import { PrecheckError } from '@edged/model/failure';
import { parseTolerantJson } from '@edged/model/json-reader';
import { layout } from '@edged/model/layout';
import { stated } from './state-root/disk-failure.ts';
import type { TimeVerdict } from './trust/trusted-time.ts';

export const resultName = 'precheck.json';

const resultLimitBytes = 1024 * 1024;

export interface PrecheckOutcome {
  readonly decision: Decision['kind'];
  readonly bootEpoch: number;
  readonly compositeHash: string;
  /** RFC 3339. */
  readonly certificateNotAfter: string;
  readonly timeVerdict: TimeVerdict;
  readonly mountCheckSkipped: boolean;
  readonly readOnly: boolean;
}

/** As read from a file. */
export interface PrecheckResult {
  readonly passed: boolean;
  readonly exitCode: number;
  /** Empty when it was refused. */
  readonly decision: string;
  /** RFC 3339, as the clock showed. */
  readonly recordedAt: string;
  /** Of the boot that it is about. */
  readonly bootId: string;
  readonly compositeHash: string;
  readonly stateRoot: string;
  /** For people; empty when it passed. */
  readonly reason: string;
  readonly message: string;
  readonly remedy: string;
  readonly details: readonly Readonly<Record<string, unknown>>[];
}

/** When, where and for how long. */
export interface Circumstances {
  /** As configured. */
  readonly stateRoot: string | undefined;
  /** As it was asked for; undefined where nobody told. */
  readonly mountCheckSkipped: boolean | undefined;
  /** Empty where the kernel does not tell: the verdict stands without it. */
  readonly bootId: string;
  /** RFC 3339, as the clock shows, which may be wrong. */
  readonly recordedAt: string;
  readonly durationSeconds: number;
}

export function circumstancesNow(
  { clock, system }: Host,
  startedNanoseconds: bigint,
  stateRoot: string | undefined,
  mountCheckSkipped?: boolean,
): Circumstances {
  const nanoseconds = clock.monotonicNanoseconds() - startedNanoseconds;
  return {
    stateRoot,
    mountCheckSkipped,
    bootId: stated(() => system.bootId()) ?? '',
    recordedAt: new Date(clock.wallMilliseconds()).toISOString(),
    durationSeconds: Number(nanoseconds / 1_000_000n) / 1000,
  };
}

/** Schema: docs/schema/precheck-result.v1.json. */
export function resultOf(
  verdict: PrecheckOutcome | PrecheckError,
  { bootId, recordedAt, durationSeconds, stateRoot, mountCheckSkipped }: Circumstances,
): Record<string, unknown> {
  const isRefusal = verdict instanceof PrecheckError;
  return {
    schema: 'edged.precheck.v1',
    result: isRefusal ? 'refused' : 'passed',
    exit_code: isRefusal ? exitCodes[verdict.gate] : success,
    boot_id: bootId,
    recorded_at: recordedAt,
    duration_seconds: durationSeconds,
    ...(stateRoot === undefined ? {} : { state_root: stateRoot }),
    ...(mountCheckSkipped === undefined ? {} : { mount_check_skipped: mountCheckSkipped }),
    ...(isRefusal ? refusalToJson(verdict) : outcomeToJson(verdict)),
  };
}

function outcomeToJson({ decision, bootEpoch, compositeHash, ...outcome }: PrecheckOutcome) {
  return {
    decision,
    boot_epoch: bootEpoch,
    composite_hash: compositeHash,
    time_verdict: outcome.timeVerdict,
    certificate_not_after: outcome.certificateNotAfter,
    mount_check_skipped: outcome.mountCheckSkipped,
    read_only: outcome.readOnly,
  };
}

function refusalToJson({ gate, code, class: kind, message, remedy, details }: PrecheckError) {
  return { gate, reason: code, class: kind, message, remedy, details };
}

/** Undefined when there is none, or it cannot be read. */
export function readResult(file: string, host: Host): PrecheckResult | undefined {
  const bytes = host.readFile(file, resultLimitBytes);
  return bytes && parseResult(bytes);
}

/** That which is kept on the state root. Undefined as `readResult`. */
export function readKeptResult(disk: Disk): PrecheckResult | undefined {
  const bytes = stated(() => disk.readFile(layout.lastResult, resultLimitBytes));
  return bytes && parseResult(bytes);
}

function parseResult(bytes: Uint8Array): PrecheckResult | undefined {
  const json = parseTolerantJson(bytes);
  if (!json) return undefined;
  const text = (key: string): string => (typeof json[key] === 'string' ? json[key] : '');
  return {
    passed: json['result'] === 'passed',
    exitCode: Number(json['exit_code']),
    decision: text('decision'),
    recordedAt: text('recorded_at'),
    bootId: text('boot_id'),
    compositeHash: text('composite_hash'),
    stateRoot: text('state_root'),
    reason: text('reason'),
    message: text('message'),
    remedy: text('remedy'),
    details: Array.isArray(json['details']) ? json['details'] : [],
  };
}
