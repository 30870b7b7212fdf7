/**
 * Judges the content of one src while it is read, once: is it what the manifest names, and will it
 * run where it is going? What can be known is the machine an ELF file is for, the executable bit
 * and the mount; scripts and data are nobody's business here.
 */
import { type Digest, createHasher } from '@edged/model/digest';
import { elfHeaderBytes, judgeElf } from '@edged/model/elf';
import { PrecheckError } from '@edged/model/failure';
import type { PlannedOperation } from './install-plan.ts';

export interface PlaceToRun {
  /** As `process.arch`. */
  readonly architecture: string;
  /** The state root is on a mount that runs nothing. */
  readonly noExec: boolean;
}

export interface Verdict {
  readonly digest: Digest;
  /** Why dst cannot be run, where it looks as if it should; a finding, no refusal. */
  readonly obstacle: string | undefined;
}

const executableBits = 0o111;

/** Sees every byte of one src. Ends with `verdict` or `abandon`. */
export class SourceJudge {
  readonly #operation: PlannedOperation;
  readonly #place: PlaceToRun;
  readonly #hasher = createHasher();
  #header = new Uint8Array();

  constructor(operation: PlannedOperation, place: PlaceToRun) {
    this.#operation = operation;
    this.#place = place;
  }

  observe(chunk: Uint8Array): void {
    this.#hasher.update(chunk);
    if (this.#header.length < elfHeaderBytes) {
      this.#header = Buffer.concat([this.#header, chunk.subarray(0, elfHeaderBytes)]);
    }
  }

  abandon(): void {
    this.#hasher.abandon();
  }

  /**
   * `mode` is what dst gets. Throws `operation.hash_mismatch`, `operation.wrong_machine`, and
   * `operation.cannot_run` where the manifest asks that dst can be run.
   */
  verdict(mode: number): Verdict {
    const { index, src, expected, target } = this.#operation;
    const where = { operation: index, src };
    const found = this.#hasher.digestHex();
    if (expected !== undefined && found !== expected) {
      throw new PrecheckError('operation.hash_mismatch', { ...where, expected, found });
    }
    if (!target) return { digest: found, obstacle: undefined };
    const elf = judgeElf(this.#header, this.#place.architecture);
    if (elf === 'wrong_machine') {
      const machine = this.#place.architecture;
      throw new PrecheckError('operation.wrong_machine', { ...where, this_machine: machine });
    }
    const isProgram = target.executable || elf === 'runs_here' || this.#isScript();
    const obstacle = isProgram ? this.#obstacle(mode) : undefined;
    if (obstacle !== undefined && target.executable) {
      throw new PrecheckError('operation.cannot_run', { ...where, found: obstacle });
    }
    return { digest: found, obstacle };
  }

  #isScript(): boolean {
    return this.#header[0] === 0x23 && this.#header[1] === 0x21; // #!
  }

  #obstacle(mode: number): string | undefined {
    if (this.#place.noExec) return 'the state root is mounted noexec';
    if ((mode & executableBits) === 0) return `mode 0${mode.toString(8)} has no executable bit`;
    return undefined;
  }
}
