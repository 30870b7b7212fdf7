/**
 * Can the kernel of this machine run these bytes? Judged only for ELF files, from the first 20
 * bytes of the header (System V ABI: EI_CLASS, EI_DATA, e_machine); anything else is `not_elf`
 * and is nobody's business here.
 */

export type ElfVerdict = 'not_elf' | 'runs_here' | 'wrong_machine';

export const elfHeaderBytes = 20;

interface Machine {
  readonly bits: 32 | 64;
  readonly byteOrder: 'little' | 'big';
  readonly elfMachine: number;
}

/** By the names of `process.arch`. */
const machines: Readonly<Record<string, Machine>> = {
  x64: { bits: 64, byteOrder: 'little', elfMachine: 62 },
  arm64: { bits: 64, byteOrder: 'little', elfMachine: 183 },
  arm: { bits: 32, byteOrder: 'little', elfMachine: 40 },
  ia32: { bits: 32, byteOrder: 'little', elfMachine: 3 },
  riscv64: { bits: 64, byteOrder: 'little', elfMachine: 243 },
  loong64: { bits: 64, byteOrder: 'little', elfMachine: 258 },
  ppc64: { bits: 64, byteOrder: 'little', elfMachine: 21 },
  s390x: { bits: 64, byteOrder: 'big', elfMachine: 22 },
};

/** `architecture` unknown to the table: every ELF file passes, since nothing is known. */
export function judgeElf(header: Uint8Array, architecture: string): ElfVerdict {
  const isElf = header.length >= elfHeaderBytes && header[0] === 0x7f;
  if (!isElf || String.fromCharCode(...header.subarray(1, 4)) !== 'ELF') return 'not_elf';
  const machine = machines[architecture];
  if (!machine) return 'runs_here';
  const little = header[5] === 1;
  const view = new DataView(header.buffer, header.byteOffset, header.length);
  const same =
    header[4] === (machine.bits === 64 ? 2 : 1) &&
    little === (machine.byteOrder === 'little') &&
    view.getUint16(18, little) === machine.elfMachine;
  return same ? 'runs_here' : 'wrong_machine';
}

/** As `process.arch` names it; undefined when it is no ELF file, or of a machine not listed. */
export function architectureOf(header: Uint8Array): string | undefined {
  return Object.keys(machines).find((name) => judgeElf(header, name) === 'runs_here');
}
