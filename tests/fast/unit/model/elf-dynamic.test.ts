import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { type DynamicNeeds, type ReadRange, readDynamicNeeds } from '@edged/model/elf-dynamic';
import { testWith } from '@edged/testkit/needs';
import fc from 'fast-check';

const rangesOf =
  (bytes: Uint8Array): ReadRange =>
  (offset, length) =>
    bytes.subarray(offset, offset + length);

/** The same in the words of readelf(1). */
function askReadelf(file: string): DynamicNeeds {
  const args = ['-d', '-V', '-l', '-W', file];
  const { stdout, status, error } = spawnSync('readelf', args, {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], LC_ALL: 'C' },
    maxBuffer: 256 * 1024 * 1024, // a Node.js of a distribution defines very many names
  });
  expect({ status, error }).toEqual({ status: 0, error: undefined });
  const all = (pattern: RegExp): string[] =>
    [...stdout.matchAll(pattern)].map(([, name = '']) => name);
  const section = (name: string): string =>
    stdout.split(/^(?=Version \w+ section)/m).find((text) => text.startsWith(name)) ?? '';
  const versions = new Map<string, string[]>();
  let last: string[] = [];
  const line = /(?:File: (\S+)|Name: (\S+) +Flags:)/g;
  for (const [, file_, version] of section('Version needs').matchAll(line)) {
    if (file_ !== undefined) versions.set(file_, (last = []));
    else if (version !== undefined) last.push(version);
  }
  const defined = section('Version definition').matchAll(/ Index: .* Name: (\S+)$/gm);
  return {
    interpreter: all(/Requesting program interpreter: (.*)\]/g)[0],
    needed: all(/\(NEEDED\) +Shared library: \[(.*)\]/g),
    hasRunPath: /\((?:RPATH|RUNPATH)\)/.test(stdout),
    versions,
    defines: [...defined].map(([, name = '']) => name),
  };
}

const elfMagic = Buffer.from('\u007fELF');
const isElf = (file: string): boolean =>
  fs.existsSync(file) && fs.readFileSync(file).subarray(0, 4).equals(elfMagic);
const programs = ['/bin/sh', process.execPath];
const libcs = ['x86_64-linux-gnu/', 'aarch64-linux-gnu/', '']
  .flatMap((triplet) => [`/lib/${triplet}libc.so.6`, `/lib64/${triplet}libc.so.6`])
  .filter(isElf);
/** In Ubuntu the first is a script. */
const statics = ['/sbin/ldconfig', '/sbin/ldconfig.real'].filter(isElf);
const files = [...programs, ...libcs.slice(0, 1), ...statics];
const isGlibc = libcs.length > 0 && statics.length > 0;

describe('as readelf says', () => {
  testWith('readelf').each(files)('of %s', (file) => {
    const bytes = fs.readFileSync(file);
    expect(readDynamicNeeds(rangesOf(bytes))).toEqual(askReadelf(file));
  });

  const ofGlibc = testWith('readelf', { obstacle: isGlibc ? undefined : 'glibc and its ldconfig' });
  ofGlibc('a program, a library and a static program were among them', () => {
    const seen = files.map((file) => askReadelf(file));
    expect(seen.some(({ interpreter }) => interpreter?.startsWith('/lib'))).toBe(true);
    expect(seen.some(({ defines }) => defines.includes('GLIBC_2.17'))).toBe(true);
    expect(seen.some(({ interpreter, needed }) => !interpreter && needed.length === 0)).toBe(true);
  });
});

describe('a program of this machine', () => {
  const seen = readDynamicNeeds(rangesOf(fs.readFileSync(process.execPath)));

  test('asks for versions of libraries that it needs, and of no others', () => {
    expect(seen?.interpreter).toMatch(/\/lib.*\/ld-/);
    expect(seen?.needed.length).toBeGreaterThan(0);
    for (const library of seen?.versions.keys() ?? []) expect(seen?.needed).toContain(library);
  });
});

