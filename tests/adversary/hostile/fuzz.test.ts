/**
 * Whatever bytes the readers get, they answer with a document or with a reason, and let through
 * nothing that an independent second look refuses. HOSTILE_CASES is the number of cases in all
 * (default: a slice of 3,000), HOSTILE_SEED makes it another walk; a case that is found is printed
 * with its seed and path, and is kept as a vector or a test.
 */
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Disk, DiskError } from '@edged/host/host';
import { parseMountInfo } from '@edged/host/linux-mounts';
import { parseEpochEvidence, serializeEpochEvidence } from '@edged/model/epoch-evidence';
import { parseEpochHistory } from '@edged/model/epoch-history';
import { PrecheckError, failures } from '@edged/model/failure';
import { checkOperationPaths } from '@edged/model/install-operation';
import { parseKeyring } from '@edged/model/keyring';
import { loadVerifyKey, signatureHolds } from '@edged/model/manifest-signature';
import { compositeHash, parseOsFingerprint } from '@edged/model/os-fingerprint';
import { parseRuntimeManifest } from '@edged/model/runtime-manifest';
import { precheck } from '@edged/precheck/precheck';
import { openStateRoot } from '@edged/precheck/state-root/state-root';
import { TestDevice } from '@edged/testkit/device/device';
import { failingFromRename } from '@edged/testkit/device/faults';
import { removeTree } from '@edged/testkit/device/removal';
import { HostileCount, noteHostileRow } from '@edged/testkit/hostile/hostile-table';
import { confused, confusing, mutated, pathsIn, withValue } from '@edged/testkit/hostile/mutation';
import { crashSetting } from '@edged/testkit/simulation/crash-scenarios';
import { SimDisk } from '@edged/testkit/simulation/sim-disk';
import { simHost, simRoot } from '@edged/testkit/simulation/sim-host';
import { keyringJson, signText, testKey } from '@edged/testkit/device/signing';
import { readVectors } from '@edged/testkit/hostile/vectors';
import { testDirectory } from '@edged/testkit/test-directory';
import { blake3 } from '@noble/hashes/blake3.js';
import { parseConfig } from 'edged/config/config';
import { exampleConfig } from 'edged/simulation/example-config';
import fc from 'fast-check';

const cases = Number(process.env['HOSTILE_CASES'] ?? 3000);
const seed = Number(process.env['HOSTILE_SEED'] ?? 1);
const table = process.env['HOSTILE_TABLE'];
const counts: HostileCount[] = [];
const minutes = 60_000;

afterAll(() => counts.forEach(({ row }) => noteHostileRow(row, table)));

/** Runs this share of all the cases, in percent. */
function share(percent: number): fc.Parameters<unknown> {
  return { numRuns: Math.max(20, Math.round((cases * percent) / 100)), seed };
}

function counted(input: string): HostileCount {
  const count = new HostileCount(input);
  counts.push(count);
  return count;
}

/** The document, or undefined for a refusal with a reason and a remedy. */
async function answer<Result>(
  count: HostileCount,
  read: () => Result | Promise<Result>,
): Promise<Result | undefined> {
  count.tried();
  try {
    return await read();
  } catch (error) {
    const isRefusal = error instanceof PrecheckError && error.code in failures;
    if (isRefusal && error.remedy !== '' && error.details.length > 0) return undefined;
    count.crashed(String(error));
    throw error;
  }
}

const manifestText = JSON.stringify({
  version: '1',
  binary_path: 'edged',
  operations: [
    { op: 'copy_binary', src: 'runtime/binaries/agent', dst: 'runtime/bin/agent', mode: '0755' },
    { op: 'verify_config', src: 'bootstrap/config.yaml', hash: 'ab'.repeat(32) },
  ],
  serial: 7,
  issued_at: '2027-01-01T00:00:00Z',
  audience: ['edge-*'],
});

const config = exampleConfig('/data/edged', '/etc/edged');

