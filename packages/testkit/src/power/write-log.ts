/**
 * The log of a block device, as QEMU's `blklogwrites` writes it: the format of Linux'
 * dm-log-writes (Documentation/admin-guide/device-mapper/log-writes.rst), 512-byte sectors.
 */
import fs from 'node:fs';

export interface LogEntry {
  readonly sector: number;
  /** Undefined for flushes and discards. */
  readonly data: Uint8Array | undefined;
  readonly flush: boolean;
  /** Durable by itself when it is done (force unit access). */
  readonly forced: boolean;
  readonly discardedBytes: number;
}

export const sectorBytes = 512;

const magic = 0x6a736677736872n;
const [flushFlag, forcedFlag, discardFlag] = [1n, 2n, 4n];

export function readWriteLog(file: string): LogEntry[] {
  const log = fs.readFileSync(file);
  if (log.readBigUInt64LE(0) !== magic) throw new Error(`${file} is no write log`);
  const count = Number(log.readBigUInt64LE(16));
  const size = log.readUInt32LE(24);
  if (size !== sectorBytes) throw new Error(`${file} has sectors of ${size} bytes`);
  const entries: LogEntry[] = [];
  let offset = sectorBytes;
  for (let index = 0; index < count; index += 1) {
    const sector = Number(log.readBigUInt64LE(offset));
    const length = Number(log.readBigUInt64LE(offset + 8)) * sectorBytes;
    const flags = log.readBigUInt64LE(offset + 16);
    offset += sectorBytes;
    const isDiscard = (flags & discardFlag) !== 0n;
    const hasData = !isDiscard && length > 0;
    entries.push({
      sector,
      data: hasData ? log.subarray(offset, offset + length) : undefined,
      flush: (flags & flushFlag) !== 0n,
      forced: (flags & forcedFlag) !== 0n,
      discardedBytes: isDiscard ? length : 0,
    });
    if (hasData) offset += length;
  }
  return entries;
}

/** Writes what an entry wrote. */
export function applyEntry(fd: number, { sector, data, discardedBytes }: LogEntry): void {
  const position = sector * sectorBytes;
  if (data) fs.writeSync(fd, data, 0, data.length, position);
  if (discardedBytes > 0)
    fs.writeSync(fd, new Uint8Array(discardedBytes), 0, discardedBytes, position);
}