interface Parts {
  readonly is64?: boolean;
  readonly little?: boolean;
  /** Of the table of version needs. */
  readonly needs?: Buffer;
  readonly needCount?: number;
  readonly strings?: Buffer;
  readonly more?: readonly (readonly [tag: number, value: number])[];
}

const [dynamicAt, stringsAt, needsAt] = [0x200, 0x1000, 0x2000];

/** A file with one loaded segment, at address 0, and these tables. */
function elf({ is64 = true, little = true, ...parts }: Parts): Buffer {
  const { needs = Buffer.alloc(0), strings = Buffer.from('\0libc.so.6\0V1\0'), more = [] } = parts;
  const file = Buffer.alloc(needsAt + Math.max(needs.length, 64));
  const put = (at: number, value: number, size: number): void => {
    const bytes = Buffer.alloc(8);
    if (little) bytes.writeBigUInt64LE(BigInt(value));
    else bytes.writeBigUInt64BE(BigInt(value));
    bytes.copy(file, at, little ? 0 : 8 - size, little ? size : 8);
  };
  const word = is64 ? 8 : 4;
  file.set([0x7f, 0x45, 0x4c, 0x46, is64 ? 2 : 1, little ? 1 : 2, 1]);
  put(is64 ? 32 : 28, 64, word);
  put(is64 ? 54 : 42, is64 ? 56 : 32, 2);
  put(is64 ? 56 : 44, 2, 2);
  const segments = [
    [1, 0, file.length],
    [2, dynamicAt, 0x400],
  ] as const;
  for (const [index, [type, offset, size]] of segments.entries()) {
    const at = 64 + index * (is64 ? 56 : 32);
    put(at, type, 4);
    put(at + (is64 ? 8 : 4), offset, word);
    put(at + (is64 ? 16 : 8), offset, word);
    put(at + (is64 ? 32 : 16), size, word);
  }
  const entries = [
    [1, 1],
    [5, stringsAt],
    [10, strings.length],
    [0x6ffffffe, needsAt],
    [0x6fffffff, parts.needCount ?? 1],
    ...more,
  ] as const;
  for (const [index, [tag, value]] of entries.entries()) {
    put(dynamicAt + index * 2 * word, tag, word);
    put(dynamicAt + index * 2 * word + word, value, word);
  }
  strings.copy(file, stringsAt);
  needs.copy(file, needsAt);
  return file;
}

/** One library with one version, in either byte order. */
function oneNeed(little: boolean): Buffer {
  const table = Buffer.alloc(32);
  const u16 = (value: number, at: number): unknown =>
    little ? table.writeUInt16LE(value, at) : table.writeUInt16BE(value, at);
  const u32 = (value: number, at: number): unknown =>
    little ? table.writeUInt32LE(value, at) : table.writeUInt32BE(value, at);
  u16(1, 0);
  u16(1, 2);
  u32(1, 4);
  u32(16, 8);
  u32(11, 24);
  return table;
}

describe('every class and byte order', () => {
  test.each([
    [true, true],
    [true, false],
    [false, true],
    [false, false],
  ])('64 bits: %s, little-endian: %s', (is64, little) => {
    const file = elf({ is64, little, needs: oneNeed(little) });
    expect(readDynamicNeeds(rangesOf(file))).toEqual({
      interpreter: undefined,
      needed: ['libc.so.6'],
      hasRunPath: false,
      versions: new Map([['libc.so.6', ['V1']]]),
      defines: [],
    });
  });

  test.each([15, 29])('tag %d is a run path', (tag) => {
    const file = elf({ needs: oneNeed(true), more: [[tag, 1]] });
    expect(readDynamicNeeds(rangesOf(file))?.hasRunPath).toBe(true);
  });
});

const mostMilliseconds = 2000;

function millisecondsFor(bytes: Uint8Array): number {
  const started = performance.now();
  readDynamicNeeds(rangesOf(bytes));
  return performance.now() - started;
}

