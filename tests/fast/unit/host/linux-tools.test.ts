/** What a tool may do to whoever runs it: nothing that lasts. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { linuxTools, runAttached } from '@edged/host/linux-tools';
import { testWith } from '@edged/testkit/needs';

const withSleep = testWith('sleep');
let directory: string;
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edged-tools-'));
});
afterEach(() => fs.rmSync(directory, { recursive: true }));

function script(body: string): string {
  const file = path.join(directory, 'tool');
  fs.writeFileSync(file, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  return file;
}

/** A zombie, for whom nobody has waited yet, is dead. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(fs.readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** The number that the tool has written there. */
function pidIn(name: string): number {
  return Number(fs.readFileSync(path.join(directory, name), 'utf8'));
}

async function gone(pid: number): Promise<boolean> {
  for (let tries = 0; tries < 100 && isAlive(pid); tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return !isAlive(pid);
}

describe('a tool', () => {
  test('that ends says how, and its first complaint', async () => {
    const tool = script('echo out; echo first >&2; echo second >&2; exit 3');
    const result = await linuxTools.run(tool, [], 10_000);
    expect(result).toEqual({ exitCode: 3, stdout: 'out\n', problem: 'first' });
    expect(await linuxTools.run(script('exit 4'), [], 10_000)).toMatchObject({ problem: 'exit 4' });
  });

  test('gets its arguments as they are, without a shell', async () => {
    const tool = script('printf "%s|" "$@"');
    const { stdout } = await linuxTools.run(tool, ['$(id)', 'a b', ''], 10_000);
    expect(stdout).toBe('$(id)|a b||');
  });

  test('that is not there, or is none, is an answer', async () => {
    const none = await linuxTools.run('/nowhere/tool', [], 10_000);
    expect(none).toMatchObject({ exitCode: undefined, problem: expect.stringMatching(/ENOENT/) });
    fs.writeFileSync(path.join(directory, 'data'), 'data');
    const data = await linuxTools.run(path.join(directory, 'data'), [], 10_000);
    expect(data).toMatchObject({ exitCode: undefined, problem: expect.stringMatching(/EACCES/) });
    const bad = await linuxTools.run('a\0b', [], 10_000);
    expect(bad.exitCode).toBeUndefined();
  });

  withSleep(
    'that ignores every signal it can is killed, and what it has started as well',
    async () => {
      const tool = script(
        `trap '' TERM INT HUP\necho $$ >'${directory}/self'\n` +
          `(trap '' TERM INT HUP; exec sleep 300) & echo $! >'${directory}/child'\nwait; sleep 300`,
      );
      const started = Date.now();
      const { exitCode, problem } = await linuxTools.run(tool, [], 500);
      expect(Date.now() - started).toBeLessThan(5000);
      expect({ exitCode, problem }).toEqual({
        exitCode: undefined,
        problem: 'no end within 0.5 s, so it was killed',
      });
      expect(await gone(pidIn('self'))).toBe(true);
      expect(await gone(pidIn('child'))).toBe(true);
    },
  );

  withSleep('that leaves something behind which holds its output is not waited for', async () => {
    const tool = script(`sleep 300 & echo $! >'${directory}/child'\necho done`);
    const started = Date.now();
    const result = await linuxTools.run(tool, [], 60_000);
    process.kill(pidIn('child'));
    expect(Date.now() - started).toBeLessThan(10_000);
    expect(result).toMatchObject({ exitCode: 0, stdout: 'done\n' });
  });

  test('that is killed from outside did not end well', async () => {
    const { exitCode, problem } = await linuxTools.run(script('kill -9 $$'), [], 10_000);
    expect({ exitCode, problem }).toEqual({ exitCode: undefined, problem: 'exit SIGKILL' });
  });

  test('may write without end, and takes no memory with it', async () => {
    const tool = script(`line=$(printf %09000d 0); while :; do echo "$line"; done; exit 0`);
    const before = process.memoryUsage().rss;
    const { stdout, exitCode } = await linuxTools.run(tool, [], 1000);
    expect(exitCode).toBeUndefined();
    expect(stdout.length).toBe(1024 * 1024);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024);
    const much = script('printf %03000000d 0');
    const all = await linuxTools.run(much, [], 10_000);
    expect([all.exitCode, all.stdout.length]).toEqual([0, 1024 * 1024]);
  });
});

describe('a tool that is waited for in place', () => {
  test('gets the descriptor as its third', () => {
    const descriptor = fs.openSync(script(''), 'r');
    const { status } = runAttached('sh', ['-c', 'read line <&3; test "$line" = "#!/bin/sh"'], {
      descriptor,
    });
    fs.closeSync(descriptor);
    expect(status).toBe(0);
  });

  withSleep('ends as well, whatever it ignores', () => {
    const started = Date.now();
    const child = path.join(directory, 'child');
    const tool = script(`trap '' TERM; sleep 300 & echo $! >'${child}'; wait; sleep 300`);
    const { error, signal } = runAttached(tool, [], { limitMilliseconds: 300 });
    process.kill(pidIn('child'));
    expect(Date.now() - started).toBeLessThan(10_000);
    expect([signal, (error as NodeJS.ErrnoException).code]).toEqual(['SIGKILL', 'ETIMEDOUT']);
  });
});
