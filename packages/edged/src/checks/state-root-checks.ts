/** Gate `state_root`: the partition that survives, and what an earlier run may have left on it. */
import { type Disk, LockUnavailable } from '@edged/host/host';
import { mountOf } from '@edged/host/linux-mounts';
import { decide, mayWait } from '@edged/model/decision';
import { PrecheckError } from '@edged/model/failure';
import { layout, stateRootDirectories } from '@edged/model/layout';
import { keyOf } from '@edged/model/os-fingerprint';
import {
  refuseSilentMount,
  requireDirectory,
  requirePersistentMount,
} from '@edged/precheck/state-root/state-root';
import { hasUnfinishedWork, unfinishedRotations } from '@edged/precheck/state-root/unfinished-work';
import { sizeText } from '../output/size-text.ts';
import { type Check, ok, skipped, warning } from './check.ts';
import type { Subject } from './subject.ts';

export const stateRootChecks: readonly Check[] = [
  {
    id: 'state_root.directory',
    gate: 'state_root',
    title: 'state root',
    atBoot: true,
    codes: [
      'state_root.not_absolute',
      'state_root.missing',
      'state_root.not_a_directory',
      'state_root.is_filesystem_root',
      'state_root.wrong_owner',
      'state_root.world_writable',
      'state_root.proc_missing',
      'state_root.io_error',
    ],
    needs: ['config.file'],
    timeLimitSeconds: 15,
    async look(subject) {
      const { stateRoot: order } = await subject.order();
      refuseSilentMount(order, subject.host);
      const { canonicalPath } = requireDirectory(order.path, subject.host);
      await subject.stateRoot();
      return ok(canonicalPath, { path: canonicalPath });
    },
  },
  {
    id: 'state_root.mount',
    gate: 'state_root',
    title: 'mount',
    atBoot: true,
    codes: [
      'state_root.mounts_unreadable',
      'state_root.ephemeral_filesystem',
      'state_root.on_root_filesystem',
      'state_root.wrong_disk',
      'state_root.not_writable',
      'state_root.read_only',
    ],
    needs: ['state_root.directory'],
    timeLimitSeconds: 15,
    async look(subject) {
      const { stateRoot: order } = await subject.order();
      const { path, readOnly, disk } = await subject.stateRoot();
      const mount = mountOf(path, subject.host.system.mounts());
      const where = mount ? `${mount.fsType} on ${mount.source}` : 'unknown';
      const free = disk.freeBytes();
      const facts = {
        filesystem: mount?.fsType,
        source: mount?.source,
        mount_point: mount?.mountPoint,
        read_only: readOnly,
        free_bytes: free,
        check_skipped: order.skipMountCheck,
      };
      const summary = `${where}, ${sizeText(free)} free${readOnly ? ', read-only' : ''}`;
      requirePersistentMount(order, path, subject.host);
      if (requireDirectory(order.path, subject.host).access === 'denied') {
        throw new PrecheckError('state_root.not_writable', { state_root: order.path });
      }
      if (readOnly) {
        const detail = { mount: mount?.line ?? '' };
        const finding = warning('state_root.read_only', summary, detail, facts);
        return (await isWorkDue(subject)) ? { ...finding, status: 'failed' } : finding;
      }
      if (!order.skipMountCheck) return ok(summary, facts);
      const because = 'not judged, since EDGE_STATE_ROOT_SKIP_MOUNT_CHECK=1';
      return { ...ok(`${summary}; ${because}`, facts), status: 'warning' };
    },
  },
  {
    id: 'state_root.lock',
    gate: 'state_root',
    title: 'lock',
    atBoot: true,
    codes: [
      'state_root.locked',
      'state_root.lock_unavailable',
      'state_root.replaced',
      'inspection.lock_without_owner',
    ],
    needs: ['state_root.directory'],
    timeLimitSeconds: 15,
    async look(subject) {
      const { path, disk } = await subject.stateRoot();
      if (!disk.isAt(path)) throw new PrecheckError('state_root.replaced', { state_root: path });
      await subject.host.prepareToWrite();
      if (isLocked(path, subject.host)) {
        return warning('state_root.locked', 'another precheck is at work', { state_root: path });
      }
      if (!disk.status(layout.lock)) return ok('free');
      const detail = { file: layout.lock };
      return warning('inspection.lock_without_owner', `${layout.lock} belongs to nobody`, detail);
    },
  },
  {
    id: 'state_root.leftovers',
    gate: 'state_root',
    title: 'unfinished work',
    atBoot: false,
    codes: ['inspection.unfinished_work'],
    needs: ['state_root.directory'],
    timeLimitSeconds: 15,
    async look(subject) {
      const { path, disk } = await subject.stateRoot();
      const found = leftoversOn(disk);
      if (found.length === 0) return ok('none');
      const summary = found.join(', ');
      await subject.host.prepareToWrite();
      if (isLocked(path, subject.host)) return skipped(`${summary}: a precheck is at work on it`);
      return warning('inspection.unfinished_work', summary, { found: summary });
    },
  },
  {
    id: 'state_root.directories',
    gate: 'state_root',
    title: 'directories',
    atBoot: false,
    codes: ['inspection.directory_missing'],
    needs: ['state_root.directory'],
    timeLimitSeconds: 15,
    async look(subject) {
      const { disk } = await subject.stateRoot();
      const missing = stateRootDirectories.filter((name) => !disk.status(name));
      if (missing.length === 0) return ok(`all ${stateRootDirectories.length} are there`);
      const details = missing.map((directory) => ({ directory }));
      const isNew = missing.length === stateRootDirectories.length;
      const summary = isNew ? 'none is there: a new state root' : `missing: ${missing.join(', ')}`;
      return warning('inspection.directory_missing', summary, details);
    },
  },
  {
    id: 'state_root.modes',
    gate: 'state_root',
    title: 'access rights',
    atBoot: false,
    codes: ['inspection.mode_too_open'],
    needs: ['state_root.directory'],
    timeLimitSeconds: 30,
    async look(subject) {
      const { disk } = await subject.stateRoot();
      const { certificate } = await subject.order();
      const open = [...tooOpenOn(disk), ...tooOpenKey(certificate?.keyFile, subject.host)];
      if (open.length === 0) return ok('nothing is world-writable');
      const summary = open.map(({ file, mode }) => `${file} (${mode})`).join(', ');
      return { ...warning('inspection.mode_too_open', summary, open), status: 'failed' };
    },
  },
];

