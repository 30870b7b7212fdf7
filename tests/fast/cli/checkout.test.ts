/** The command of a checkout before the program runs: the wrong Node.js, nothing built. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { withDevice } from '@edged/testkit/device/device';

interface Package {
  readonly engines: { readonly node: string };
}

const read = (file: string): Package => JSON.parse(fs.readFileSync(file, 'utf8')) as Package;
const { engines } = read('packages/edged/package.json');

describe('a checkout of which nothing is built, on Node.js', () => {
  const runOn = (node: string, directory: string) => {
    fs.cpSync('packages/edged/bin', `${directory}/edged/bin`, { recursive: true });
    fs.copyFileSync('packages/edged/package.json', `${directory}/edged/package.json`);
    const fake = `Object.defineProperty(process, 'version', { value: 'v${node}' });`;
    const program = `${directory}/edged/bin/edged`;
    const args = ['--import', `data:text/javascript,${fake}`, program, 'version'];
    return spawnSync(process.execPath, args, { encoding: 'utf8' });
  };

  test.each(['18.20.4', '20.18.3', '21.7.3', '22.11.0', '23.11.1'])(
    '%s, which does not fit, is exit 5',
    (node) =>
      withDevice(({ directory }) => {
        const { status, stderr } = runOn(node, directory);
        expect(status).toBe(5);
        expect(stderr).toContain(`needs Node.js ${engines.node}, found v${node}`);
        expect(stderr.trim().split('\n')).toHaveLength(1);
      }),
  );

  test.each(['20.19.0', '22.12.0', '24.0.0', '25.1.0', '26.10.0'])(
    '%s, which fits, is exit 5 and says how to build it',
    (node) =>
      withDevice(({ directory }) => {
        const { status, stderr } = runOn(node, directory);
        expect(status).toBe(5);
        expect(stderr).toContain('problem="Cannot find module');
        expect(stderr).toContain('remedy="Run `npm run setup` in the checkout');
      }),
  );
});

test('the checkout and the package ask for the same Node.js', () => {
  expect(read('package.json').engines).toEqual(engines);
});
