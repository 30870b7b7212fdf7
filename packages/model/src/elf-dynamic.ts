/**
 * What an ELF file asks the dynamic linker for, and what a shared library has to offer: the program
 * interpreter, the needed libraries, and symbol versions on both sides (System V gABI; LSB core,
 * "Symbol Versioning"). Reads ranges of the file, since programs are large and the tables are not.
 */
import { elfHeaderBytes } from './elf.ts';

/** These bytes of the file; fewer where it ends before. */
export type ReadRange = (offset: number, length: number) => Uint8Array;

export interface DynamicNeeds {
  /** Path of the program interpreter; undefined for a library or a static program. */
  readonly interpreter: string | undefined;
  /** Names of shared libraries, such as `libc.so.6`. */
  readonly needed: readonly string[];
  /** The file names directories of its own to look in. */
  readonly hasRunPath: boolean;
  /** By library: versions that must be there, such as `GLIBC_2.34`. */
  readonly versions: ReadonlyMap<string, readonly string[]>;
  /** Versions that the file itself defines. */
  readonly defines: readonly string[];
}

const mostTableBytes = 16 * 1024 * 1024;
const mostEntries = 10_000;
/** A file or version name is shorter; where no NUL comes, no more is looked at. */
const mostNameBytes = 4096;

const loadSegment = 1;
const dynamicSegment = 2;
const interpreterSegment = 3;

const tag = {
  needed: 1,
  stringTable: 5,
  stringTableSize: 10,
  rpath: 15,
  runpath: 29,
  versionDefinitions: 0x6ffffffc,
  versionDefinitionCount: 0x6ffffffd,
  versionNeeds: 0x6ffffffe,
  versionNeedCount: 0x6fffffff,
} as const;

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

/** Undefined when it is no ELF file, or its tables contradict themselves. */
export function readDynamicNeeds(readRange: ReadRange): DynamicNeeds | undefined {
  try {
    return parse(readRange);
  } catch (error) {
    if (error instanceof RangeError) return undefined; // a table that ends before it should
    throw error;
  }
}

function parse(readRange: ReadRange): DynamicNeeds | undefined {
  const header = readRange(0, 64);
  const isElf = header.length >= elfHeaderBytes && header[0] === 0x7f && header[1] === 0x45;
  if (!isElf) return undefined;
  const format: Format = { is64: header[4] === 2, little: header[5] === 1 };
  const segments = readSegments(header, format, readRange);
  const interpreterAt = segments.find(({ type }) => type === interpreterSegment);
  const interpreter =
    interpreterAt &&
    textOf(readRange(interpreterAt.offset, Math.min(interpreterAt.size, mostNameBytes)));
  const dynamic = segments.find(({ type }) => type === dynamicSegment);
  const none = { needed: [], hasRunPath: false, versions: new Map(), defines: [] };
  if (!dynamic) return { interpreter, ...none };
  const entries = readDynamic(dynamic, format, readRange);
  const value = (wanted: number): number | undefined =>
    entries.find(([found]) => found === wanted)?.[1];
  const offsetOf = (address: number | undefined): number | undefined => {
    if (address === undefined) return undefined;
    const load = segments.find(
      ({ type, address: start, size }) =>
        type === loadSegment && address >= start && address < start + size,
    );
    return load && load.offset + address - load.address;
  };
  const stringsAt = offsetOf(value(tag.stringTable));
  if (stringsAt === undefined) return undefined;
  const stringBytes = Math.min(value(tag.stringTableSize) ?? 0, mostTableBytes);
  const strings = readRange(stringsAt, stringBytes);
  const name = (at: number): string => textOf(strings.subarray(at, at + mostNameBytes));
  const table = (at: number | undefined): View | undefined => {
    const offset = offsetOf(at);
    return offset === undefined ? undefined : viewOf(readRange(offset, 1024 * 1024), format);
  };
  const needs = table(value(tag.versionNeeds));
  const defines = table(value(tag.versionDefinitions));
  return {
    interpreter,
    needed: entries
      .filter(([found]) => found === tag.needed)
      .slice(0, mostEntries)
      .map(([, at]) => name(at)),
    hasRunPath: value(tag.rpath) !== undefined || value(tag.runpath) !== undefined,
    versions: needs ? readNeeds(needs, value(tag.versionNeedCount) ?? 0, name) : new Map(),
    defines: defines ? readDefinitions(defines, value(tag.versionDefinitionCount) ?? 0, name) : [],
  };
}

