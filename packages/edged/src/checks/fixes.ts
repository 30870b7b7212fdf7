/**
 * What `edged doctor --fix` may do: only what the next precheck would do anyway, or what takes
 * nothing away but rights. Files that were tampered with are evidence, and are left.
 */
import { DiskError } from '@edged/host/host';
import { type FailureCode, PrecheckError } from '@edged/model/failure';
import { layout } from '@edged/model/layout';
import { bootstrapDirectories } from '@edged/precheck/change';
import { removeTree } from '@edged/precheck/state-root/durable';
import type { Report } from '@edged/precheck/event';
import { recover } from '@edged/precheck/recovery';
import type { CheckResult } from './check.ts';
import type { Subject } from './subject.ts';

/** Says what it did. Throws what the state root throws. */
type Fix = (result: CheckResult, subject: Subject, report: Report) => Promise<string>;

export const fixes: Partial<Record<FailureCode, Fix>> = {
  'inspection.directory_missing': async (_result, subject) => {
    const { disk } = await locked(subject);
    bootstrapDirectories(disk);
    return 'made the missing directories';
  },
  'inspection.mode_too_open': async ({ details = [] }, subject) => {
    const { disk } = await locked(subject);
    const files = details.map((detail) => String(detail['file']));
    for (const file of files) {
      if (file.startsWith('/')) restrict(file, subject, 0o007);
      else disk.removeRights(file, 0o002);
    }
    return `took the rights of others away: ${files.join(', ')}`;
  },
  'inspection.lock_without_owner': async (_result, subject) => {
    await locked(subject); // whoever takes the lock takes the old one away
    return `removed ${layout.lock}`;
  },
  'inspection.unfinished_work': async (_result, subject, report) => {
    if (subject.config === undefined) {
      // whose word counts is in the config: without it a journal could be followed that precheck
      // would refuse
      const problem = 'without a config it is not known whose word counts';
      throw new PrecheckError('config.usage', { problem, allowed: '--config FILE' });
    }
    const stateRoot = await locked(subject);
    const { trust } = await subject.order();
    await recover(stateRoot, trust, subject.host, report);
    removeTree(stateRoot.disk, layout.resultStaging);
    return 'finished, or swept away, what an earlier precheck had begun';
  },
};

async function locked(subject: Subject) {
  const stateRoot = await subject.stateRoot();
  await subject.host.prepareToWrite();
  stateRoot.lock(0);
  return stateRoot;
}

/** A file outside the state root: the key of the node. */
function restrict(file: string, { host }: Subject, rights: number): void {
  const slash = file.lastIndexOf('/');
  const directory = host.inspectDirectory(file.slice(0, slash) || '/');
  if (!directory) throw new DiskError('open', file, 'ENOENT');
  const disk = host.openDisk(directory.canonicalPath);
  try {
    disk.removeRights(file.slice(slash + 1), rights);
  } finally {
    disk.close();
  }
}
