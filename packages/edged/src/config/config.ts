/**
 * Reads and checks the config (spec section 3, exit 1): every problem at once, each with its place.
 */
import fs from 'node:fs';
import { PrecheckError } from '@edged/model/failure';
import * as v from 'valibot';
import { type Config, configSchema } from './config-schema.ts';
import { readPlainYaml } from './plain-yaml.ts';

const limitBytes = 1024 * 1024;

/** Throws `config.*`. */
export async function readConfig(path: string): Promise<Config> {
  return parseConfig(decode(readBytes(path), path), path);
}

/** Throws `config.syntax` and `config.invalid` with every problem found. */
export async function parseConfig(text: string, file: string): Promise<Config> {
  const plain = v.safeParse(configSchema, readPlainYaml(text));
  if (plain.success) return plain.output;
  const { parseConfigText } = await import('./config-text.ts');
  const parsed = parseConfigText(text);
  const { document, problems } = parsed;
  const result = document && v.safeParse(configSchema, document.value);
  if (result?.success && problems.length === 0) return result.output;
  const { refusalOf } = await import('./config-problem.ts');
  throw refusalOf(parsed, result?.issues ?? [], file);
}

function readBytes(path: string): Buffer {
  try {
    const status = fs.statSync(path);
    const { size } = status;
    // a pipe that nobody writes to would hold the boot; one from a shell, <(...), is in /dev
    const isPipe = status.isFIFO() && path.startsWith('/dev/');
    if (!status.isFile() && !status.isDirectory() && !isPipe) {
      throw new PrecheckError('config.unreadable', { file: path, found: 'no regular file' });
    }
    if (size > limitBytes) throw tooLarge(path, size);
    const bytes = readUpTo(limitBytes + 1, path);
    if (bytes.length > limitBytes) throw tooLarge(path, bytes.length);
    return bytes;
  } catch (error) {
    if (error instanceof PrecheckError) throw error;
    const errno = (error as NodeJS.ErrnoException).code ?? 'EIO';
    throw new PrecheckError('config.unreadable', { file: path, errno }, error);
  }
}

function tooLarge(file: string, bytes: number): PrecheckError {
  return new PrecheckError('config.too_large', {
    file,
    size_bytes: bytes,
    limit_bytes: limitBytes,
  });
}

/** A pipe has no size, and may have no end. */
function readUpTo(most: number, path: string): Buffer {
  const descriptor = fs.openSync(path, 'r');
  try {
    const chunks: Buffer[] = [];
    for (let left = most; left > 0;) {
      const chunk = Buffer.alloc(Math.min(left, 65_536));
      const length = fs.readSync(descriptor, chunk);
      if (length === 0) break;
      chunks.push(chunk.subarray(0, length));
      left -= length;
    }
    return Buffer.concat(chunks);
  } finally {
    fs.closeSync(descriptor);
  }
}

function decode(bytes: Buffer, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new PrecheckError('config.not_utf8', { file: path }, error);
  }
}
