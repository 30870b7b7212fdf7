/** `bootstrap`: the directories of a state root. */
import { type Disk, DiskError } from '@edged/host/host';
import { stateRootDirectories } from '@edged/model/layout';
import { bootstrapDirectories } from '@edged/precheck/change';
import { openStateRoot } from '@edged/precheck/state-root/state-root';
import {
  type MachineOptions,
  type ReportOptions,
  type StateRootOptions,
  type StateRootRules,
  hostOf,
  reportOf,
  stateRootOrderOf,
} from './options.ts';
import { refusing } from './refusal.ts';

/** What {@link bootstrap} is asked with. */
export interface BootstrapOptions
  extends StateRootOptions, StateRootRules, MachineOptions, ReportOptions {}

/** What {@link bootstrap} did. */
export interface Bootstrapped {
  /** Those of the seven that it made, relative to the state root. Empty: nothing was missing. */
  readonly created: readonly string[];
}

/**
 * Makes the directories of a state root that are missing (spec section 2): `edge/segments`,
 * `edge/relay`, `identity`, `runtime`, `runtime/binaries`, `epoch` and `bootstrap`, each durable
 * before the next, mode 0755. The state root itself must be there. Nothing else is made, nothing
 * that is there is touched; where nothing is missing no lock is taken and nothing is written.
 *
 * @throws {@link PrecheckError} `state_root.*`; `config.usage`.
 */
export async function bootstrap(options: BootstrapOptions): Promise<Bootstrapped> {
  return refusing(options, async () => {
    const host = hostOf(options);
    const stateRoot = openStateRoot(stateRootOrderOf(options), host, reportOf(options));
    const { disk } = stateRoot;
    try {
      if (missing(disk).length === 0) return { created: [] };
      await host.prepareToWrite();
      stateRoot.lock();
      const created = missing(disk);
      bootstrapDirectories(disk);
      return { created };
    } finally {
      stateRoot.close();
    }
  });
}

/** Refuses what stands in the way of a directory. A symlink is left to whoever made it. */
function missing(disk: Disk): string[] {
  return stateRootDirectories.filter((directory) => {
    const kind = disk.status(directory)?.kind;
    if (kind === 'file' || kind === 'other') throw new DiskError('mkdir', directory, 'EEXIST');
    return kind === undefined;
  });
}
