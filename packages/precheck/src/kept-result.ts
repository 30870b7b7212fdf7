/**
 * The result of a precheck, kept on the state root for whoever comes after this boot: written
 * when something happened, so that a matching boot writes nothing. It is for people and scripts;
 * precheck itself never reads it, and a run that cannot write it has the same verdict.
 */
import type { Disk, Host } from '@edged/host/host';
import { PrecheckError, toPrecheckError } from '@edged/model/failure';
import { serializeJson } from '@edged/model/json-reader';
import { layout } from '@edged/model/layout';
import { ensureDirectory, parentOf, removeTree } from './state-root/durable.ts';
import type { Report } from './event.ts';
import { type PrecheckOutcome, circumstancesNow, resultOf } from './precheck-result.ts';
import type { StateRoot } from './state-root/state-root.ts';

export async function keepResult(
  outcome: PrecheckOutcome | Error,
  startedNanoseconds: bigint,
  stateRoot: StateRoot,
  host: Host,
  report: Report,
): Promise<void> {
  const verdict = outcome instanceof Error ? toPrecheckError(outcome) : outcome;
  const isLocked = verdict instanceof PrecheckError && verdict.code === 'state_root.locked';
  if (stateRoot.readOnly || isLocked) return; // then the other one will have a result
  const { names, mountCheckSkipped } = stateRoot;
  const circumstances = circumstancesNow(host, startedNanoseconds, names[0], mountCheckSkipped);
  const result = resultOf(verdict, circumstances);
  try {
    await host.prepareToWrite();
    stateRoot.lock(0);
    replaceResult(stateRoot.disk, serializeJson(result));
  } catch (error) {
    // whatever it is: it must not take the place of the verdict
    const found = error instanceof PrecheckError ? error.code : String(error);
    report('edge.state_root.result_not_kept', { file: layout.lastResult, found });
  }
}

/** A staging directory that a crash left is swept by the next result. */
function replaceResult(disk: Disk, bytes: Uint8Array): void {
  const staging = layout.resultStaging;
  const staged = `${staging}/last_result.json`;
  ensureDirectory(disk, parentOf(staging));
  removeTree(disk, staging);
  disk.createDirectory(staging, 0o700);
  disk.createFile(staged, bytes, 0o644);
  if (disk.status(layout.lastResult)?.kind === 'directory') removeTree(disk, layout.lastResult);
  disk.rename(staged, layout.lastResult);
  disk.syncDirectory(parentOf(layout.lastResult));
  disk.removeDirectory(staging);
}
