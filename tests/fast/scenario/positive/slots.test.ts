/** Trial boots, blessing and rollback, with a boot loader and tools that say what the test says. */
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Host } from '@edged/host/host';
import { linuxHost } from '@edged/host/linux-host';
import { tryLinuxLock } from '@edged/host/linux-lock';
import { linuxTools } from '@edged/host/linux-tools';
import { type HealthOrder, bless } from '@edged/precheck/slot/bless';
import { carryOutResponse, judgeFailure } from '@edged/precheck/slot/failure-response';
import { runCommand, skipMountCheck } from '@edged/testkit/device/built-command';
import { type TestDevice, withDevice } from '@edged/testkit/device/device';
import { FakeTools, type Loader, withLoader } from '@edged/testkit/device/slot-machine';

const trial: Loader = {
  systemdBoot: { entry: 'edge_2+2-1.efi', countPath: '\\EFI\\Linux\\edge_2+2-1.efi' },
};
const lastTry: Loader = {
  systemdBoot: { entry: 'edge_2+1-2.efi', countPath: '\\EFI\\Linux\\edge_2+0-3.efi' },
};
const committed: Loader = { systemdBoot: { entry: 'edge_1.efi' } };
const blessTool = '/usr/lib/systemd/systemd-bless-boot good';

const health: HealthOrder = {
  url: undefined,
  unit: undefined,
  command: '/bin/healthy',
  windowMilliseconds: 0,
  intervalMilliseconds: 1,
  timeoutMilliseconds: 200,
};

/** A boot whose precheck succeeded; the machine around it. */
async function boot(device: TestDevice, loader: Loader): Promise<Host> {
  const { exitCode, logLines } = await device.boot({
    wrapHost: (host) => withLoader(host, loader),
  });
  expect({ exitCode, logLines }).toMatchObject({ exitCode: 0 });
  const host = withLoader(linuxHost(), loader);
  const result = {
    result: 'passed',
    exit_code: 0,
    boot_id: host.system.bootId(),
    composite_hash: device.fingerprint()['composite_hash'],
    state_root: device.stateRoot,
  };
  device.write('precheck.json', JSON.stringify(result));
  return host;
}

async function blessed(
  device: TestDevice,
  host: Host,
  tools: FakeTools,
  how: Partial<HealthOrder> = {},
): Promise<string[]> {
  const said: string[] = [];
  const stateRoot = {
    path: device.stateRoot,
    skipMountCheck: true,
    allowRootFilesystem: false,
    lockWaitMilliseconds: 0,
  };
  const resultFile = path.join(device.directory, 'precheck.json');
  const order = { stateRoot, resultFile, health: { ...health, ...how } };
  await bless(order, host, tools, (name) => said.push(name));
  return said.filter((name) => name.startsWith('edge.slot.'));
}

const committedEpoch = (device: TestDevice): unknown =>
  (
    device.readJson('state-root/epoch/committed/evidence.json')['os_fingerprint'] as Record<
      string,
      unknown
    >
  )['boot_epoch'];