/** What precheck would have to write: then a read-only mount is a refusal. */
async function isWorkDue(subject: Subject): Promise<boolean> {
  if (hasUnfinishedWork(await subject.stateRoot())) return true;
  try {
    const decision = decide(keyOf(await subject.identity()), await subject.records());
    return decision.kind !== 'unchanged' && !mayWait(decision);
  } catch (error) {
    if (error instanceof PrecheckError) return false; // the OS cannot be told: its check says so
    throw error;
  }
}

function isLocked(path: string, host: Parameters<typeof requireDirectory>[1]): boolean {
  try {
    return host.isLocked(path);
  } catch (error) {
    if (!(error instanceof LockUnavailable)) throw error;
    throw new PrecheckError('state_root.lock_unavailable', { found: error.message }, error);
  }
}

/** What only an unfinished change leaves. */
function leftoversOn(disk: Disk): string[] {
  const names = [layout.transaction, layout.resultStaging].filter((name) => disk.status(name));
  return [...names, ...unfinishedRotations(disk)];
}

/** What precheck believes, and what it installs from: everything but the agent's own data. */
const trustedPlaces = ['bootstrap', 'identity', 'runtime', 'epoch'] as const;
const mostEntries = 10_000;

function tooOpenOn(disk: Disk): { readonly file: string; readonly mode: string }[] {
  const found: { file: string; mode: string }[] = [];
  const todo: string[] = [...trustedPlaces];
  for (let seen = 0; todo.length > 0 && seen < mostEntries; seen += 1) {
    const file = todo.pop() ?? '';
    const status = disk.status(file);
    if (!status || status.kind === 'symlink') continue;
    if (status.mode & 0o002) found.push({ file, mode: `0${status.mode.toString(8)}` });
    if (status.kind === 'directory') {
      todo.push(...(disk.list(file) ?? []).map((name) => `${file}/${name}`));
    }
  }
  return found;
}

function tooOpenKey(
  keyFile: string | undefined,
  host: Parameters<typeof requireDirectory>[1],
): { readonly file: string; readonly mode: string }[] {
  const mode = keyFile === undefined ? undefined : host.fileMode(keyFile);
  if (keyFile === undefined || mode === undefined || (mode & 0o007) === 0) return [];
  return [{ file: keyFile, mode: `0${mode.toString(8)}` }];
}
