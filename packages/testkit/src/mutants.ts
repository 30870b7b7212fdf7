/**
 * Faults that each rung of the crash tests must find: the sources with one thought taken out. A
 * mutant is text, put into a bundle; a mutant whose text is no longer in the sources is an error.
 */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { linuxHost } from '@edged/host/linux-host';
import type { precheck } from '@edged/precheck/precheck';
import { type Plugin, build } from 'esbuild';

export interface Replacement {
  /** Below `packages/`. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export interface Mutant {
  readonly name: string;
  /** Why power cuts on real filesystems cannot show it; the other rungs still must. */
  readonly hiddenByRealDisks?: string;
  readonly replacements: readonly Replacement[];
}

const saveFingerprint = `    const bytes = serializeOsFingerprint(fingerprint);
    replaceRecord(disk, transaction.fingerprint, layout.fingerprint, bytes);
`;

export const mutants: readonly Mutant[] = [
  {
    name: 'no fsync of files',
    replacements: [
      {
        file: 'host/src/linux-disk.ts',
        find: '            fs.fsyncSync(output);\n',
        replace: '',
      },
      { file: 'host/src/atomic-file.ts', find: 'fsync: true', replace: 'fsync: false' },
    ],
  },
  {
    name: 'no fsync of directories',
    replacements: [
      {
        file: 'host/src/linux-disk.ts',
        find: 'withDescriptor(openDirectory(name), (fd) => fs.fsyncSync(fd))',
        replace: 'void name',
      },
    ],
  },
  {
    name: 'fingerprint before evidence, no journal',
    replacements: [
      {
        file: 'precheck/src/change.ts',
        find: '      commitJournal(disk, journal);\n',
        replace: '',
      },
      { file: 'precheck/src/change.ts', find: saveFingerprint, replace: '' },
      {
        file: 'precheck/src/change.ts',
        find: '    if (!isSaved(journal, disk)) install(journal, disk);\n',
        replace: `${saveFingerprint}    install(journal, disk);\n`,
      },
    ],
  },
  {
    name: 'orphans deleted, not rolled forward',
    replacements: [
      {
        file: 'precheck/src/recovery.ts',
        find: '  if (!isNews) return sweep(leftovers, disk, report);\n',
        replace: '  if (!isNews || isNews) return sweep(leftovers, disk, report);\n',
      },
      {
        file: 'precheck/src/recovery.ts',
        find: "  if (journal === 'absent') {\n",
        replace: '  if (journal) {\n',
      },
    ],
  },
  {
    name: 'written in place',
    replacements: [
      {
        file: 'host/src/linux-disk.ts',
        find: '(target) => fs.renameSync(source, target)',
        replace:
          "(target) => from.includes('/staged/') && fs.existsSync(target) " +
          '? (fs.copyFileSync(source, target), fs.unlinkSync(source)) ' +
          ': fs.renameSync(source, target)',
      },
    ],
  },
  {
    name: 'journal named before what it speaks of',
    hiddenByRealDisks: 'ext4, XFS and btrfs make names durable in order, which nothing promises',
    replacements: [
      {
        file: 'precheck/src/state-root/journal.ts',
        find: `  disk.syncDirectory(transaction.staging);
  disk.syncDirectory(transaction.undoing);
  disk.syncDirectory(transaction.directory);
  disk.syncDirectory(parentOf(transaction.directory));
  disk.createFile(transaction.journal, serializeJson(toJson(journal)), 0o600);
  disk.syncDirectory(transaction.directory);
`,
        replace: `  disk.createFile(transaction.journal, serializeJson(toJson(journal)), 0o600);
  disk.syncDirectory(transaction.directory);
  disk.syncDirectory(parentOf(transaction.directory));
`,
      },
    ],
  },
];

/** Of the rotation of certificates, which rung 1 alone cuts at every step. */
export const rotationMutants: readonly Mutant[] = [
  {
    name: 'an interrupted rotation is not finished',
    replacements: [
      {
        file: 'precheck/src/certificate/certificate-gate.ts',
        find: '    finishRotation(order, situation, report);\n',
        replace: '    void finishRotation;\n',
      },
    ],
  },
  {
    name: 'the certificate is named before its name is durable',
    replacements: [
      {
        file: 'precheck/src/certificate/certificate-rotation.ts',
        find: "      disk.syncDirectory(rotationDirectory);\n      disk.syncDirectory('');\n",
        replace: '      void disk;\n',
      },
    ],
  },
];

