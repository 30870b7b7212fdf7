/**
 * The real precheck on a host where nothing happens: what `--dry-run` shows, and what `--plan`
 * expects of the next OS. Takes no lock and writes nothing.
 */
import type { Host } from '@edged/host/host';
import { type RehearsedChange, rehearse } from '@edged/host/rehearsal';
import type { PrecheckError } from '@edged/model/failure';
import { toPrecheckError } from '@edged/model/failure';
import { exitCodes, success } from '@edged/model/exit-code';
import type { Attributes, Report } from '@edged/precheck/event';
import { type PrecheckOrder, precheck } from '@edged/precheck/precheck';
import { refuseSilentMount } from '@edged/precheck/state-root/state-root';
import type { PrecheckOutcome } from '@edged/precheck/precheck-result';

export interface RehearsedOperation {
  /** Place in the manifest, from 0. */
  readonly operation: number;
  readonly src: string;
  /** Undefined for `verify_config`. */
  readonly dst?: string;
  readonly sizeBytes: number;
  /** BLAKE3 of src. */
  readonly hash: string;
}

export interface RehearsedPrecheck {
  readonly verdict: PrecheckOutcome | PrecheckError;
  readonly exitCode: number;
  /** Those that were judged before the verdict. */
  readonly operations: readonly RehearsedOperation[];
  /** Of the files that would not be as they are; paths in the state root are relative to it. */
  readonly changes: readonly RehearsedChange[];
}

export async function rehearsePrecheck(
  orderFor: () => Promise<PrecheckOrder>,
  realHost: Host,
  report: Report,
): Promise<RehearsedPrecheck> {
  const { host, changes, close } = rehearse(realHost);
  const operations: RehearsedOperation[] = [];
  let root: string | undefined;
  const verdict = await (async () => {
    try {
      const order = await orderFor();
      refuseSilentMount(order.stateRoot, host);
      root = host.inspectDirectory(order.stateRoot.path)?.canonicalPath;
      return await precheck(order, host, (name, attributes = {}) => {
        if (name === 'edge.os.operation_staged') operations.push(operationOf(attributes));
        report(name, { ...attributes, dry_run: true });
      });
    } catch (error) {
      return toPrecheckError(error);
    }
  })();
  const inside = (path: string): string =>
    root !== undefined && path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
  const changed = changes();
  close();
  return {
    verdict,
    exitCode: 'code' in verdict ? exitCodes[verdict.gate] : success,
    operations,
    changes: changed.map(({ path, change }) => ({ path: inside(path), change })),
  };
}

function operationOf(attributes: Attributes): RehearsedOperation {
  const { operation, src, dst, size_bytes: sizeBytes, hash } = attributes;
  return {
    operation: Number(operation),
    src: String(src),
    ...(dst === undefined ? {} : { dst: String(dst) }),
    sizeBytes: Number(sizeBytes),
    hash: String(hash),
  };
}
