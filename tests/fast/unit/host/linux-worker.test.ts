/** Who asks a worker has an answer in time, whatever becomes of the worker. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { processesWith } from '@edged/testkit/processes';
import { testDirectory } from '@edged/testkit/test-directory';

const module = path.join(process.cwd(), 'packages/host/dist/linux-worker.js');
const directory = testDirectory('worker');
const script = path.join(directory, 'asks-itself.mjs');

/** A program that is its own worker: the first argument says what the worker does. */
beforeAll(() => {
  fs.writeFileSync(
    script,
    `import fs from 'node:fs';
    import { askWorker } from ${JSON.stringify(pathToFileURL(module).href)};
    const input = () => fs.readFileSync(0, 'utf8');
    const say = (text) => fs.writeSync(1, text);
    const sleep = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
    const workers = {
      answers() { for (const line of input().split(' ')) say(line + '\\n'); },
      'answers in parts'() { say('on'); sleep(50); say('e\\ntw'); sleep(50); say('o\\n'); },
      'answers slowly'() { for (let n = 0; n < 5; n += 1) { sleep(700); say(n + '\\n'); } },
      'never answers'() { sleep(60_000); },
      'answers once'() { say('one\\n'); sleep(60_000); },
      complains() { say('one\\n'); fs.writeSync(2, 'it went wrong\\n'); process.exit(3); },
      'does not read'() { say('one\\n'); process.exit(0); },
    };
    const [mode, role] = process.argv.slice(2);
    if (role === 'worker') workers[mode]();
    else {
      const lines = [];
      const started = performance.now();
      const end = await askWorker({
        args: [mode, 'worker'],
        input: mode === 'does not read' ? 'x'.repeat(1e6) : 'one two',
        line: (text) => lines.push(text),
        patienceMilliseconds: () => (mode === 'answers slowly' ? 3000 : 1200),
      });
      say(JSON.stringify({ lines, ...end, took: performance.now() - started }));
    }`,
  );
});

interface Answer {
  readonly lines: readonly string[];
  readonly kind: string;
  readonly complaint: string;
  readonly took: number;
}

function ask(mode: string): Answer {
  const { stdout, stderr } = spawnSync(process.execPath, [script, mode], { encoding: 'utf8' });
  expect(stderr).toBe('');
  return JSON.parse(stdout) as Answer;
}

describe('a worker that ends', () => {
  test.each<[string, readonly string[], string]>([
    ['answers', ['one', 'two'], ''],
    ['answers in parts', ['one', 'two'], ''],
    ['answers slowly', ['0', '1', '2', '3', '4'], ''],
    ['complains', ['one'], 'it went wrong'],
    ['does not read', ['one'], ''],
  ])('%s', (mode, lines, complaint) => {
    expect(ask(mode)).toMatchObject({ kind: 'ended', lines, complaint });
  });
});

describe('a worker that does not is given up, with the lines that it had said', () => {
  test.each<[string, readonly string[]]>([
    ['never answers', []],
    ['answers once', ['one']],
  ])('%s', (mode, lines) => {
    const answer = ask(mode);
    expect(answer).toMatchObject({ kind: 'silent', lines });
    expect(answer.took).toBeGreaterThan(1000);
    expect(answer.took).toBeLessThan(6000);
    expect(processesWith(script)).toEqual([]); // it is not left behind
  });
});
