/** Can the programs of the runtime start on the OS that is to run them? */
import type { Disk, OperatingSystem } from '@edged/host/host';
import { type DynamicNeeds, type ReadRange, readDynamicNeeds } from '@edged/model/elf-dynamic';
import { PrecheckError } from '@edged/model/failure';
import { type Check, ok, skipped } from './check.ts';
import { planned } from './runtime-checks.ts';

const libraryLimitBytes = 256 * 1024 * 1024;

/** Where the linkers of glibc and musl look, on the architectures that we know (ld.so(8)). */
const triplets = [
  'x86_64-linux-gnu',
  'aarch64-linux-gnu',
  'arm-linux-gnueabihf',
  'i386-linux-gnu',
  'riscv64-linux-gnu',
  'loongarch64-linux-gnu',
  'powerpc64le-linux-gnu',
  's390x-linux-gnu',
];
const places = [
  ...triplets.flatMap((triplet) => [`/lib/${triplet}`, `/usr/lib/${triplet}`]),
  '/lib64',
  '/usr/lib64',
  '/lib',
  '/usr/lib',
  '/usr/local/lib',
];

export const libraryChecks: readonly Check[] = [
  {
    id: 'runtime.libraries',
    gate: 'inspection',
    title: 'C library',
    atBoot: false,
    codes: ['inspection.library_missing'],
    needs: ['runtime.operations'],
    timeLimitSeconds: 120,
    async look(subject) {
      if (subject.isNextOs && !subject.nextOsIsMounted) {
        return skipped('the next OS is not mounted (--root DIR)');
      }
      const { disk } = await subject.stateRoot();
      const operations = (await planned(subject))?.plan.operations ?? [];
      const programs = operations.filter(({ target }) => target);
      let dynamic = 0;
      for (const { src } of programs) {
        const needs = readDynamicNeeds(rangesOf(disk, src));
        if (needs?.interpreter === undefined) continue;
        dynamic += 1;
        const problem = problemOf(needs, subject.host.system);
        if (problem !== undefined) {
          throw new PrecheckError('inspection.library_missing', { src, ...problem });
        }
      }
      if (dynamic === 0) return ok('no program of the runtime needs one');
      return ok(`all that ${dynamic} program${dynamic === 1 ? '' : 's'} of the runtime ask for`);
    },
  },
];

function rangesOf(disk: Disk, path: string): ReadRange {
  return (offset, length) => {
    const parts: Uint8Array[] = [];
    let at = 0;
    disk.scanFile(path, (chunk) => {
      const from = Math.max(offset - at, 0);
      const to = Math.min(offset + length - at, chunk.length);
      if (from < to) parts.push(chunk.slice(from, to));
      at += chunk.length;
    });
    return Buffer.concat(parts);
  };
}

/** Undefined when nothing is missing, as far as it can be seen. */
function problemOf(
  { interpreter = '', needed, hasRunPath, versions }: DynamicNeeds,
  system: OperatingSystem,
): Record<string, string> | undefined {
  const isPlain = interpreter.startsWith('/') && !interpreter.includes('/../');
  if (!isPlain || !system.readImageFile(interpreter, libraryLimitBytes)) {
    return { found: 'no such dynamic linker', needed: interpreter };
  }
  for (const library of needed) {
    const bytes = findLibrary(library, system);
    if (!bytes) {
      if (hasRunPath) continue; // it may lie where the program itself says
      return { found: 'no such library', needed: library };
    }
    const wanted = versions.get(library) ?? [];
    const offered = readDynamicNeeds((offset, length) => bytes.subarray(offset, offset + length));
    const missing = wanted.filter((version) => !offered?.defines.includes(version));
    if (offered && missing.length > 0) {
      return { found: `${library} is older`, needed: missing.join(' ') };
    }
  }
  return undefined;
}

function findLibrary(name: string, system: OperatingSystem): Uint8Array | undefined {
  if (name.includes('/')) return undefined;
  for (const place of places) {
    const bytes = system.readImageFile(`${place}/${name}`, libraryLimitBytes);
    if (bytes) return bytes;
  }
  return undefined;
}