/** Of taking back what was begun: found where a call fails, or a journal may not be followed. */
export const withdrawalMutants: readonly Mutant[] = [
  {
    name: 'a failed change is not taken back',
    replacements: [
      {
        file: 'precheck/src/change.ts',
        find: '    if (!isSaved(journal, disk)) withdraw(journal, disk, clock, report);\n',
        replace: '',
      },
    ],
  },
  {
    name: 'a journal that may not be followed is only removed',
    replacements: [
      {
        file: 'precheck/src/recovery.ts',
        find: '    if (isDone) return endTransaction(disk);\n',
        replace: '    if (isDone || !isDone) return endTransaction(disk);\n',
      },
    ],
  },
  {
    name: 'files are not put back',
    replacements: [
      {
        file: 'precheck/src/change.ts',
        find: '    ...uninstall(journal, disk),\n',
        replace: '',
      },
    ],
  },
  {
    name: 'taking back ends at the first thing that the disk refuses',
    replacements: [
      {
        file: 'precheck/src/state-root/disk-failure.ts',
        find: '      if (error instanceof DiskError) return [error];\n',
        replace: '',
      },
    ],
  },
  {
    name: 'evidence is not put back',
    replacements: [
      {
        file: 'precheck/src/change.ts',
        find: '    () => restoreEvidence(disk, clock, journal.goal, evidenceBefore(journal)),\n',
        replace: '',
      },
    ],
  },
  {
    name: 'the history is not put back',
    replacements: [
      {
        file: 'precheck/src/change.ts',
        find: '    () => restoreHistory(journal, disk),\n',
        replace: '',
      },
    ],
  },
  {
    name: 'a journal with files put back is followed again',
    replacements: [
      {
        file: 'precheck/src/recovery.ts',
        find: "  if (!isContinuable(journal, disk)) return 'a file it installs is lost';\n",
        replace: '  void isContinuable;\n',
      },
    ],
  },
  {
    name: 'a copy that is set aside has its name before it is whole',
    replacements: [
      {
        file: 'precheck/src/install/install-commit.ts',
        find: '    const copy = `${undo}.copy`;\n',
        replace: '    const copy = undo;\n',
      },
    ],
  },
  {
    name: 'what is set aside is not durable before the files move',
    replacements: [
      {
        file: 'precheck/src/install/install-commit.ts',
        find: '  if (journal.installations.length > 0) disk.syncDirectory(transaction.undoing);\n',
        replace: '',
      },
    ],
  },
];

/** What CommonJS libraries expect to find, in a file that is an ES module. */
const commonJsNames =
  "import { createRequire as makeRequire } from 'node:module'; " +
  'const require = makeRequire(import.meta.url); const __filename = import.meta.filename;';

const packages = fileURLToPath(new URL('../../', import.meta.url));
const output = path.join(packages, '../dist/mutants');

/** The command as one file, with these replacements; `undefined` is the command as it is. */
export async function buildCommand(mutant: Mutant | undefined): Promise<string> {
  const file = path.join(output, `${slug(mutant)}-command.mjs`);
  await bundle(mutant, 'edged/src/main.ts', file, [], 'await main(process.argv.slice(2));');
  return file;
}

/** `@edged/precheck/precheck` alone: `model` and `host` stay those of the caller. */
export async function buildPrecheck(mutant: Mutant | undefined): Promise<string> {
  const file = path.join(output, `${slug(mutant)}-precheck.mjs`);
  await bundle(mutant, 'precheck/src/precheck.ts', file, ['@edged/model/*', '@edged/host/*'], '');
  return file;
}

/** The part of the command that a test drives in its own process, mutated. */
export interface CommandLibrary {
  readonly precheck: typeof precheck;
  readonly linuxHost: typeof linuxHost;
}

export async function buildLibrary(mutant: Mutant | undefined): Promise<CommandLibrary> {
  const file = path.join(output, `${slug(mutant)}-library.mjs`);
  await bundle(mutant, 'testkit/src/command-library.ts', file, [], '');
  return (await import(file)) as CommandLibrary;
}

async function bundle(
  mutant: Mutant | undefined,
  entry: string,
  outfile: string,
  external: readonly string[],
  footer: string,
): Promise<void> {
  const pending = new Set(mutant?.replacements);
  const applied: Plugin = {
    name: 'mutant',
    setup: (bundler) =>
      bundler.onLoad({ filter: /packages\/\w+\/src\/.*\.ts$/ }, ({ path: file }) => {
        let contents = fs.readFileSync(file, 'utf8');
        for (const replacement of mutant?.replacements ?? []) {
          if (file !== path.join(packages, replacement.file)) continue;
          if (!contents.includes(replacement.find)) continue;
          contents = contents.replace(replacement.find, () => replacement.replace);
          pending.delete(replacement);
        }
        return { contents, loader: 'ts' };
      }),
  };
  await build({
    entryPoints: [path.join(packages, entry)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['edged-source'],
    external: [...external, 'blake3-wasm', '@napi-rs/blake-hash'],
    plugins: [applied],
    banner: { js: commonJsNames },
    footer: { js: footer },
    logLevel: 'error',
  });
  const missing = [...pending].filter(
    ({ file }) => external.length === 0 || file.startsWith('precheck'),
  );
  if (missing.length > 0) {
    const files = missing.map(({ file }) => file).join(', ');
    throw new Error(`mutant "${mutant?.name}": its text is not in ${files}`);
  }
}

function slug(mutant: Mutant | undefined): string {
  return (mutant?.name ?? 'unchanged').replaceAll(/\W+/g, '-');
}
