/**
 * Counts the boots of a manifest that limits them (`max_boots_since_accept`). The one thing that a
 * matching boot may write, and only where the signer asked for it. A boot counts once, however
 * often precheck runs in it; a count that is lost counts as used up.
 */
import { DiskError, type Disk, type Host } from '@edged/host/host';
import { type BootCount, bootCountFromJson, bootCountToJson } from '@edged/model/acceptance';
import { type Records, present } from '@edged/model/decision';
import { acceptanceOf } from '@edged/model/epoch-evidence';
import { parseTolerantJson, serializeJson } from '@edged/model/json-reader';
import { layout } from '@edged/model/layout';
import { replaceRecord, tidyUp } from './change.ts';
import { diskDetail } from './state-root/disk-failure.ts';
import type { Report } from './event.ts';
import { beginTransaction, transaction } from './state-root/journal.ts';
import type { StateRoot } from './state-root/state-root.ts';

const countLimitBytes = 4096;

/** Undefined when there is none, or none of this manifest. */
export function readBootCount(disk: Disk, manifestHash: string): BootCount | undefined {
  try {
    const bytes = disk.readFile(layout.bootCount, countLimitBytes);
    const count = bytes && bootCountFromJson(parseTolerantJson(bytes));
    return count?.manifestHash === manifestHash ? count : undefined;
  } catch (error) {
    if (error instanceof DiskError) return undefined; // as good as lost
    throw error;
  }
}

/** The count with this boot in it: `known`, counted up once a boot; 1 for a new manifest. */
export function withThisBoot(
  known: BootCount | undefined,
  manifestHash: string,
  bootId: string,
): BootCount {
  if (known?.bootId === bootId) return known;
  return { manifestHash, boots: (known?.boots ?? 0) + 1, bootId };
}

/**
 * On a matching boot. Takes the lock and writes, once a boot. A disk that takes no more is said; it
 * is no reason to keep the agent from starting, which may be the one that frees it.
 */
export async function countBoot(
  records: Records,
  stateRoot: StateRoot,
  host: Host,
  report: Report,
): Promise<void> {
  const current = present(records.current);
  const { manifestHash, maxBoots } = (current && acceptanceOf(current)) ?? {};
  if (manifestHash === undefined || maxBoots === undefined) return;
  const { disk, readOnly } = stateRoot;
  const known = readBootCount(disk, manifestHash);
  const bootId = host.system.bootId();
  const count = withThisBoot(known, manifestHash, bootId);
  const isLost = known === undefined;
  if (isLost || count.boots > maxBoots) {
    report('edge.manifest.stale', {
      boots: isLost ? 'the count is lost' : count.boots,
      max_boots_since_accept: maxBoots,
    });
  }
  // a lost count stays lost: counting from one again would be what a thief of the count wants
  if (isLost || readOnly || known.bootId === bootId) return;
  await host.prepareToWrite();
  stateRoot.lock();
  if (disk.status(layout.transaction)) return; // of another one, cut off: the next boot
  try {
    beginTransaction(disk);
    const bytes = serializeJson(bootCountToJson(count));
    replaceRecord(disk, transaction.bootCount, layout.bootCount, bytes);
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    report('edge.manifest.boot_not_counted', diskDetail(error));
  }
  tidyUp(disk, report);
}
