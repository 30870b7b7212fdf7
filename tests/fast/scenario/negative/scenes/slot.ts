/** Gate slot: committing a slot, and taking a trial back. */
import path from 'node:path';
import { linuxHost } from '@edged/host/linux-host';
import { bless } from '@edged/precheck/slot/bless';
import { carryOutResponse, judgeFailure } from '@edged/precheck/slot/failure-response';
import { runCommand, skipMountCheck } from '@edged/testkit/device/built-command';
import type { TestDevice } from '@edged/testkit/device/device';
import { FakeTools, withLoader } from '@edged/testkit/device/slot-machine';
import type { Scenes } from './scene.ts';

/** What precheck leaves under systemd. */
function passPrecheck(device: TestDevice): void {
  const environment = { ...skipMountCheck, RUNTIME_DIRECTORY: device.directory };
  const { exitCode, stderr } = runCommand(['precheck', '--config', device.config], { environment });
  if (exitCode !== 0) throw new Error(stderr);
}

const resultOf = (device: TestDevice): string => path.join(device.directory, 'precheck.json');

const blessCommand =
  (...args: string[]) =>
  (device: TestDevice): string[] => [
    'bless',
    '--config',
    device.config,
    '--result',
    resultOf(device),
    ...'--window-seconds 0.1 --interval-seconds 0.02 --timeout-seconds 0.2'.split(' '),
    ...args,
  ];

/** Where the agent is found healthy, however busy the machine is. */
const patiently = ['--timeout-seconds', '60'];

export const slotScenes: Scenes = {
  'slot.precheck_not_passed': [
    { name: 'precheck has left no result', command: blessCommand('--health-command', '/bin/true') },
    {
      name: 'precheck refused',
      arrange: (device) => {
        device.write('precheck.json', '{"result":"refused","exit_code":5}');
      },
      command: blessCommand('--health-command', '/bin/true'),
    },
    {
      name: 'the result is of another boot',
      arrange: (device) => {
        passPrecheck(device);
        const result = device.read('precheck.json').replace(/"boot_id": "/, '$&0');
        device.write('precheck.json', result);
      },
      command: blessCommand('--health-command', '/bin/true'),
    },
    {
      name: 'the result says so, but the records do not',
      arrange: (device) => {
        passPrecheck(device);
        device.editFingerprint({ composite_hash: 'ffff0000' });
      },
      command: blessCommand('--health-command', '/bin/true', ...patiently),
    },
  ],
  'slot.agent_unhealthy': [
    {
      name: 'the program says so',
      arrange: passPrecheck,
      command: blessCommand('--health-command', '/bin/false'),
    },
    {
      name: 'nobody answers',
      arrange: passPrecheck,
      command: blessCommand('--health-url', 'http://127.0.0.1:9/health'),
    },
    {
      name: 'one of several fails',
      arrange: passPrecheck,
      command: blessCommand('--health-command', '/bin/true', '--health-url', 'http://127.0.0.1:9'),
    },
  ],
  'slot.not_marked': [
    {
      name: 'the tool of the boot loader is not there',
      arrange: passPrecheck,
      act: async (device) => {
        const countPath = '\\EFI\\Linux\\edge+2-1.efi';
        const host = withLoader(linuxHost(), { systemdBoot: { entry: 'edge.efi', countPath } });
        const always = { url: undefined, unit: undefined, command: '/bin/true' };
        const at = { windowMilliseconds: 0, intervalMilliseconds: 1, timeoutMilliseconds: 1 };
        const stateRoot = {
          path: device.stateRoot,
          skipMountCheck: true,
          allowRootFilesystem: false,
          lockWaitMilliseconds: 0,
        };
        const order = { stateRoot, resultFile: resultOf(device), health: { ...always, ...at } };
        await bless(order, host, new FakeTools({ '/bin/true': {} }), () => undefined);
      },
    },
  ],
  'slot.reboot_failed': [
    {
      name: 'systemd does not answer',
      act: async (device) => {
        const countPath = '\\EFI\\Linux\\edge+2-1.efi';
        const host = withLoader(linuxHost(), { systemdBoot: { entry: 'edge.efi', countPath } });
        const tools = new FakeTools({});
        const order = { resultFile: resultOf(device), delayMilliseconds: 0 };
        const judged = await judgeFailure(order.resultFile, host, tools);
        await carryOutResponse(judged, order, host, tools, () => undefined);
      },
    },
  ],
};
