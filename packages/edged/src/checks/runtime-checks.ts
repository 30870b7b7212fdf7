/**
 * What a reconstruction would be made of: keys, manifest, operations, room; and what stands
 * there.
 */
import type { Disk } from '@edged/host/host';
import { decide, present } from '@edged/model/decision';
import { digestOf } from '@edged/model/digest';
import { acceptanceOf } from '@edged/model/epoch-evidence';
import { PrecheckError } from '@edged/model/failure';
import { keyIdOf } from '@edged/model/keyring';
import { defaultBinary, layout } from '@edged/model/layout';
import { keyOf } from '@edged/model/os-fingerprint';
import { requireSpace } from '@edged/precheck/change';
import { readJournal } from '@edged/precheck/state-root/journal';
import {
  type CheckedRuntime,
  checkRuntime,
  judgeManifest,
  rehearseRuntime,
} from '@edged/precheck/reconstruction';
import { type PlannedOperation, parentsOf } from '@edged/precheck/install/install-plan';
import { digestOfFile } from '@edged/precheck/state-root/durable';
import { memoryOf } from '@edged/precheck/state-root/records';
import { loadTrust } from '@edged/precheck/trust/trust-anchor';
import { sizeText } from '../output/size-text.ts';
import { type Check, ok, skipped, warning } from './check.ts';
import type { Subject } from './subject.ts';

const silent = (): void => undefined;

