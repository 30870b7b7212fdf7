/**
 * The verdict of one precheck as a document, for other programs of the same boot: `edged bless`,
 * `edged failed`, scripts. Lies in memory (`/run/edged/precheck.json` under systemd), gone with it.
 */
import type { Host } from '@edged/host/host';
import type { PrecheckError } from '@edged/model/failure';
import { parseTolerantJson } from '@edged/model/json-reader';
import type { PrecheckOutcome } from './precheck.ts';

export const resultName = 'precheck.json';

const resultLimitBytes = 1024 * 1024;

export interface PrecheckResult {
  readonly passed: boolean;
  readonly exitCode: number;
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

export function passed(
  { decision, bootEpoch, compositeHash, ...outcome }: PrecheckOutcome,
  bootId: string,
  stateRoot: string,
): Record<string, unknown> {
  return {
    schema: 'edged.precheck.v1',
    exit_code: 0,
    boot_id: bootId,
    result: 'passed',
    decision,
    boot_epoch: bootEpoch,
    composite_hash: compositeHash,
    time_verdict: outcome.timeVerdict,
    mount_check_skipped: outcome.mountCheckSkipped,
    read_only: outcome.readOnly,
    state_root: stateRoot,
  };
}

export function refused(
  { gate, code, message, remedy, details }: PrecheckError,
  exitCode: number,
  bootId: string,
): Record<string, unknown> {
  return {
    schema: 'edged.precheck.v1',
    exit_code: exitCode,
    boot_id: bootId,
    result: 'refused',
    gate,
    reason: code,
    message,
    remedy,
    details,
  };
}

/** Undefined when there is none, or it cannot be read. */
export function readResult(file: string, host: Host): PrecheckResult | undefined {
  const bytes = host.readFile(file, resultLimitBytes);
  const json = bytes && parseTolerantJson(bytes);
  if (!json) return undefined;
  const text = (key: string): string => (typeof json[key] === 'string' ? json[key] : '');
  return {
    passed: json['result'] === 'passed',
    exitCode: Number(json['exit_code']),
    bootId: text('boot_id'),
    compositeHash: text('composite_hash'),
    stateRoot: text('state_root'),
    reason: text('reason'),
    message: text('message'),
    remedy: text('remedy'),
    details: Array.isArray(json['details']) ? json['details'] : [],
  };
}
