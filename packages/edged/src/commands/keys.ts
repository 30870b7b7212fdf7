/**
 * `edged keys`: whose word counts on a device, and whether the next keyring or manifest will be
 * accepted there, before it is published.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { Disk, Host } from '@edged/host/host';
import type { Acceptance } from '@edged/model/acceptance';
import { keyIdOf, keyringLimitBytes, parseKeyring } from '@edged/model/keyring';
import { PrecheckError } from '@edged/model/failure';
import { layout } from '@edged/model/layout';
import { loadVerifyKey, publicKeyBytes, signatureBytes } from '@edged/model/manifest-signature';
import { manifestLimitBytes } from '@edged/model/runtime-manifest';
import { contextOf, judgeManifest } from '@edged/precheck/reconstruction';
import { memoryOf, readRecords } from '@edged/precheck/state-root/records';
import { type Trust, keyringDirectories, loadTrust } from '@edged/precheck/trust/trust-anchor';
import { type CommandContext, reportTo } from '../command-context.ts';
import { success } from '@edged/model/exit-code';
import { readInput } from '../files.ts';
import { type LookArguments, unasked, withStateRoot } from '../looking.ts';

/** The id by which a keyring, a log line and a revocation know a key. */
export function runKeysId(files: readonly string[], { terminal }: CommandContext): number {
  for (const file of files) {
    const key = loadVerifyKey(readInput(file, publicKeyBytes));
    terminal.out(`${keyIdOf(key)}  ${file}\n`);
  }
  return success;
}

export function runKeysList(args: LookArguments, context: CommandContext): Promise<number> {
  return withStateRoot(args, context, ({ disk, path: root }, order) => {
    const memory = memoryOf(readRecords(disk));
    const trust = loadTrust(order.trust, context.host, disk, root, memory);
    for (const line of describeTrust(trust)) context.terminal.out(`${line}\n`);
    for (const line of describeMemory(memory)) context.terminal.out(`${line}\n`);
    return success;
  });
}

export interface RehearseArguments extends LookArguments {
  /** With its signatures beside it: `FILE.sig`, `FILE.sig.NAME`. Undefined: the installed one. */
  readonly manifest: string | undefined;
  /** Signed updates for identity/keyring/, with their signatures beside them. */
  readonly keyringUpdate: readonly string[];
  /** A keyring file that the next OS image shall bring. */
  readonly keyring: string | undefined;
}

/** Exit 0 when a reconstruction on this device would accept all of it. Changes nothing. */
export function runKeysRehearse(args: RehearseArguments, context: CommandContext): Promise<number> {
  return withStateRoot(args, context, (stateRoot, order) => {
    const candidates = candidateFiles(args);
    const disk = withFiles(stateRoot.disk, candidates);
    const host = args.keyring ? withKeyring(context.host, args.keyring) : context.host;
    const question = contextOf(stateRoot, host, order, reportTo(context.log));
    const { trust, verified, acceptance } = judgeManifest({ ...stateRoot, disk }, host, question);
    requireReached(candidates, trust);
    const { terminal } = context;
    for (const line of describeTrust(trust)) terminal.out(`${line}\n`);
    if (verified.signers.length > 0) terminal.out(`signed by: ${verified.signers.join(', ')}\n`);
    for (const line of describeMemory(acceptance)) terminal.out(`then ${line}\n`);
    for (const line of unasked(args)) terminal.out(`${line}\n`);
    terminal.out(`would be accepted in epoch ${question.bootEpoch}\n`);
    return success;
  });
}

/** An update counts only where it follows on the version before it; others are ignored. */
function requireReached(candidates: ReadonlyMap<string, Uint8Array>, trust: Trust): void {
  const used: readonly string[] = trust.kind === 'keyring' ? trust.files : [];
  const updates = [...candidates.keys()].filter(
    (file) => file.startsWith(`${layout.keyringUpdates}/`) && file.endsWith('.json'),
  );
  const unused = updates.find((file) => !used.includes(file));
  if (unused === undefined) return;
  const version = trust.kind === 'keyring' ? trust.keyring.version : 'none';
  const found = `it does not follow on the keyring that is there, version ${version}`;
  throw new PrecheckError('trust.update_refused', { file: unused, found });
}