describe('bless', () => {
  test('tells the boot loader, then keeps the evidence; a failed trial cannot push it out', () =>
    withDevice(async (device) => {
      const tools = new FakeTools({ '/bin/healthy': {}, [blessTool]: {} });
      const said = await blessed(device, await boot(device, trial), tools);
      expect(said).toEqual(['edge.slot.blessed', 'edge.slot.evidence_committed']);
      expect(tools.commands.at(-1)).toBe(blessTool);
      expect(committedEpoch(device)).toBe(0);
      expect(device.evidence('current')['slot']).toEqual({
        adapter: 'systemd-boot',
        name: 'edge_2+2-1.efi',
        trial: 'yes',
        tries_left: 2,
        tries_done: 1,
      });

      for (const [epoch, name] of [
        [1, '2.0'],
        [2, '3.0'],
      ] as const) {
        device.flash({ name, kernelRelease: '6.1.0-1' });
        await boot(device, trial); // never blessed
        expect(device.bootEpoch()).toBe(epoch);
      }
      expect([device.evidenceEpoch('current'), device.evidenceEpoch('previous')]).toEqual([2, 1]);
      expect(committedEpoch(device)).toBe(0);

      device.flash({ name: '1.0', kernelRelease: '6.1.0-1' });
      const back = await boot(device, committed);
      expect(device.evidence('current')['kind']).toBe('os_rolled_back');
      expect(await blessed(device, back, tools)).toEqual(['edge.slot.evidence_committed']);
      expect(committedEpoch(device)).toBe(3);
    }));

  test('again changes nothing, and a committed slot needs no telling', () =>
    withDevice(async (device) => {
      const tools = new FakeTools({ '/bin/healthy': {} });
      const host = await boot(device, committed);
      expect(await blessed(device, host, tools)).toEqual(['edge.slot.evidence_committed']);
      const before = device.modificationTimes();
      expect(await blessed(device, host, tools)).toEqual([]);
      expect(device.modificationTimes()).toEqual(before);
      expect(tools.commands).toEqual(['/bin/healthy', '/bin/healthy']);
    }));

  test('under RAUC marks the slot whose state the service calls bad', () =>
    withDevice(async (device) => {
      const slots = [{ a: { bootname: 'B', state: 'booted', boot_status: 'bad' } }];
      const tools = new FakeTools({
        '/bin/healthy': {},
        'rauc status --output-format=json': { stdout: JSON.stringify({ slots }) },
        'rauc status mark-good': {},
      });
      const host = await boot(device, { commandLine: 'rauc.slot=B', raucBootloader: 'efi' });
      expect(await blessed(device, host, tools)).toContain('edge.slot.blessed');
      expect(tools.commands.at(-1)).toBe('rauc status mark-good');
    }));

  test.each(['efi', 'uboot'])(
    'under RAUC with %s marks a slot that is called good as well: its tries may count',
    (raucBootloader) =>
      withDevice(async (device) => {
        const slots = [{ a: { bootname: 'B', state: 'booted', boot_status: 'good' } }];
        const tools = new FakeTools({
          '/bin/healthy': {},
          'rauc status --output-format=json': { stdout: JSON.stringify({ slots }) },
          'rauc status mark-good': {},
        });
        const host = await boot(device, { commandLine: 'rauc.slot=B', raucBootloader });
        await blessed(device, host, tools);
        expect(tools.commands).toContain('rauc status mark-good');
      }),
  );

  test('the boot loader is told only when the records are in order and nobody else is at work', () =>
    withDevice(async (device) => {
      const tools = new FakeTools({ '/bin/healthy': {}, [blessTool]: {} });
      const host = await boot(device, trial);
      const held = tryLinuxLock(device.stateRoot, '.precheck.lock');
      await expect(blessed(device, host, tools)).rejects.toMatchObject({ gate: 'slot' });
      held?.release();
      device.editFingerprint({ composite_hash: 'ffff0000' });
      await expect(blessed(device, host, tools)).rejects.toMatchObject({ gate: 'slot' });
      expect(tools.commands).not.toContain(blessTool);
    }));

  test('a precheck that was run again meanwhile, and refused, is not passed over', () =>
    withDevice(async (device) => {
      const host = await boot(device, trial);
      const tools = new FakeTools({
        '/bin/healthy': {
          get exitCode() {
            device.write('precheck.json', '{"result":"refused","exit_code":3}');
            return 0;
          },
        },
      });
      await expect(blessed(device, host, tools)).rejects.toMatchObject({
        code: 'slot.precheck_not_passed',
      });
    }));

  test('a break begins the window anew; a restarted unit is a break', () =>
    withDevice(async (device) => {
      const host = await boot(device, committed);
      let looks = 0;
      const run = (): string => {
        looks += 1;
        return `ActiveState=${looks === 3 ? 'failed' : 'active'}\nInvocationID=${looks > 5 ? 2 : 1}\n`;
      };
      const tools = new FakeTools({
        systemctl: {
          get stdout() {
            return run();
          },
        },
      });
      const clock = { ...host.clock, monotonicNanoseconds: () => BigInt(looks) * 1_000_000_000n };
      const window = { windowMilliseconds: 3000, timeoutMilliseconds: 60_000 };
      const how = { ...window, command: undefined, unit: 'edged.service' };
      await blessed(device, { ...host, clock }, tools, how);
      expect(looks).toBe(9); // down at 3, another run from 6 on, three seconds more
    }));
});

