/** Scenarios that begin with a record lost, damaged or edited; the power fails in the repair. */
import { layout } from '@edged/model/layout';
import type { CrashScenario } from './crash-exploration.ts';
import { type Installed, hashOf, osA, osB, osC, scenario } from './expectations.ts';
import type { Tree } from './sim-disk.ts';
import type { SimOs } from './sim-host.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/**
 * `single` is at epoch 0 of A, with a manifest that installs `files`; `rotated` has gone on to B,
 * and back to A.
 */
export function losses(files: readonly Installed[], single: Tree, rotated: Tree): CrashScenario[] {
  const installed = unchanged(files);
  return [
    scenario('rotation with a previous', rotated, osC, { epochs: [[osC, 3]], installed }),
    scenario('lost fingerprint', without(single, layout.fingerprint), osA, {
      epochs: [[osA, 1]],
      installed: files,
    }),
    {
      ...scenario('lost evidence', without(rotated, layout.currentEpoch), osA, {
        epochs: [[osA, 2]],
        installed,
        mayBeRepaired: true,
      }),
      isRepair: true,
    },
    {
      ...scenario('previous of an older epoch', withOldPrevious(rotated, single), osA, {
        epochs: [[osA, 2]],
        installed,
        mayBeRepaired: true,
      }),
      isRepair: true,
    },
    scenario('an epoch that was edited', withEpoch(rotated, 1), osA, {
      epochs: [[osA, 2]],
      installed,
    }),
    scenario('an OS that was counted, and not saved', unsaved(rotated, osB, 1), osA, {
      epochs: [[osA, 2]],
      installed,
    }),
    ...['epoch_1800000000000000000.tmp', 'current.tmp'].map((name) =>
      scenario(`evidence, complete but not renamed: ${name}`, halfRotated(rotated, name), osA, {
        epochs: [[osA, 2]],
        installed,
      }),
    ),
  ];
}

/**
 * The files as they are once a reconstruction has installed them: nothing is to change any more.
 */
function unchanged(installed: readonly Installed[]): Installed[] {
  return installed.map(({ dst, after }) => ({ dst, before: after, after }));
}

function without(tree: Tree, path: string): Tree {
  const isBelow = (name: string): boolean => name === path || name.startsWith(`${path}/`);
  return new Map([...tree].filter(([name]) => !isBelow(name)));
}

/** The evidence of the first epoch in the place of that of the epoch before. */
function withOldPrevious(tree: Tree, first: Tree): Tree {
  const [previous, current] = [layout.previousEpoch, layout.currentEpoch].map(
    (directory) => `${directory}/evidence.json`,
  ) as [string, string];
  return new Map([...tree, [previous, first.get(current)]]);
}

/** The stored epoch edited by hand. */
function withEpoch(tree: Tree, epoch: number): Tree {
  return new Map([...tree, [layout.fingerprint, edited(tree, { boot_epoch: epoch })]]);
}

/** The fingerprint of the epoch before, beside the evidence of the newest. */
function unsaved(tree: Tree, before: SimOs, epoch: number): Tree {
  const changes = {
    boot_epoch: epoch,
    composite_hash: hashOf(before),
    os_release: before.osRelease,
    uname_release: before.kernelRelease,
  };
  return new Map([...tree, [layout.fingerprint, edited(tree, changes)]]);
}

function edited(tree: Tree, changes: Readonly<Record<string, unknown>>): Uint8Array {
  const stored = JSON.parse(Buffer.from(tree.get(layout.fingerprint) ?? []).toString()) as object;
  return bytes(JSON.stringify({ ...stored, ...changes }));
}

/**
 * As the original leaves it between its renames: fingerprint saved, `current` already `previous`.
 * And a file that some other writer left.
 */
function halfRotated(tree: Tree, directory: string): Tree {
  const renamed = [...tree].map(([name, data]) => {
    const moved = name.replace(/^epoch\/current/, `epoch/${directory}`);
    return [moved, data] as const;
  });
  renamed.push(['epoch/evidence.json.tmp', bytes('{"os_fing')]);
  return new Map(renamed);
}
