/** The executable is one file, needs nothing beside it, and comes out the same twice. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { bundleForNode, bundleParts } from '@edged/packaging/bundle';
import {
  type Architecture,
  largestExecutable,
  makeExecutable,
  nativeBlake3File,
} from '@edged/packaging/executable';
import { testDirectory } from '@edged/testkit/test-directory';

const native = nativeBlake3File(process.arch as Architecture);
const directory = testDirectory('package');
const executable = path.join(directory, 'bin', 'edged');

beforeAll(async () => {
  fs.mkdirSync(path.dirname(executable));
  const entry = await bundleParts(path.join(directory, 'parts'), native);
  makeExecutable(entry, executable, process.arch as Architecture);
});

function digest(file: string): string {
  return createHash('sha256').update(fs.readFileSync(file)).digest('hex');
}

/** Of every file, by its path in the directory. */
function digestsIn(top: string): Record<string, string> {
  const entries = fs.readdirSync(top, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => path.join(parentPath, name));
  return Object.fromEntries(files.map((file) => [path.relative(top, file), digest(file)]));
}

test('the same sources give the same bytes, in another directory', async () => {
  const other = path.join(directory, 'another place');
  fs.mkdirSync(other);
  const entry = await bundleParts(path.join(other, 'parts'), native);
  makeExecutable(entry, path.join(other, 'edged'), process.arch as Architecture);
  expect(digest(path.join(other, 'edged'))).toBe(digest(executable));
});

test('the bundle for Node.js comes out the same twice and needs nothing beside it', async () => {
  const [one, two] = [path.join(directory, 'one'), path.join(directory, 'two')] as const;
  for (const place of [one, two]) await bundleForNode(place);
  expect(digestsIn(one)).toEqual(digestsIn(two));
  const run = (...args: string[]): ReturnType<typeof spawnSync> =>
    spawnSync(process.execPath, [path.join(one, 'edged.cjs'), ...args], {
      cwd: one,
      env: { PATH: process.env['PATH'] },
      encoding: 'utf8',
    });
  expect(run('version')).toMatchObject({ status: 0, stdout: 'edged 0.1.0\n', stderr: '' });
  expect(run('simulate').stdout).toContain('13 of 13 steps as expected'); // BLAKE3 in WASM
  expect(run('precheck', '--config', 'none')).toMatchObject({ status: 1 });
});

test('its size is bounded', () => {
  expect(fs.statSync(executable).size).toBeLessThan(largestExecutable);
});

test('alone in an empty directory it does its work, whatever lies about', () => {
  const alone = path.join(directory, 'alone');
  fs.mkdirSync(alone);
  fs.copyFileSync(executable, path.join(alone, 'edged'));
  fs.writeFileSync(path.join(alone, '.env'), 'EDGE_STATE_ROOT=/nowhere\n');
  fs.writeFileSync(path.join(alone, 'bunfig.toml'), 'preload = ["./evil.js"]\n');
  fs.writeFileSync(path.join(alone, 'evil.js'), 'console.log("evil");\n');
  fs.writeFileSync(path.join(alone, 'package.json'), '{"type":"commonjs"}\n');
  const run = (...args: string[]): ReturnType<typeof spawnSync> =>
    spawnSync('./edged', args, {
      cwd: alone,
      env: { PATH: process.env['PATH'] },
      encoding: 'utf8',
    });
  expect(run('version')).toMatchObject({ status: 0, stdout: 'edged 0.1.0\n', stderr: '' });
  const { runtime } = JSON.parse(String(run('version', '--output', 'json').stdout)) as {
    runtime: string;
  };
  expect(runtime).toMatch(/^bun \d/); // and not the Node.js that it stands for
  expect(run('init', 'root').status).toBe(0);
  expect(fs.existsSync(path.join(alone, 'root/runtime/binaries'))).toBe(true);
  expect(run('keys', 'list').stderr).toContain('no device given'); // .env was not read
  const simulated = run('simulate');
  expect(simulated.stdout).toContain('13 of 13 steps as expected');
});