test(
  'config',
  async () => {
    const count = counted('config');
    const json = JSON.stringify({ schema: 'v1', identity: { edge_domain_id: 'x' } });
    const toml = '[identity]\nedge_domain_id = "x"\n';
    await fc.assert(
      fc.asyncProperty(mutated(config, config, json, toml), async (bytes) => {
        const text = Buffer.from(bytes).toString();
        const read = await answer(count, () => parseConfig(text, 'edge.toml'));
        if (!read) return;
        const again = await parseConfig(JSON.stringify(read), 'again.json');
        if (JSON.stringify(again) !== JSON.stringify(read)) count.acceptedWrongly(text);
        expect(count.found).toEqual([]);
      }),
      share(15),
    );
  },
  5 * minutes,
);

/** An independent look at a dst that was let through. */
function isWithin(root: string, dst: string): boolean {
  const absolute = path.posix.resolve(root, dst);
  const [first, second] = absolute.slice(root.length + 1).split('/');
  if (!absolute.startsWith(`${root}/`) || first === undefined) return false;
  const place = first.normalize('NFKC').toLowerCase();
  if (['identity', 'bootstrap', 'epoch', 'edge', '.precheck.lock'].includes(place)) return false;
  if (place !== 'runtime') return true;
  const name = (second ?? '').normalize('NFKC').toLowerCase();
  return name !== '' && name !== 'binaries' && !name.startsWith('manifest.json');
}