export const runtimeChecks: readonly Check[] = [
  {
    id: 'runtime.journal',
    gate: 'reconstruction',
    title: 'journal',
    atBoot: true,
    codes: ['reconstruction.journal_damaged'],
    needs: ['state_root.directory'],
    timeLimitSeconds: 15,
    async look(subject) {
      const { disk } = await subject.stateRoot();
      const found = readJournal(disk); // throws where not even precheck can finish it
      if (found === 'absent') return ok('none');
      return ok(found === 'damaged' ? 'damaged; nothing was changed under it' : 'can be followed');
    },
  },
  {
    id: 'trust.anchor',
    gate: 'reconstruction',
    title: 'verify key',
    atBoot: true,
    codes: ['trust.*', 'manifest.verify_key_missing', 'manifest.verify_key_invalid'],
    needs: ['state_root.directory'],
    timeLimitSeconds: 15,
    async look(subject) {
      const { disk, path } = await subject.stateRoot();
      const { trust: order } = await subject.order();
      const records = await subject.records();
      if (await isUnshipped(subject, layout.verifyKey)) return notShipped(layout.verifyKey);
      const trust = loadTrust(order, subject.host, disk, path, memoryOf(records));
      if (trust.kind === 'state_root_key') {
        const id = keyIdOf(trust.key);
        return ok(`${id}, from ${layout.verifyKey}`, { kind: trust.kind, keys: [id] });
      }
      const { keys, version, revoked } = trust.keyring;
      const ids = keys.filter(({ id }) => !revoked.has(id)).map(({ id }) => id);
      const facts = { kind: trust.kind, keys: ids, keyring_version: version };
      return ok(`keyring version ${version}: ${ids.join(', ')}`, facts);
    },
  },
  {
    id: 'manifest.verified',
    gate: 'reconstruction',
    title: 'manifest',
    atBoot: true,
    codes: [
      'manifest.missing',
      'manifest.unreadable',
      'manifest.signature_missing',
      'manifest.signature_invalid',
      'manifest.signatures_too_few',
      'manifest.invalid',
      'manifest.rolled_back',
      'manifest.expired',
      'manifest.wrong_audience',
      'manifest.stale',
    ],
    needs: ['trust.anchor'],
    timeLimitSeconds: 15,
    async look(subject) {
      if (await isUnshipped(subject, layout.manifest)) return notShipped(layout.manifest);
      const context = await subject.runtime();
      const { verified } = judgeManifest(await subject.stateRoot(), subject.host, context);
      const { manifest, signers } = verified;
      const by = signers.length > 0 ? `signed by ${signers.join(', ')}` : 'signature good';
      const serial = manifest.serial === undefined ? '' : `, serial ${manifest.serial}`;
      const count = manifest.operations.length;
      const facts = { serial: manifest.serial, operations: count, signers };
      return ok(`${by}${serial}, ${count} operation${count === 1 ? '' : 's'}`, facts);
    },
  },
  {
    id: 'runtime.operations',
    gate: 'reconstruction',
    title: 'operations',
    atBoot: true,
    codes: ['operation.*', 'reconstruction.io_error'],
    needs: ['manifest.verified'],
    timeLimitSeconds: 300,
    async look(subject) {
      if (await isUnshipped(subject, layout.manifest)) return notShipped(layout.manifest);
      const context = await subject.runtime();
      const stateRoot = await subject.stateRoot();
      const { plan, verdicts } = rehearseRuntime(stateRoot, subject.host, context, silent);
      const found = [...verdicts.values()].flatMap(({ obstacle }) => obstacle ?? []);
      const facts = {
        operations: plan.operations.map(({ index, src, target, sizeBytes }) => ({
          operation: index,
          src,
          ...(target ? { dst: target.dst } : {}),
          size_bytes: sizeBytes,
        })),
      };
      const summary = `${plan.operations.length} would be done, ${sizeText(plan.copiedBytes)}`;
      if (found.length === 0) return ok(summary, facts);
      const details = found.map((text) => ({ found: text }));
      return warning('operation.cannot_run', `${summary}; ${found.join('; ')}`, details, facts);
    },
  },
  {
    id: 'state_root.space',
    gate: 'reconstruction',
    title: 'free space',
    atBoot: true,
    codes: ['reconstruction.no_space'],
    needs: ['state_root.directory'],
    timeLimitSeconds: 15,
    async look(subject) {
      const { disk } = await subject.stateRoot();
      const needed = (await planned(subject))?.plan.neededBytes ?? 0;
      requireSpace(disk, needed);
      const free = disk.freeBytes();
      const facts = { free_bytes: free, needed_bytes: needed };
      return ok(`${sizeText(free)}, ${sizeText(needed)} needed`, facts);
    },
  },
  {
    id: 'runtime.installed',
    gate: 'inspection',
    title: 'installed files',
    atBoot: false,
    codes: ['inspection.installed_missing', 'inspection.installed_differs'],
    needs: ['runtime.operations'],
    timeLimitSeconds: 300,
    async look(subject) {
      if (await isUnshipped(subject, layout.manifest)) return notShipped(layout.manifest);
      const because = await whyNotInstalled(subject);
      if (because !== undefined) return skipped(because);
      const runtime = await planned(subject);
      const { disk } = await subject.stateRoot();
      const targets = (runtime?.plan.operations ?? []).filter(({ target }) => target);
      for (const { src, expected, target } of targets) {
        const dst = target?.dst ?? '';
        const mode = (target?.mode ?? disk.status(src)?.mode ?? 0) & permissionBits;
        const where = { src, dst, mode: octal(mode) };
        const installed = disk.status(dst);
        if (!installed) throw new PrecheckError('inspection.installed_missing', where);
        const found = digestOfFile(disk, dst);
        const wanted = expected ?? digestOfFile(disk, src);
        if (found !== wanted) {
          const detail = { ...where, expected: wanted ?? 'absent', found: found ?? 'absent' };
          throw new PrecheckError('inspection.installed_differs', detail);
        }
        if (installed.mode !== mode) {
          const detail = { ...where, found_mode: octal(installed.mode) };
          throw new PrecheckError('inspection.installed_differs', detail);
        }
      }
      return ok(`${targets.length} as the manifest installs them`);
    },
  },
  {
    id: 'runtime.way',
    gate: 'inspection',
    title: 'way to the files',
    atBoot: false,
    codes: ['inspection.directory_closed'],
    needs: ['runtime.operations'],
    timeLimitSeconds: 15,
    async look(subject) {
      if (await isUnshipped(subject, layout.manifest)) return notShipped(layout.manifest);
      const runtime = await planned(subject);
      const { disk } = await subject.stateRoot();
      const closed = closedWays(runtime?.plan.operations ?? [], disk);
      if (closed.length === 0) return ok('every directory lets pass who may use what is in it');
      if (await agentIsRoot(subject)) return ok('the agent runs as root, and passes everywhere');
      const names = [...new Set(closed.map(({ directory }) => directory || '.'))];
      const summary = `only their owner may pass: ${names.join(', ')}`;
      return warning('inspection.directory_closed', summary, closed);
    },
  },
  {
    id: 'runtime.binary',
    gate: 'inspection',
    title: 'binary of the epoch',
    atBoot: false,
    codes: ['inspection.binary_changed'],
    needs: ['state_root.directory'],
    timeLimitSeconds: 120,
    async look(subject) {
      const { disk } = await subject.stateRoot();
      const evidence = present((await subject.records()).current);
      if (!evidence) return skipped('no evidence speaks of it yet');
      const { binary_path: named } = evidence.more;
      const name = typeof named === 'string' && plainName.test(named) ? named : defaultBinary;
      const file = `${layout.binaries}/${name}`;
      const found = digestOfFile(disk, file) ?? '';
      if (found === '' && evidence.binaryHash === '' && name !== defaultBinary) {
        return { ...ok(`the manifest names ${file}, and there is none`), status: 'warning' };
      }
      if (found === evidence.binaryHash) {
        return found === '' ? skipped(`there is no ${file}`) : ok(`${file} as in the evidence`);
      }
      const detail = { file, expected: evidence.binaryHash || 'absent', found: found || 'absent' };
      return warning('inspection.binary_changed', `${file} is not that of the evidence`, detail);
    },
  },
];