function describeTrust(trust: Trust): string[] {
  if (trust.kind === 'state_root_key') {
    return [`trusted: ${layout.verifyKey} in the state root, key ${keyIdOf(trust.key)}`];
  }
  const { version, keys, thresholds, revoked, minimumSerial } = trust.keyring;
  return [
    `trusted: keyring version ${version} (${trust.files.join(', ')})`,
    ...keys.map(({ id, roles, name }) => {
      const standing = revoked.has(id) ? 'revoked' : roles.join(', ');
      return `key ${id}: ${standing}${name === '' ? '' : ` (${name})`}`;
    }),
    `signatures needed: manifest ${thresholds.manifest}, keyring ${thresholds.keyring}`,
    ...(minimumSerial === undefined ? [] : [`lowest serial: ${minimumSerial}`]),
  ];
}

function describeMemory(memory: Acceptance | undefined): string[] {
  if (!memory) return ['remembered: no manifest yet'];
  const { manifestHash, acceptedEpoch, highestSerial, keyringVersion } = memory;
  const serial = highestSerial === undefined ? '' : `, highest serial ${highestSerial}`;
  const keyring = keyringVersion === undefined ? '' : `, keyring version ${keyringVersion}`;
  const hash = manifestHash.slice(0, 16);
  return [
    `remembered: manifest ${hash}..., first used in epoch ${acceptedEpoch}${serial}${keyring}`,
  ];
}

function candidateFiles({ manifest, keyringUpdate }: RehearseArguments): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const add = (file: string, place: string, limitBytes: number): void => {
    files.set(place, readInput(file, limitBytes));
    const [directory, stem] = [path.dirname(file), `${path.basename(file)}.sig`];
    for (const name of fs.readdirSync(directory)) {
      if (name !== stem && !name.startsWith(`${stem}.`)) continue;
      const signature = readInput(path.join(directory, name), signatureBytes);
      files.set(`${place}.sig${name.slice(stem.length)}`, signature);
    }
  };
  if (manifest !== undefined) add(manifest, layout.manifest, manifestLimitBytes);
  for (const file of keyringUpdate) {
    const { version } = parseKeyring(readInput(file, keyringLimitBytes), file);
    add(file, `${layout.keyringUpdates}/${version}.json`, keyringLimitBytes);
  }
  return files;
}

/** The disk as it would be with these files on it; only for reading. */
function withFiles(disk: Disk, files: ReadonlyMap<string, Uint8Array>): Disk {
  const replaced = [...files.keys()].filter((name) => !/\.sig(\..*)?$/.test(name));
  const isHidden = (name: string): boolean =>
    replaced.some((file) => name.startsWith(`${file}.sig`));
  const reading: Pick<Disk, 'readFile' | 'status' | 'list'> = {
    readFile: (name, limitBytes) =>
      files.get(name) ?? (isHidden(name) ? undefined : disk.readFile(name, limitBytes)),
    status: (name) => {
      const bytes = files.get(name);
      const like = bytes && disk.status('');
      if (like) return { ...like, kind: 'file', sizeBytes: bytes.length };
      return isHidden(name) ? undefined : disk.status(name);
    },
    list: (directory) => {
      const added = [...files.keys()].flatMap((name) =>
        path.posix.dirname(name) === directory ? [path.posix.basename(name)] : [],
      );
      const there = disk.list(directory)?.filter((name) => !isHidden(`${directory}/${name}`));
      return there || added.length > 0 ? [...new Set([...(there ?? []), ...added])].sort() : there;
    },
  };
  return new Proxy(disk, {
    get(target, name) {
      const value: unknown = Reflect.get(name in reading ? reading : target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** The host as it would be with this keyring in the next image, in place of one of that name. */
function withKeyring(host: Host, keyring: string): Host {
  const [directory] = keyringDirectories;
  const name = path.basename(keyring, '.json').concat('.json');
  const bytes = readInput(keyring, keyringLimitBytes);
  return {
    ...host,
    system: {
      ...host.system,
      listImageDirectory: (asked) => {
        const names = host.system.listImageDirectory(asked);
        return asked === directory ? [...new Set([...(names ?? []), name])].sort() : names;
      },
      readImageFile: (file, limitBytes) =>
        file === `${directory}/${name}` ? bytes : host.system.readImageFile(file, limitBytes),
    },
  };
}
