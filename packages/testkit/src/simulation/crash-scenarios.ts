/** The scenarios of the simulated rung: where the device stands when the power begins to fail. */
import { layout, stateRootDirectories } from '@edged/model/layout';
import { loadSigningSeed, publicKeyOf, signBytes } from '@edged/model/manifest-signature';
import { issueSelfSigned } from '@edged/precheck/certificate/certificate-issue';
import type { PrecheckOrder } from '@edged/precheck/precheck';
import { noRotation, plainTrust } from '../device/plain-order.ts';
import type { CrashScenario, Precheck } from './crash-exploration.ts';
import { type Installed, agentData, firstBoot, osA, osB, osC, scenario } from './expectations.ts';
import { losses } from './loss-scenarios.ts';
import { rotationScenarios } from './rotation-scenarios.ts';
import { SimDisk, type Tree } from './sim-disk.ts';
import { type SimOs, simHost, simRoot } from './sim-host.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

export interface CrashSetting {
  readonly scenarios: readonly CrashScenario[];
  readonly order: PrecheckOrder;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

export async function crashSetting(precheck: Precheck): Promise<CrashSetting> {
  const { certificatePem, keyPem } = await issueSelfSigned('edge-001', firstBoot, 3650);
  const files = new Map([
    ['/etc/edged/edge.crt', bytes(certificatePem)],
    ['/etc/edged/edge.key', bytes(keyPem)],
  ]);
  const order: PrecheckOrder = {
    stateRoot: {
      path: simRoot,
      skipMountCheck: false,
      allowRootFilesystem: false,
      lockWaitMilliseconds: 0,
    },
    certificate: {
      certFile: '/etc/edged/edge.crt',
      keyFile: '/etc/edged/edge.key',
      caFile: '/etc/edged/edge.crt',
      ...noRotation,
    },
    ...plainTrust,
  };
  const live = async (tree: Tree, running: SimOs): Promise<Tree> => {
    const disk = new SimDisk(tree);
    await precheck(order, simHost(disk, running, files), () => undefined);
    return disk.tree();
  };
  return { scenarios: await build(live), order, files };
}

async function build(live: (tree: Tree, os: SimOs) => Promise<Tree>): Promise<CrashScenario[]> {
  const [empty, one, five] = [installing(0), installing(1), installing(5)];
  const bare = await live(empty.tree, osA);
  const single = await live(one.tree, osA);
  const many = await live(five.tree, osA);
  const rotated = await live(await live(single, osB), osA);
  const match = scenario('match', bare, osA, { epochs: [[osA, 0]] });
  return [
    scenario('first run', empty.tree, osA, { epochs: [[osA, 0]] }),
    scenario('first run on an empty partition', agentOnly(), osA, { epochs: [[osA, 0]] }),
    match,
    ...(await rotationScenarios(match, firstBoot)),
    scenario('reconstruction, 0 operations', bare, osB, { epochs: [[osB, 1]] }),
    ...replacements(one, single, five, many),
    ...losses(one.installed, single, rotated),
  ];
}

type Prepared = ReturnType<typeof installing>;

function replacements(one: Prepared, single: Tree, five: Prepared, many: Tree): CrashScenario[] {
  const previousOf = new Map([[2, osB]]);
  const back = scenario(
    'back to the old OS during recovery',
    many,
    osB,
    {
      epochs: [
        [osA, 0],
        [osA, 2],
      ],
      previousOf,
      installed: five.installed,
    },
    [osA],
  );
  return [
    scenario('reconstruction, 1 operation', single, osB, {
      epochs: [[osB, 1]],
      installed: one.installed,
    }),
    ...underTwoKernels(
      scenario('reconstruction, 5 operations', many, osB, {
        epochs: [[osB, 1]],
        installed: five.installed,
      }),
    ),
    scenario(
      'second replacement during recovery',
      single,
      osB,
      {
        epochs: [
          [osC, 1],
          [osC, 2],
        ],
        previousOf,
        installed: one.installed,
      },
      [osC],
    ),
    back,
    ...underTwoKernels({
      ...back,
      name: 'back to the old OS, which knows another key',
      afterCut: signedByAnother,
    }),
    {
      ...scenario('another key since the cut', many, osB, {
        epochs: [[osB, 1]],
        installed: five.installed,
      }),
      afterCut: signedByAnother,
    },
  ];
}

/** Also where old files are set aside as copies, since the kernel gives them no second name. */
function underTwoKernels(one: CrashScenario): CrashScenario[] {
  return [one, { ...one, name: `${one.name}, old files of others`, rules: { refusesLinks: true } }];
}

/** A state root whose manifest installs this many files, every other one over an old file. */
function installing(count: number): { tree: Tree; installed: readonly Installed[] } {
  const tree = new Map<string, Uint8Array | undefined>(agentOnly());
  for (const directory of [...stateRootDirectories, 'runtime/bin']) tree.set(directory, undefined);
  const installed = Array.from({ length: count }, (_, index) => ({
    // odd ones go to a directory that is not there yet
    dst: index % 2 === 0 ? `runtime/bin/file-${index}` : `runtime/new/deep/file-${index}`,
    before: index % 2 === 0 ? bytes(`old ${index}`) : undefined,
    after: bytes(`the new file ${index}`),
  }));
  for (const [index, { dst, before, after }] of installed.entries()) {
    if (before) tree.set(dst, before);
    tree.set(`${layout.binaries}/file-${index}`, after);
  }
  const operations = installed.map(({ dst }, index) => ({
    op: 'copy_binary',
    src: `${layout.binaries}/file-${index}`,
    dst,
  }));
  const manifest = bytes(JSON.stringify({ version: '1', operations }));
  tree.set(layout.manifest, manifest);
  return { tree: signedBy(7, tree), installed };
}

/** The manifest signed by the key of this number, and that key the one that counts. */
function signedBy(key: number, tree: Tree): Tree {
  const seed = loadSigningSeed(new Uint8Array(32).fill(key));
  const manifest = tree.get(layout.manifest) ?? new Uint8Array();
  const signed = [
    [layout.signature, signBytes(manifest, seed)],
    [layout.verifyKey, publicKeyOf(seed)],
  ] as const;
  return new Map([...tree, ...signed]);
}

/** What an interrupted reconstruction was signed with counts no more. */
function signedByAnother(tree: Tree): Tree {
  return signedBy(8, tree);
}

function agentOnly(): Tree {
  return new Map<string, Uint8Array | undefined>([
    ['edge', undefined],
    ['edge/relay', undefined],
    ['edge/segments', undefined],
    ...agentData,
  ]);
}