interface Format {
  readonly is64: boolean;
  readonly little: boolean;
}

/** Numbers at offsets. Throws `RangeError` past the end. */
interface View {
  readonly u16: (at: number) => number;
  readonly u32: (at: number) => number;
  /** A word of the file's class. */
  readonly word: (at: number) => number;
}

function viewOf(bytes: Uint8Array, { is64, little }: Format): View {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const u32 = (at: number): number => view.getUint32(at, little);
  return {
    u16: (at) => view.getUint16(at, little),
    u32,
    word: is64 ? (at) => Number(view.getBigUint64(at, little)) : u32,
  };
}

function readSegments(header: Uint8Array, format: Format, readRange: ReadRange): Segment[] {
  const view = viewOf(header, format);
  const { is64 } = format;
  const tableAt = view.word(is64 ? 32 : 28);
  const entryBytes = view.u16(is64 ? 54 : 42);
  const count = view.u16(is64 ? 56 : 44);
  const table = viewOf(readRange(tableAt, entryBytes * count), format);
  return Array.from({ length: count }, (_, index) => {
    const at = index * entryBytes;
    return {
      type: table.u32(at),
      offset: table.word(at + (is64 ? 8 : 4)),
      address: table.word(at + (is64 ? 16 : 8)),
      size: table.word(at + (is64 ? 32 : 16)),
    };
  });
}

function readDynamic(
  { offset, size }: Segment,
  format: Format,
  readRange: ReadRange,
): (readonly [tag: number, value: number])[] {
  const wordBytes = format.is64 ? 8 : 4;
  const view = viewOf(readRange(offset, Math.min(size, mostTableBytes)), format);
  const entries: (readonly [number, number])[] = [];
  for (let at = 0; at + 2 * wordBytes <= size; at += 2 * wordBytes) {
    const found = view.word(at);
    if (found === 0) break;
    entries.push([found, view.word(at + wordBytes)]);
  }
  return entries;
}

function readNeeds(
  view: View,
  count: number,
  name: (at: number) => string,
): ReadonlyMap<string, readonly string[]> {
  const needs = new Map<string, readonly string[]>();
  let seen = 0;
  for (let at = 0, left = Math.min(count, mostEntries); left > 0; left -= 1) {
    const versions: string[] = [];
    let aux = at + view.u32(at + 8);
    for (let inside = view.u16(at + 2); inside > 0; inside -= 1) {
      if (++seen > mostEntries) throw new RangeError('more versions than any file has');
      versions.push(name(view.u32(aux + 8)));
      const next = view.u32(aux + 12);
      if (next === 0) break;
      aux += next;
    }
    needs.set(name(view.u32(at + 4)), versions);
    const next = view.u32(at + 12);
    if (next === 0) break;
    at += next;
  }
  return needs;
}

function readDefinitions(view: View, count: number, name: (at: number) => string): string[] {
  const versions: string[] = [];
  for (let at = 0, left = Math.min(count, mostEntries); left > 0; left -= 1) {
    versions.push(name(view.u32(at + view.u32(at + 12))));
    const next = view.u32(at + 16);
    if (next === 0) break;
    at += next;
  }
  return versions;
}

/** Up to the NUL. */
function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder('latin1').decode(end < 0 ? bytes : bytes.subarray(0, end));
}