describe('after a failure', () => {
  async function respond(
    device: TestDevice,
    loader: Loader,
    answers = {},
  ): Promise<[string[], FakeTools]> {
    const said: string[] = [];
    const tools = new FakeTools({ 'systemctl reboot': {}, ...answers });
    const order = { resultFile: path.join(device.directory, 'none'), delayMilliseconds: 0 };
    const host = withLoader(linuxHost(), { bootFiles: {}, ...loader });
    const judged = await judgeFailure(order.resultFile, host, tools);
    await carryOutResponse(judged, order, host, tools, (name, attributes) =>
      said.push(`${name} ${String(attributes?.['found'])}`),
    );
    return [said, tools];
  }

  test.each<[string, Loader, object, string]>([
    ['a trial reboots', trial, {}, 'edge.slot.rolling_back this boot is a trial'],
    ['a committed slot holds', committed, {}, 'edge.slot.held this slot is committed'],
    [
      'the last try reboots when another entry is good',
      { ...lastTry, bootFiles: { '/efi/EFI/Linux': ['edge_2+0-3.efi', 'edge_1.efi'] } },
      {},
      'edge.slot.rolling_back this boot is a trial',
    ],
    [
      'a slot that was blessed since power-on is committed',
      { ...trial, bootFiles: { '/efi/EFI/Linux': ['edge_2.efi'] } },
      {},
      'edge.slot.held this slot is committed',
    ],
    [
      'tries that were used up before this boot hold: the loader has found nothing better',
      {
        systemdBoot: { entry: 'edge_2+0-3.efi', countPath: '\\EFI\\Linux\\edge_2+0-3.efi' },
        bootFiles: { '/efi/EFI/Linux': ['edge_2+0-3.efi', 'memtest.efi'] },
      },
      {},
      'edge.slot.held the boot loader has no other slot to start',
    ],
    [
      'under RAUC on U-Boot a slot called bad is no trial',
      { commandLine: 'rauc.slot=B', raucBootloader: 'uboot' },
      {
        'rauc status': {
          stdout: '{"slots":[{"a":{"bootname":"B","state":"booted","boot_status":"bad"}}]}',
        },
      },
      'edge.slot.held the boot loader does not say whether this is a trial',
    ],
    [
      'firmware that cannot be read states nothing',
      { ...trial, brokenFirmware: true },
      {},
      'edge.slot.held no boot loader says that this boot is a trial',
    ],
    [
      'the last try holds when every other entry is used up',
      { ...lastTry, bootFiles: { '/efi/EFI/Linux': ['edge_2+0-3.efi', 'edge_1+0-3.efi'] } },
      {},
      'edge.slot.held no other slot could be started',
    ],
    [
      'the last try reboots into an entry of type 1 beside it',
      { ...lastTry, bootFiles: { '/boot/loader/entries': ['edge_1.conf'] } },
      {},
      'edge.slot.rolling_back this boot is a trial',
    ],
    [
      'the last try holds when no boot partition can be looked at',
      lastTry,
      {},
      'edge.slot.held no other slot could be started',
    ],
  ])('%s', (_name, loader, answers, expected) =>
    withDevice(async (device) => {
      const [said, tools] = await respond(device, loader, answers);
      expect(said).toEqual([expected]);
      const reboots = tools.commands.filter((command) => command.startsWith('systemctl reboot'));
      expect(reboots).toHaveLength(expected.includes('rolling_back') ? 1 : 0);
    }),
  );

  test('a rauc that hangs, and ignores every signal, does not hold the answer', () =>
    withDevice(async (device) => {
      device.write('hangs', "#!/bin/sh\ntrap '' TERM INT HUP\nwhile :; do sleep 1; done\n", 0o755);
      const hanging = {
        ...linuxTools,
        run: () => linuxTools.run(path.join(device.directory, 'hangs'), [], 300),
      };
      const host = withLoader(linuxHost(), { commandLine: 'rauc.slot=B', raucBootloader: 'efi' });
      const started = Date.now();
      const judged = await judgeFailure(path.join(device.directory, 'none'), host, hanging);
      expect(Date.now() - started).toBeLessThan(10_000);
      expect(judged).toMatchObject({ response: 'hold', slot: { adapter: 'rauc' } });
    }));

  test('the operator reads on the console why, and what to type', () =>
    withDevice((device) => {
      const environment = { ...skipMountCheck, RUNTIME_DIRECTORY: device.directory };
      device.editConfig((text) => text.replace('fraction: 0.8', 'fraction: 8'));
      runCommand(['precheck', '--config', device.config], { environment });
      const result = path.join(device.directory, 'precheck.json');
      const { exitCode, stdout, stderr } = runCommand(['failed', '--result', result]);
      expect(exitCode).toBe(0);
      expect(stdout).toContain('precheck: config is invalid (config.invalid, exit 1)');
      expect(stdout).toContain('eviction_threshold_fraction');
      expect(stdout).toContain('systemctl restart edged-precheck');
      expect(stdout).toContain('Nothing is rebooted');
      expect(stderr).toContain('msg="edge.slot.held"');
      const none = runCommand(['failed', '--result', '/nowhere/precheck.json']);
      expect(none.stdout).toContain('Precheck left no verdict');
    }));
});
