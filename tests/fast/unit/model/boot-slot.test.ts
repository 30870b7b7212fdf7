import { describe, expect, test } from '@jest/globals';
import {
  type BootSlot,
  type SlotStatements,
  parseRaucStatus,
  parseTries,
  respondToFailure,
  slotFrom,
  slotToJson,
} from '@edged/model/boot-slot';

const silent: SlotStatements = {
  loaderInfo: undefined,
  entry: undefined,
  countPath: undefined,
  commandLine: 'root=/dev/sda2 quiet',
};
const systemdBoot = { ...silent, loaderInfo: 'systemd-boot 252.39-1', entry: 'edge_2.efi' };

describe('the running slot', () => {
  test('is unknown where nobody states it: never guessed from devices', () => {
    expect(slotFrom(silent)).toEqual({ adapter: 'none', trial: 'unknown' });
    expect(slotFrom({ ...silent, loaderInfo: 'GRUB 2.06' }).adapter).toBe('none');
    expect(slotFrom({ ...silent, commandLine: 'xrauc.slot=A' }).adapter).toBe('none');
  });

  test.each([
    ['\\EFI\\Linux\\edge_2+2-1.efi', 'yes', 2, 1],
    ['\\EFI\\Linux\\edge_2+3.efi', 'yes', 3, 0],
    ['/loader/entries/edge_2+0-3.conf', 'yes', 0, 3],
    ['\\EFI\\Linux\\edge_2.efi', 'no', undefined, undefined],
    [undefined, 'no', undefined, undefined],
  ])('under systemd-boot with %s: trial %s', (countPath, trial, triesLeft, triesDone) => {
    expect(slotToJson(slotFrom({ ...systemdBoot, countPath }))).toEqual(
      JSON.parse(
        JSON.stringify({
          adapter: 'systemd-boot',
          name: 'edge_2.efi',
          trial,
          tries_left: triesLeft,
          tries_done: triesDone,
        }),
      ),
    );
  });

  test('under RAUC has a name; whether it is a trial only the service knows', () => {
    expect(slotFrom({ ...silent, commandLine: 'quiet rauc.slot=B' })).toEqual({
      adapter: 'rauc',
      name: 'B',
      trial: 'unknown',
    });
  });

  test('belongs to whoever counts, where both speak', () => {
    const both = { ...systemdBoot, commandLine: 'rauc.slot=B' };
    expect(slotFrom(both).adapter).toBe('rauc');
    expect(slotFrom({ ...both, countPath: 'edge+1-2.efi' }).adapter).toBe('systemd-boot');
  });
});

test.each([
  ['edge+3.efi', { triesLeft: 3, triesDone: 0 }],
  ['edge+0-3.EFI', { triesLeft: 0, triesDone: 3 }],
  ['a+b+2-1.conf', { triesLeft: 2, triesDone: 1 }],
  ['edge.efi', undefined],
  ['edge+.efi', undefined],
  ['edge+3', undefined],
  ['edge+3.efi.bak', undefined],
])('the counters of %s', (file, tries) => {
  expect(parseTries(file)).toEqual(tries);
});

describe('what RAUC says', () => {
  const slot = (bootname: string, state: string, boot_status: string | null): object => ({
    [`rootfs.${bootname}`]: { class: 'rootfs', bootname, state, boot_status },
  });

  test.each([
    [
      [slot('A', 'booted', 'bad'), slot('B', 'inactive', 'good')],
      ['A', false, true],
    ],
    [
      [slot('A', 'booted', 'good'), slot('B', 'inactive', 'bad')],
      ['A', true, false],
    ],
    [[slot('A', 'booted', null)], ['A', undefined, false]],
  ])('%j', (slots, [bootname, isGood, otherIsGood]) => {
    expect(parseRaucStatus({ slots })).toEqual({ bootname, isGood, otherIsGood });
  });

  test.each([null, {}, { slots: 1 }, { slots: [] }, { slots: [slot('A', 'inactive', 'good')] }])(
    'is nothing when it is %j',
    (json) => expect(parseRaucStatus(json)).toBeUndefined(),
  );
});

describe('after a failure', () => {
  const trial: BootSlot = { adapter: 'systemd-boot', trial: 'yes', triesLeft: 1, triesDone: 2 };

  test.each<[string, BootSlot, boolean, string]>([
    ['a trial with tries left is taken back', trial, false, 'reboot'],
    [
      'the last try is taken back when there is a way back',
      { ...trial, triesLeft: 0 },
      true,
      'reboot',
    ],
    ['the last try holds when there is none: no loop', { ...trial, triesLeft: 0 }, false, 'hold'],
    ['a committed slot holds', { adapter: 'systemd-boot', trial: 'no' }, true, 'hold'],
    ['without a boot loader it holds', { adapter: 'none', trial: 'unknown' }, true, 'hold'],
    ['unknown is not a trial', { adapter: 'rauc', name: 'A', trial: 'unknown' }, true, 'hold'],
    ['a trial under RAUC needs a good slot', { adapter: 'rauc', trial: 'yes' }, true, 'reboot'],
    ['and holds without one', { adapter: 'rauc', trial: 'yes' }, false, 'hold'],
  ])('%s', (_name, slot, hasWayBack, response) => {
    const { response: found, reason } = respondToFailure(slot, hasWayBack);
    expect(found).toBe(response);
    expect(reason).toMatch(/^[a-z].*[a-z]$/);
  });
});