function judgeManifest(count: HostileCount, bytes: Uint8Array): void {
  const { operations } = parseRuntimeManifest(bytes);
  for (const [index, operation] of operations.entries()) {
    checkOperationPaths(operation, index, ['/data/edged']);
    const isSource = path.posix
      .resolve('/data/edged', operation.src)
      .startsWith(
        operation.op === 'copy_binary' ? '/data/edged/runtime/binaries/' : '/data/edged/',
      );
    const isTarget = operation.op !== 'copy_binary' || isWithin('/data/edged', operation.dst);
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    const isClean = !/[\u0000-\u001f;|$`&><*?!#~'"\\]/.test(
      JSON.stringify(operation.src).slice(1, -1),
    );
    if (!isSource || !isTarget || !isClean) count.acceptedWrongly(JSON.stringify(operation));
  }
}

test(
  'manifest',
  async () => {
    const count = counted('manifest');
    const known = readVectors('manifest').map(({ body }) => body);
    await fc.assert(
      fc.asyncProperty(mutated(manifestText, ...known), async (bytes) => {
        await answer(count, () => judgeManifest(count, bytes));
        expect(count.found).toEqual([]);
      }),
      share(25),
    );
  },
  5 * minutes,
);

test(
  'paths of operations',
  async () => {
    const count = counted('paths of operations');
    const name = fc.oneof(
      fc.constantFrom('..', '.', '', 'runtime', 'binaries', 'bin', 'agent', 'identity', 'epoch'),
      fc.constantFrom(
        'IDENTITY',
        'ＥＰＯＣＨ',
        'manifest.json',
        'Manifest.JSON.sig',
        'edge',
        '\u0131',
      ),
      fc.string({ unit: 'binary', maxLength: 6 }),
    );
    const place = fc
      .tuple(
        fc.constantFrom(
          '',
          '',
          'runtime/',
          'runtime/binaries/',
          '/',
          '/data/edged/',
          '/data/edged',
        ),
        fc.array(name, { maxLength: 6 }),
      )
      .map(([start, names]) => start + names.join('/'));
    const operation = fc.record({ op: fc.constant('copy_binary'), src: place, dst: place });
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 3 }), async (operations) => {
        const text = JSON.stringify({ version: '1', operations });
        await answer(count, () => judgeManifest(count, Buffer.from(text)));
        expect(count.found).toEqual([]);
      }),
      share(20),
    );
  },
  5 * minutes,
);

test(
  'keyring',
  async () => {
    const count = counted('keyring');
    const known = readVectors('keyring').map(({ body }) => body);
    await fc.assert(
      fc.asyncProperty(mutated(...known), async (bytes) => {
        const keyring = await answer(count, () => parseKeyring(bytes, 'fleet.json'));
        const isSound =
          !keyring ||
          (keyring.thresholds.manifest > 0 &&
            keyring.thresholds.keyring > 0 &&
            keyring.version > 0);
        if (!isSound) count.acceptedWrongly(Buffer.from(bytes).toString());
        expect(count.found).toEqual([]);
      }),
      share(8),
    );
  },
  5 * minutes,
);

test(
  'signature gate',
  async () => {
    const count = counted('signature, key and message');
    const key = testKey(1);
    const signature = signText(manifestText, key);
    const triple = fc.oneof(
      fc.tuple(mutated(key.publicKey), fc.constant(signature), fc.constant(manifestText)),
      fc.tuple(fc.constant(key.publicKey), mutated(signature), fc.constant(manifestText)),
      fc.tuple(
        fc.constant(key.publicKey),
        fc.constant(signature),
        mutated(manifestText).map((bytes) => Buffer.from(bytes).toString('latin1')),
      ),
    );
    const isSame = (one: Uint8Array, other: Uint8Array): boolean => Buffer.from(one).equals(other);
    await fc.assert(
      fc.asyncProperty(triple, async ([keyBytes, signed, text]) => {
        const message = Buffer.from(text, 'latin1');
        const holds = await answer(count, () =>
          signatureHolds(signed, message, loadVerifyKey(keyBytes)),
        );
        const isHonest =
          isSame(keyBytes, key.publicKey) &&
          isSame(signed, signature) &&
          message.toString() === manifestText;
        if (holds && !isHonest) count.acceptedWrongly(Buffer.from(signed).toString('hex'));
        expect(count.found).toEqual([]);
      }),
      share(15),
    );
  },
  10 * minutes,
);

const mountLine = '36 25 8:2 / /data rw,relatime shared:1 - ext4 /dev/sda2 rw';
const rootLine = '25 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw';

test(
  'mountinfo',
  async () => {
    const count = counted('mountinfo');
    const known = `${rootLine}\n${mountLine}\n`;
    const more = `${known}37 36 0:40 / /data/edged rw - tmpfs tmpfs rw\n`;
    const os = { osRelease: '', kernelRelease: '', wallMilliseconds: 0 };
    const host = simHost(new SimDisk(new Map()), os, new Map());
    const order = {
      path: simRoot,
      skipMountCheck: false,
      allowRootFilesystem: false,
      lockWaitMilliseconds: 0,
    };
    await fc.assert(
      fc.asyncProperty(mutated(known, more), async (bytes) => {
        const text = Buffer.from(bytes).toString('latin1');
        const system = { ...host.system, mounts: () => parseMountInfo(text) };
        const opened = await answer(count, () => {
          openStateRoot(order, { ...host, system }, () => undefined).close();
          return true;
        });
        const isAllowed = / - (ext[234]|xfs|btrfs|f2fs|zfs|bcachefs|ubifs|jffs2) /.test(text);
        if (opened && !isAllowed) count.acceptedWrongly(text);
        expect(count.found).toEqual([]);
      }),
      share(5),
    );
  },
  5 * minutes,
);

test(
  'os-release',
  async () => {
    const count = counted('os-release');
    await fc.assert(
      fc.asyncProperty(mutated('ID=x\nVERSION_ID=1\n'), fc.string(), async (bytes, release) => {
        const identity = { etcOsRelease: bytes, usrLibOsRelease: bytes, kernelRelease: release };
        const hash = await answer(count, () => compositeHash(identity));
        const whole = Buffer.concat([bytes, bytes, Buffer.from(release)]);
        const expected = Buffer.from(blake3(whole)).toString('hex');
        if (hash !== expected) count.acceptedWrongly(Buffer.from(bytes).toString('hex'));
        expect(count.found).toEqual([]);
      }),
      share(3),
    );
  },
  5 * minutes,
);

test(
  'evidence, fingerprint and history',
  async () => {
    const count = counted('evidence, fingerprint, history');
    const fingerprint = {
      composite_hash: 'ab',
      boot_epoch: 3,
      captured_at: '2027-01-01T00:00:00Z',
    };
    const acceptance = { manifest_hash: 'x', accepted_epoch: 1, highest_serial: 7 };
    const evidence = {
      os_fingerprint: fingerprint,
      binary_hash: '',
      config_hash: '',
      rotated_at: '2027-01-01T00:00:00Z',
      acceptance,
    };
    const history = { epochs: [{ ...fingerprint, began_at: '', acceptance }] };
    const texts = [fingerprint, evidence, history].map((json) => JSON.stringify(json));
    await fc.assert(
      fc.asyncProperty(mutated(...texts), async (bytes) => {
        await answer(count, () => {
          const epochs = [
            parseOsFingerprint(bytes)?.bootEpoch,
            parseEpochEvidence(bytes)?.osFingerprint.bootEpoch,
            ...(parseEpochHistory(bytes) ?? []).map(({ bootEpoch }) => bootEpoch),
          ];
          const isCount = (epoch: number | undefined): boolean =>
            epoch === undefined || (Number.isSafeInteger(epoch) && epoch >= 0);
          if (!epochs.every(isCount)) count.acceptedWrongly(Buffer.from(bytes).toString());
          const read = parseEpochEvidence(bytes);
          if (read) expect(parseEpochEvidence(serializeEpochEvidence(read))).toEqual(read);
        });
        expect(count.found).toEqual([]);
      }),
      share(7),
    );
  },
  5 * minutes,
);

test(
  'no value of another type, in any place of a journal, is a defect',
  async () => {
    const count = counted('journal, every value of another type');
    const { scenarios, order, files } = await crashSetting(precheck);
    const scenario = scenarios.find(({ name }) => name === 'reconstruction, 5 operations');
    if (!scenario) throw new Error('the scenario is gone');
    const journalFile = 'bootstrap/transaction/journal.json';
    const cut = new SimDisk(scenario.initial);
    const refuse = (): never => {
      throw new DiskError('rename', '', 'EIO');
    };
    let renames = 0; // files are installed, the evidence is on its way
    const refusing = new Proxy(cut, {
      get: (disk, name: keyof Disk) =>
        name === 'rename' && (renames += 1) > 6 ? refuse : disk[name].bind(disk),
    });
    const host = { ...simHost(cut, scenario.os, files), openDisk: () => refusing };
    await expect(precheck(order, host, () => undefined)).rejects.toThrow(PrecheckError);
    const left = cut.tree();
    const journal = JSON.parse(Buffer.from(left.get(journalFile) ?? []).toString()) as unknown;
    const answers = new Set<string>();
    for (const place of pathsIn(journal)) {
      for (const value of confusing) {
        const bytes = Buffer.from(JSON.stringify(withValue(journal, place, value)));
        const disk = new SimDisk(new Map([...left, [journalFile, bytes]]));
        const passed = await answer(count, () =>
          precheck(order, simHost(disk, scenario.os, files), () => undefined),
        );
        answers.add(passed ? 'passed' : 'refused');
        for (const what of scenario.always(disk.tree())) count.acceptedWrongly(what);
        expect({ place, value, found: count.found }).toMatchObject({ found: [] });
      }
    }
    expect(answers).toEqual(new Set(['passed', 'refused']));
  },
  20 * minutes,
);

describe('a whole state root in the hands of an attacker', () => {
  const directory = testDirectory('hostile');
  const device = new TestDevice(path.join(directory, 'device'));
  const pristine = path.join(directory, 'pristine');
  const outside = path.join(directory, 'outside');
  const good = '#!/bin/sh\necho the signed agent\n';
  const signer = testKey(1);

  beforeAll(async () => {
    fs.mkdirSync(device.directory);
    resetOutside();
    await device.prepare();
    device.writeKeyring(keyringJson([{ key: signer }]));
    device.write('state-root/runtime/binaries/edge-agent', good, 0o755);
    const hash = Buffer.from(blake3(Buffer.from(good))).toString('hex');
    const src = 'runtime/binaries/edge-agent';
    device.writeManifest([{ op: 'copy_binary', src, dst: 'runtime/bin/agent', hash }], {
      serial: 3,
    });
    device.signBy(signer);
    for (const name of ['1.0', '2.0', '3.0']) {
      device.flash({ name, kernelRelease: name });
      expect((await device.boot()).exitCode).toBe(0);
    }
    fs.cpSync(device.stateRoot, pristine, { recursive: true });
  });

  const act = fc.record({
    what: fc.constantFrom(
      'mutate',
      'remove',
      'directory',
      'link_outside',
      'link_inside',
      'truncate',
      'swap',
      'mode',
      'invent',
    ),
    at: fc.nat(1000),
    other: fc.nat(1000),
    bytes: mutated('{"boot_epoch":0}', manifestText, '\0'.repeat(32)),
  });
  type Act = typeof act extends fc.Arbitrary<infer Value> ? Value : never;
  const inventions = [
    'bootstrap/transaction/journal.json',
    'bootstrap/transaction/staged/0',
    'epoch/epoch_1800000000000000000.tmp/evidence.json',
    'identity/keyring/2.json',
    'runtime/manifest.json.sig.2',
    '.precheck.lock',
    'bootstrap/boots_since_accept.json',
  ];

  function tamper({ what, at, other, bytes }: Act): void {
    const names = device.tree();
    const file = device.inside(names[at % names.length] ?? '');
    const second = device.inside(names[other % names.length] ?? '');
    if (what === 'invent') {
      const invented = device.inside(inventions[at % inventions.length] ?? '');
      const parent = path.dirname(invented);
      // only where all that is on the way is still a directory of this tree
      if (fs.existsSync(parent) && !fs.realpathSync(parent).startsWith(device.stateRoot)) return;
      fs.mkdirSync(parent, { recursive: true });
      fs.rmSync(invented, { recursive: true, force: true });
      return fs.writeFileSync(invented, bytes);
    }
    const status = fs.lstatSync(file, { throwIfNoEntry: false });
    if (!status) return;
    const isFile = status.isFile();
    if (what === 'mode') return void (status.isSymbolicLink() || fs.chmodSync(file, other & 0o777));
    if (what === 'mutate' && isFile) return fs.writeFileSync(file, bytes);
    if (what === 'truncate' && isFile) return fs.truncateSync(file, other % (status.size + 1));
    if (what === 'swap' && isFile && fs.lstatSync(second).isFile()) {
      const copy = fs.readFileSync(file);
      fs.copyFileSync(second, file);
      return fs.writeFileSync(second, copy);
    }
    fs.rmSync(file, { recursive: true });
    if (what === 'directory') fs.mkdirSync(file);
    if (what === 'link_outside') fs.symlinkSync(path.join(outside, at % 2 ? 'secret' : ''), file);
    if (what === 'link_inside') fs.symlinkSync(second, file);
  }

  test(
    'no boot crashes, installs what was not signed, goes back or writes outside',
    async () => {
      const count = counted('state root tampered with, whole boots');
      const outcomes = new Set<number>();
      await fc.assert(
        fc.asyncProperty(
          fc.array(act, { minLength: 1, maxLength: 4 }),
          fc.boolean(),
          async (acts, isReplaced) => {
            removeTree(device.stateRoot);
            fs.cpSync(pristine, device.stateRoot, { recursive: true, verbatimSymlinks: true });
            for (const each of acts) {
              try {
                tamper(each);
              } catch (error) {
                // an earlier act has left nothing to act on
                if (!(error as NodeJS.ErrnoException).code?.startsWith('E')) throw error;
              }
            }
            resetOutside(); // the tampering may have followed a link of its own
            count.found.length = 0;
            const name = isReplaced ? '4.0' : '3.0';
            device.flash({ name, kernelRelease: name });
            const { exitCode, logLines } = await device.boot();
            const log = logLines.join('\n');
            count.tried();
            if (![0, 2, 5].includes(exitCode) || log.includes('reason="internal')) {
              count.crashed(log);
            }
            if (exitCode !== 0 && !/level=ERROR .*reason="\w+\.\w+".* remedy="/.test(log)) {
              count.crashed(`no reason: ${log}`);
            }
            outcomes.add(exitCode);
            const reconstructed = exitCode === 0 && log.includes('reconstruction_completed');
            if (reconstructed && !isSigned()) count.acceptedWrongly(log);
            const secret = path.join(outside, 'secret');
            if (
              fs.readdirSync(outside).join() !== 'secret' ||
              fs.readFileSync(secret, 'utf8') !== 'a secret'
            ) {
              count.wroteOutside(log);
            }
            expect(count.found).toEqual([]);
          },
        ),
        share(2),
      );
      expect([...outcomes]).toEqual(expect.arrayContaining([0, 5])); // not all were refused
    },
    20 * minutes,
  );

  describe('no value of another type than it should be is a defect', () => {
    const inside = path.join(directory, 'cut off');
    const documents = [
      'bootstrap/transaction/journal.json',
      'bootstrap/os_fingerprint.json',
      'bootstrap/epoch_history.json',
      'bootstrap/boots_since_accept.json',
      'bootstrap/last_result.json',
      'epoch/current/evidence.json',
      'epoch/previous/evidence.json',
    ];

    /** A reconstruction of epoch 4 that was cut off before it could save anything. */
    beforeAll(async () => {
      fs.rmSync(device.stateRoot, { recursive: true });
      fs.cpSync(pristine, device.stateRoot, { recursive: true });
      const src = 'runtime/binaries/edge-agent';
      const [old, added] = ['runtime/bin/agent', 'runtime/new/place/agent'];
      const operations = [old, added].map((dst) => ({ op: 'copy_binary', src, dst }));
      device.writeManifest(operations, { serial: 3, max_boots_since_accept: 9 });
      device.signBy(signer);
      device.flash({ name: '4.0', kernelRelease: '4.0' });
      const fault = failingFromRename(4);
      expect((await device.boot({ wrapHost: fault.wrapHost })).exitCode).toBe(5);
      expect(device.exists('state-root/bootstrap/transaction/journal.json')).toBe(true);
      device.write(
        'state-root/bootstrap/boots_since_accept.json',
        JSON.stringify({ manifest_hash: 'ab', boots: 1, boot_id: 'x' }),
      );
      fs.mkdirSync(device.inside('epoch/current'), { recursive: true });
      fs.cpSync(path.join(pristine, 'epoch/current'), device.inside('epoch/current'), {
        recursive: true,
      });
      fs.cpSync(device.stateRoot, inside, { recursive: true });
    });

    test.each(documents)(
      '%s',
      async (file) => {
        const count = counted('journal and records of wrong types, whole boots');
        const outcomes = new Set<number>();
        const known = JSON.parse(fs.readFileSync(path.join(inside, file), 'utf8')) as unknown;
        await fc.assert(
          fc.asyncProperty(confused(known), fc.boolean(), async (document, isAlone) => {
            count.found.length = 0;
            fs.rmSync(device.stateRoot, { recursive: true });
            fs.cpSync(inside, device.stateRoot, { recursive: true });
            device.write(`state-root/${file}`, JSON.stringify(document));
            const journal = device.inside('bootstrap/transaction');
            // half of the time the file stands without a journal that would mend it
            if (isAlone && !file.includes('transaction')) fs.rmSync(journal, { recursive: true });
            const { exitCode, logLines } = await device.boot();
            const log = logLines.join('\n');
            count.tried();
            if (![0, 2, 5].includes(exitCode) || log.includes('reason="internal')) {
              count.crashed(log);
            }
            outcomes.add(exitCode);
            expect(count.found).toEqual([]);
          }),
          share(file.includes('transaction') ? 3 : 0.5),
        );
        expect([...outcomes]).toContain(0); // not all were refused
      },
      20 * minutes,
    );
  });

  function resetOutside(): void {
    fs.rmSync(outside, { recursive: true, force: true });
    fs.mkdirSync(outside);
    fs.writeFileSync(path.join(outside, 'secret'), 'a secret');
  }

  function isSigned(): boolean {
    const manifest = fs.readFileSync(path.join(pristine, 'runtime/manifest.json'));
    const now = fs.readFileSync(device.inside('runtime/manifest.json'));
    return (
      manifest.equals(now) && fs.readFileSync(device.inside('runtime/bin/agent'), 'utf8') === good
    );
  }
});