/**
 * Directories of the state root that nobody but their owner may pass, on the way to an installed
 * file that others may use: an agent of another user does not come to it.
 */
function closedWays(
  operations: readonly PlannedOperation[],
  disk: Disk,
): { readonly dst: string; readonly directory: string; readonly mode: string }[] {
  return operations.flatMap(({ target }) => {
    const installed = target && disk.status(target.dst);
    if (!installed || (installed.mode & forOthers) === 0) return [];
    const { dst } = target;
    const directories = ['', ...parentsOf(dst)];
    return directories.flatMap((directory) => {
      const mode = disk.status(directory)?.mode ?? 0o755;
      return (mode & passing) === 0 ? [{ dst, directory, mode: octal(mode) }] : [];
    });
  });
}

/** As systemd says. Where it says nothing, the agent may be anybody. */
async function agentIsRoot({ tools, isNextOs }: Subject): Promise<boolean> {
  if (isNextOs) return false;
  const args = ['show', '--property=LoadState,User,DynamicUser', 'edged.service'];
  const { exitCode, stdout } = await tools.run('systemctl', args, 5000);
  const isKnown = exitCode === 0 && /^LoadState=loaded$/m.test(stdout);
  return isKnown && /^User=(?:root|0)?$/m.test(stdout) && !/^DynamicUser=yes$/m.test(stdout);
}

/** As a manifest may name it; the record may have been tampered with. */
const plainName = /^(?!.*\.\.)[\w.+-][\w./+-]*$/;

/** Setuid, setgid and sticky bits are never installed. */
const permissionBits = 0o777;

/** Read or run, for others; and to pass a directory, for its group or others. */
const forOthers = 0o005;
const passing = 0o011;

function octal(mode: number): string {
  return `0${mode.toString(8).padStart(3, '0')}`;
}

/** The runtime as far as it can be planned; undefined when a check before has said why not. */
export async function planned(subject: Subject): Promise<CheckedRuntime | undefined> {
  try {
    const context = await subject.runtime();
    return checkRuntime(await subject.stateRoot(), subject.host, context);
  } catch (error) {
    if (error instanceof PrecheckError) return undefined;
    throw error;
  }
}

/** No runtime was ever shipped, and none is needed now: that is how every device begins. */
async function isUnshipped(subject: Subject, file: string): Promise<boolean> {
  const { disk } = await subject.stateRoot();
  if (disk.status(file) || disk.status(layout.manifest)) return false;
  const records = await subject.records();
  const decision = decide(keyOf(await subject.identity()), records);
  const isNeeded = decision.kind === 'os_replaced' || decision.kind === 'state_lost';
  return !isNeeded && memoryOf(records) === undefined;
}

function notShipped(file: string) {
  return skipped(`no runtime is shipped yet (${file}); the first OS replacement will need one`);
}

/** Why the files need not be there as this manifest says. */
async function whyNotInstalled(subject: Subject): Promise<string | undefined> {
  const records = await subject.records();
  const { kind } = decide(keyOf(await subject.identity()), records);
  if (kind !== 'unchanged')
    return `the next precheck has work to do (${kind.replaceAll('_', ' ')})`;
  const current = present(records.current);
  const accepted = current && acceptanceOf(current)?.manifestHash;
  if (accepted === undefined) return 'no OS was replaced yet: precheck has installed nothing';
  const bytes = (await subject.stateRoot()).disk.readFile(layout.manifest, 1024 * 1024);
  const isSame = bytes !== undefined && digestOf(bytes) === accepted;
  return isSame ? undefined : 'a newer manifest was shipped; the next OS replacement installs it';
}
