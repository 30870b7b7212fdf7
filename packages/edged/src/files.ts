/** Files that the commands of an engineer read and write: keys, manifests, configs. */
import fs from 'node:fs';
import path from 'node:path';
import { PrecheckError } from '@edged/model/failure';
import type { TemplateEntry } from './template.ts';

/** Throws `config.input_unusable`. */
export function readInput(file: string, limitBytes: number): Buffer {
  try {
    const { size } = fs.statSync(file);
    if (size > limitBytes) {
      throw new PrecheckError('config.input_unusable', {
        file,
        size_bytes: size,
        limit_bytes: limitBytes,
      });
    }
    return fs.readFileSync(file);
  } catch (error) {
    throw asInputFailure(error, file);
  }
}

/** All of it. */
export function readStandardInput(): string {
  return fs.readFileSync(0, 'utf8');
}

/** Throws `config.output_exists` where anything is, a symlink to nowhere included. */
export function requireAbsent(file: string): void {
  const found = writing(file, () => fs.lstatSync(file, { throwIfNoEntry: false }));
  if (found) throw new PrecheckError('config.output_exists', { file });
}

/** A new file, whole or not at all, with this mode whatever the umask; `config.output_exists`. */
export function writeNewFile(file: string, bytes: Uint8Array, mode: number): void {
  writing(file, () => {
    const descriptor = fs.openSync(file, 'wx', mode);
    try {
      fs.writeFileSync(descriptor, bytes, { flush: true });
      fs.fchmodSync(descriptor, mode);
    } catch (error) {
      fs.rmSync(file, { force: true });
      throw error;
    } finally {
      fs.closeSync(descriptor);
    }
  });
}

/** The whole file or the old one, never a part. */
export function replaceOutput(file: string, bytes: Uint8Array, mode: number): void {
  const staging = `${file}.${process.pid}.tmp`;
  writing(file, () => {
    try {
      fs.rmSync(staging, { force: true }); // of an earlier process with our number
      fs.writeFileSync(staging, bytes, { flag: 'wx', mode, flush: true });
      fs.chmodSync(staging, mode); // whatever the umask: others are to read it
      fs.renameSync(staging, file);
    } catch (error) {
      fs.rmSync(staging, { force: true });
      throw error;
    }
  });
}

/** Absent is fine. */
export function removeOutput(file: string): void {
  writing(file, () => fs.rmSync(file, { force: true }));
}

/** Makes what is missing of a tree; never touches what is there. Gives the paths it made. */
export function fillIn(entries: readonly TemplateEntry[], to: string): string[] {
  const made: string[] = [];
  for (const { name, text } of entries) {
    const target = path.join(to, name);
    if (text === undefined) {
      if (makeDirectory(target, 0o755)) made.push(`${target}/`);
    } else if (!fs.existsSync(target)) {
      writeNewFile(target, Buffer.from(text), 0o644);
      made.push(target);
    }
  }
  return made;
}

/**
 * True when it was not there. It and its missing parents get this mode whatever the umask, each
 * before the next is made in it; without a mode, what the umask leaves of 0755.
 */
export function makeDirectory(directory: string, mode?: number): boolean {
  return writing(directory, () => {
    if (mode === undefined) {
      return fs.mkdirSync(directory, { recursive: true, mode: 0o755 }) !== undefined;
    }
    const missing = missingParts(path.resolve(directory));
    for (const part of missing) {
      fs.mkdirSync(part, { mode: 0o755 });
      setDirectoryMode(part, mode);
    }
    if (missing.length === 0) fs.mkdirSync(directory, { recursive: true }); // refuses what is none
    return missing.length > 0;
  });
}

/** Of this absolute path, what is not there, outermost first. */
function missingParts(directory: string): string[] {
  const missing: string[] = [];
  for (let part = directory; !fs.existsSync(part); part = path.dirname(part)) missing.unshift(part);
  return missing;
}

/** Of the directory itself, should a symlink have taken its place meanwhile. */
function setDirectoryMode(directory: string, mode: number): void {
  const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = fs.constants;
  const descriptor = fs.openSync(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    fs.fchmodSync(descriptor, mode);
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Throws `config.output_*`, with the name that the user knows. */
export function writing<Result>(file: string, write: () => Result): Result {
  try {
    return write();
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code;
    if (errno === 'EEXIST') throw new PrecheckError('config.output_exists', { file }, error);
    if (errno === undefined) throw error;
    throw new PrecheckError('config.output_unusable', { file, errno }, error);
  }
}

function asInputFailure(error: unknown, file: string): unknown {
  const errno = (error as NodeJS.ErrnoException).code;
  if (error instanceof PrecheckError || errno === undefined) return error;
  return new PrecheckError('config.input_unusable', { file, errno }, error);
}
