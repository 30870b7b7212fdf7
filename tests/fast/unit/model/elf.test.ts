import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { architectureOf, elfHeaderBytes, judgeElf } from '@edged/model/elf';
import fc from 'fast-check';

type Word = 1 | 2;

/** A header of 64 bytes: class 1 is 32 bits, 2 is 64; order 1 is little-endian, 2 is big. */
function elf(bits: Word, order: Word, machine: number): Buffer {
  const header = Buffer.alloc(64);
  header.set([0x7f, 0x45, 0x4c, 0x46, bits, order, 1]);
  if (order === 1) header.writeUInt16LE(machine, 18);
  else header.writeUInt16BE(machine, 18);
  return header;
}

/** Class, order and e_machine of the System V ABI, by the names of `process.arch`. */
const machines: readonly (readonly [string, Word, Word, number])[] = [
  ['x64', 2, 1, 62],
  ['arm64', 2, 1, 183],
  ['arm', 1, 1, 40],
  ['ia32', 1, 1, 3],
  ['riscv64', 2, 1, 243],
  ['loong64', 2, 1, 258],
  ['ppc64', 2, 1, 21],
  ['s390x', 2, 2, 22],
];

describe.each(machines)('an executable for %s', (name, bits, order, machine) => {
  const header = elf(bits, order, machine);

  test('runs there, and nowhere else', () => {
    for (const [other] of machines) {
      expect(judgeElf(header, other)).toBe(other === name ? 'runs_here' : 'wrong_machine');
    }
  });

  test('does not run there in another class, byte order or machine', () => {
    expect(judgeElf(elf(bits === 1 ? 2 : 1, order, machine), name)).toBe('wrong_machine');
    expect(judgeElf(elf(bits, order === 1 ? 2 : 1, machine), name)).toBe('wrong_machine');
    expect(judgeElf(elf(bits, order, machine + 1), name)).toBe('wrong_machine');
  });

  test('is known by its header', () => {
    expect(architectureOf(header)).toBe(name);
    expect(architectureOf(elf(bits, order, 0xfeed))).toBeUndefined();
  });

  test('is judged by its first 20 bytes, wherever they lie in memory', () => {
    const padded = Buffer.concat([Buffer.from('odd'), header.subarray(0, elfHeaderBytes)]);
    expect(judgeElf(padded.subarray(3), name)).toBe('runs_here');
  });
});

test.each(['pdp11', '', 'mips'])('on the unknown machine %j every ELF file passes', (name) => {
  expect(judgeElf(elf(2, 1, 62), name)).toBe('runs_here');
});

test('this very process runs here', () => {
  const header = readFileSync(process.execPath).subarray(0, 64);
  expect(judgeElf(header, process.arch)).toBe('runs_here');
  expect(architectureOf(header)).toBe(process.arch);
});

describe('no ELF file', () => {
  test.each([
    ['a script', Buffer.from('#!/bin/sh\necho a long enough script\n')],
    ['a header cut at 19 bytes', elf(2, 1, 183).subarray(0, elfHeaderBytes - 1)],
    ['the four magic bytes alone', elf(2, 1, 183).subarray(0, 4)],
    ['nothing', Buffer.alloc(0)],
    ['zeros', Buffer.alloc(64)],
    ['another first byte', Buffer.concat([Buffer.from([0x7e]), elf(2, 1, 183).subarray(1)])],
    ['lower-case magic', Buffer.from(`\u007felf${'\u0001'.repeat(60)}`)],
  ])('is %s', (_what, bytes) => {
    expect(judgeElf(bytes, 'x64')).toBe('not_elf');
    expect(architectureOf(bytes)).toBeUndefined();
  });

  test('is anything that does not begin with the magic bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const magic = Buffer.from(bytes.subarray(0, 4)).toString('latin1') === '\u007fELF';
        fc.pre(!magic);
        expect(judgeElf(bytes, 'x64')).toBe('not_elf');
      }),
    );
  });
});
