/** `edged bless`, asked of agents and tools that lie, hang, or sit behind a proxy. */
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  type CommandResult,
  runCommand,
  skipMountCheck,
} from '@edged/testkit/device/built-command';
import { type TestDevice, withDevice } from '@edged/testkit/device/device';
import { testWith } from '@edged/testkit/needs';

/** Two servers in a process of their own: a proxy or an agent that is well, and a sick one. */
const servers = `
  const http = require('node:http');
  const start = (status) => new Promise((resolve) => {
    const server = http.createServer((request, response) => {
      process.stdout.write(status + ' ' + request.url + '\\n');
      response.writeHead(status).end();
    }).listen(0, '127.0.0.1', () => resolve(server.address().port));
  });
  Promise.all([start(200), start(503)]).then((ports) => process.stdout.write(ports.join(' ') + '\\n'));
`;

let running: ChildProcess;
let [well, sick] = ['', ''];
beforeAll(async () => {
  running = spawn(process.execPath, ['-e', servers], { stdio: ['ignore', 'pipe', 'inherit'] });
  const line = await new Promise<string>((resolve) => {
    running.stdout?.once('data', (chunk: Buffer) => resolve(chunk.toString()));
  });
  [well = '', sick = ''] = line.trim().split(' ');
});
afterAll(() => {
  running.kill();
});

function bless(
  device: TestDevice,
  args: readonly string[],
  more: Readonly<Record<string, string>> = {},
): CommandResult {
  const environment = { ...skipMountCheck, RUNTIME_DIRECTORY: device.directory, ...more };
  expect(runCommand(['precheck', '--config', device.config], { environment }).exitCode).toBe(0);
  const result = path.join(device.directory, 'precheck.json');
  const how = '--window-seconds 0.1 --interval-seconds 0.05 --timeout-seconds 0.5'.split(' ');
  const command = ['bless', '--config', device.config, '--result', result, ...how, ...args];
  return runCommand(command, { environment });
}

/** A zombie, for whom nobody has waited yet, is dead. */
function isRunning(pid: string): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(fs.readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Every way in which a program may be told of a proxy. */
function behind(proxy: string): Record<string, string> {
  const address = `http://127.0.0.1:${proxy}`;
  const names = [
    'http_proxy',
    'HTTP_PROXY',
    'https_proxy',
    'HTTPS_PROXY',
    'all_proxy',
    'ALL_PROXY',
  ];
  const told = Object.fromEntries(names.map((name) => [name, address]));
  return { ...told, NODE_USE_ENV_PROXY: '1', no_proxy: '', NO_PROXY: '' };
}

describe('a health URL is asked of the agent and of nobody else', () => {
  test('a proxy that is well does not speak for an agent that is sick', () =>
    withDevice((device) => {
      const url = `http://127.0.0.1:${sick}/health`;
      const { exitCode, stderr } = bless(device, ['--health-url', url], behind(well));
      expect(stderr).toContain('slot.agent_unhealthy');
      expect(stderr).toContain(`${url}: 503`);
      expect(exitCode).toBe(5);
      expect(device.exists('state-root/epoch/committed')).toBe(false);
    }));

  test.each(['127.0.0.1', 'localhost'])(
    'a proxy that is dead does not condemn an agent that is well, at %s',
    (name) =>
      withDevice((device) => {
        const url = `http://${name}:${well}/health`;
        const { exitCode, stderr } = bless(device, ['--health-url', url], behind('9'));
        expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
        expect(device.exists('state-root/epoch/committed')).toBe(true);
      }),
  );
});

testWith('sleep')(
  'a health command that ignores every signal holds nothing, and dies with its children',
  () =>
    withDevice((device) => {
      const pids = path.join(device.directory, 'pids');
      device.write(
        'hangs',
        `#!/bin/sh\ntrap '' TERM INT HUP\necho $$ >>'${pids}'\n` +
          `(trap '' TERM; exec sleep 300) & echo $! >>'${pids}'\nwait; sleep 300\n`,
        0o755,
      );
      const started = Date.now();
      const command = path.join(device.directory, 'hangs');
      const { exitCode, stderr } = bless(device, ['--health-command', command]);
      expect(Date.now() - started).toBeLessThan(20_000);
      expect(stderr).toMatch(/no end within [\d.]+ s, so it was killed/);
      expect(exitCode).toBe(5);
      const left = fs.readFileSync(pids, 'utf8').trim().split('\n');
      expect(left.length).toBeGreaterThanOrEqual(2);
      expect(left.filter(isRunning)).toEqual([]);
    }),
);
