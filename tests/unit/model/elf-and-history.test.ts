import { describe, expect, test } from '@jest/globals';
import { parseBootEpoch } from '@edged/model/boot-epoch';
import { judgeElf } from '@edged/model/elf';
import {
  newestEntry,
  parseEpochHistory,
  serializeEpochHistory,
  withEpoch,
} from '@edged/model/epoch-history';

function elf(bits: 1 | 2, order: 1 | 2, machine: number): Buffer {
  const header = Buffer.alloc(64);
  header.set([0x7f, 0x45, 0x4c, 0x46, bits, order, 1]);
  if (order === 1) header.writeUInt16LE(machine, 18);
  else header.writeUInt16BE(machine, 18);
  return header;
}

describe('judgeElf', () => {
  test.each([
    ['x86-64 on x64', elf(2, 1, 62), 'x64', 'runs_here'],
    ['arm64 on arm64', elf(2, 1, 183), 'arm64', 'runs_here'],
    ['s390x on s390x', elf(2, 2, 22), 's390x', 'runs_here'],
    ['arm64 on x64', elf(2, 1, 183), 'x64', 'wrong_machine'],
    ['32 bits on x64', elf(1, 1, 3), 'x64', 'wrong_machine'],
    ['wrong byte order', elf(2, 2, 62), 'x64', 'wrong_machine'],
    ['a machine nobody knows', elf(2, 1, 62), 'pdp11', 'runs_here'],
    ['a script', Buffer.from('#!/bin/sh\necho a long enough script\n'), 'x64', 'not_elf'],
    ['a header cut short', elf(2, 1, 183).subarray(0, 19), 'x64', 'not_elf'],
    ['nothing', Buffer.alloc(0), 'x64', 'not_elf'],
  ] as const)('%s', (_what, bytes, architecture, verdict) => {
    expect(judgeElf(bytes, architecture)).toBe(verdict);
  });

  test('this very process runs here', async () => {
    const { readFileSync } = await import('node:fs');
    expect(judgeElf(readFileSync(process.execPath).subarray(0, 64), process.arch)).toBe(
      'runs_here',
    );
  });
});

describe('the history of epochs', () => {
  const entry = (epoch: number) => {
    const bootEpoch = parseBootEpoch(epoch);
    if (bootEpoch === undefined) throw new Error('no epoch');
    return { bootEpoch, compositeHash: `hash ${epoch}`, beganAt: '2027-01-01T00:00:00Z' };
  };

  test('is written and read back', () => {
    const history = withEpoch(withEpoch([], entry(0)), entry(1));
    expect(parseEpochHistory(serializeEpochHistory(history))).toEqual(history);
  });

  test('enters an epoch once, and never goes back', () => {
    const history = withEpoch(withEpoch(withEpoch([], entry(0)), entry(1)), entry(1));
    expect(history.map(({ bootEpoch }) => bootEpoch)).toEqual([0, 1]);
  });

  test('stays bounded and keeps the newest', () => {
    let history = withEpoch([], entry(0));
    for (let epoch = 1; epoch < 1000; epoch += 1) history = withEpoch(history, entry(epoch));
    expect(history.length).toBeLessThanOrEqual(256);
    expect(newestEntry(history)?.bootEpoch).toBe(999);
  });

  test('leaves out what cannot be read', () => {
    const text = '{"epochs":[{"boot_epoch":1,"composite_hash":"a"},{"boot_epoch":-1},7,null]}';
    expect(parseEpochHistory(Buffer.from(text))).toHaveLength(1);
    expect(parseEpochHistory(Buffer.from('{"epochs":7}'))).toBeUndefined();
  });
});