describe('what is malformed never throws and never hangs', () => {
  const real = fs.readFileSync('/bin/sh');

  test('anything', () => {
    const any = fc.uint8Array({ maxLength: 300 });
    const magic = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
    fc.assert(
      fc.property(any, (bytes) => {
        expect(millisecondsFor(bytes)).toBeLessThan(mostMilliseconds);
        expect(millisecondsFor(Buffer.concat([magic, bytes]))).toBeLessThan(mostMilliseconds);
      }),
    );
  });

  test('a real program cut off anywhere', () => {
    const whole = readDynamicNeeds(rangesOf(real));
    let without = 0;
    fc.assert(
      fc.property(fc.nat(real.length), (length) => {
        const seen = readDynamicNeeds(rangesOf(real.subarray(0, length)));
        if (!seen) without += 1;
        else expect(seen.interpreter).toBe(whole?.interpreter);
      }),
    );
    expect(without).toBeGreaterThan(0);
  });

  test('a real program with bytes of its tables changed', () => {
    const change = fc.tuple(fc.nat(0x400), fc.nat(255));
    const dynamic = fc.tuple(
      fc.integer({ min: Math.floor(real.length * 0.9), max: real.length - 1 }),
      fc.nat(255),
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(change, dynamic), { maxLength: 20 }), (changes) => {
        const changed = Buffer.from(real);
        for (const [at, byte] of changes) changed[at] = byte;
        expect(millisecondsFor(changed)).toBeLessThan(mostMilliseconds);
      }),
      { numRuns: 300 },
    );
  });

  test('a made one with any tables', () => {
    const numbers = fc.oneof(fc.nat(0x3000), fc.constantFrom(0, 1, 0xffff, 0x7fffffff, 0xffffffff));
    const more = fc.array(fc.tuple(fc.constantFrom(1, 5, 10, 0x6ffffffc, 0x6ffffffd), numbers), {
      maxLength: 20,
    });
    const table = fc.uint8Array({ maxLength: 200 });
    fc.assert(
      fc.property(more, table, numbers, fc.boolean(), (entries, needs, needCount, is64) => {
        const file = elf({ is64, more: entries, needs: Buffer.from(needs), needCount });
        expect(millisecondsFor(file)).toBeLessThan(mostMilliseconds);
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    ['each the last', 0],
    ['each followed by another', 16],
  ])(
    'ten thousand libraries with as many versions, %s, by a name without an end',
    (_what, next) => {
      const [libraries, versionsAt] = [10_000, 160_000];
      const needs = Buffer.alloc(900_000);
      for (let at = 0; at < libraries * 16; at += 16) {
        needs.writeUInt16LE(0xffff, at + 2);
        needs.writeUInt32LE(versionsAt - at, at + 8);
        needs.writeUInt32LE(16, at + 12);
      }
      for (let at = versionsAt; at < needs.length; at += 16) needs.writeUInt32LE(next, at + 12);
      const strings = Buffer.alloc(4000, 'x');
      const file = elf({ needs, needCount: 0xffffffff, strings });
      expect(millisecondsFor(file)).toBeLessThan(mostMilliseconds);
      const seen = readDynamicNeeds(rangesOf(file));
      expect(seen?.versions.size).toBe(next === 0 ? 1 : undefined);
    },
  );

  test('a version that is its own successor is read once', () => {
    const needs = oneNeed(true);
    needs.writeUInt16LE(0xffff, 2);
    const seen = readDynamicNeeds(rangesOf(elf({ needs })));
    expect(seen?.versions).toEqual(new Map([['libc.so.6', ['V1']]]));
  });
});

test('only what is needed of a large file is read', () => {
  const file = fs.readFileSync(process.execPath);
  let bytes = 0;
  readDynamicNeeds((offset, length) => {
    const part = file.subarray(offset, offset + length);
    bytes += part.length;
    return part;
  });
  expect(bytes).toBeLessThan(file.length * 3);
});
