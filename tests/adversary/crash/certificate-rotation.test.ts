/**
 * Rung 2 for the rotation of certificates: the real process, killed at every call that changes
 * something, with certificate and key inside the state root, where the trace looks.
 */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect } from '@jest/globals';
import { skipMountCheck } from '@edged/testkit/device/built-command';
import { type TestDevice, withDevice } from '@edged/testkit/device/device';
import { buildCommand } from '@edged/testkit/mutants';
import { type CallPoint, killAt, traceChanges } from '@edged/testkit/interruption/system-calls';
import { testWith } from '@edged/testkit/needs';

const bundled = await buildCommand(undefined);
const most = 20;

/** Its own CA, and its pair in `tls/`, as it was issued; nothing left of an earlier kill. */
function install(device: TestDevice): void {
  for (const left of ['tls', '.precheck.lock']) {
    fs.rmSync(device.inside(left), { recursive: true, force: true });
  }
  for (const name of ['edge.crt', 'edge.key']) {
    device.write(`state-root/tls/${name}`, device.read(name));
  }
}

function belongTogether(device: TestDevice): boolean {
  const leaf = new X509Certificate(device.read('state-root/tls/edge.crt'));
  return leaf.checkPrivateKey(createPrivateKey(device.read('state-root/tls/edge.key')));
}

describe('with strace', () => {
  testWith('strace')(
    'killed at every call, the pair matches after the next boot',
    () =>
      withDevice((device) => {
        device.editConfig((text) =>
          text
            .replace(/( +)cert_file: .*/, `$1cert_file: ${device.inside('tls/edge.crt')}`)
            .replace(/( +)key_file: .*/, `$1key_file: ${device.inside('tls/edge.key')}`)
            .replace(
              /( +)ca_file: .*/,
              `$1ca_file: ${device.inside('tls/edge.crt')}\n` +
                `$1ca_key_file: ${device.inside('tls/edge.key')}`,
            ),
        );
        install(device);
        expect(device.precheck().exitCode).toBe(0);
        const precheck = ['precheck', '--config', device.config, '--rotate-certs'];
        const traced = {
          command: [process.execPath, bundled, ...precheck],
          environment: { PATH: process.env['PATH'], ...skipMountCheck },
          stateRoot: fs.realpathSync(device.stateRoot),
          traceFile: path.join(device.directory, 'trace'),
        };
        const points = (): CallPoint[] => {
          install(device);
          return traceChanges(traced).points.filter(({ changes }) => changes);
        };
        const all = points();
        expect(all.length).toBeGreaterThan(10);
        for (const point of all) {
          let aimed: CallPoint | undefined = point;
          for (let tries = 0; ; tries += 1) {
            install(device);
            if (aimed && killAt(traced, aimed).happened) break;
            if (tries === most) throw new Error(`not hit: ${point.call} ${point.label}`);
            aimed = points().find(
              ({ label, occurrence }) => label === point.label && occurrence === point.occurrence,
            );
          }
          const { exitCode, stderr } = device.precheck();
          expect([point.label, exitCode, exitCode === 0 ? '' : stderr]).toEqual([
            point.label,
            0,
            '',
          ]);
          expect([point.label, belongTogether(device)]).toEqual([point.label, true]);
          expect(fs.readdirSync(device.inside('tls'))).toEqual(['edge.crt', 'edge.key']);
        }
      }),
    600_000,
  );
});
