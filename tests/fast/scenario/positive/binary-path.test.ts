/** Which program's hash goes into the evidence of an epoch. */
import fs from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { type TestDevice, withDevice } from '@edged/testkit/device/device';
import { blake3 } from '@noble/hashes/blake3.js';

describe('binary_path', () => {
  const evidenceFor = async (
    device: TestDevice,
    binary_path: string,
  ): Promise<{ readonly evidence: Record<string, unknown>; readonly log: string }> => {
    await device.boot();
    device.writeManifest([], { binary_path });
    device.flash({ name: '2.0', kernelRelease: '6.1.0-2' });
    const { exitCode, logLines } = await device.boot();
    expect({ exitCode, logLines }).toMatchObject({ exitCode: 0 });
    return { evidence: device.evidence('current'), log: logLines.join('\n') };
  };
  const hashOf = (device: TestDevice, name: string): string =>
    Buffer.from(blake3(fs.readFileSync(device.inside(`runtime/binaries/${name}`)))).toString('hex');

  test('given from the state root on is the same file', () =>
    withDevice(async (device) => {
      const { evidence, log } = await evidenceFor(device, 'runtime/binaries/edge-agent');
      expect(evidence).toMatchObject({
        binary_path: 'edge-agent',
        binary_hash: hashOf(device, 'edge-agent'),
      });
      expect(log).not.toContain('edge.manifest.binary_missing');
    }));

  test.each<[string, (file: string) => void]>([
    ['nothing', () => undefined],
    ['a directory', (file) => fs.mkdirSync(file)],
    ['a link that leads out', (file) => fs.symlinkSync('/bin/sh', file)],
  ])('that names %s is said', (_what, make) =>
    withDevice(async (device) => {
      make(device.inside('runtime/binaries/agent'));
      const { evidence, log } = await evidenceFor(device, 'agent');
      expect(evidence).toMatchObject({ binary_path: 'agent', binary_hash: '' });
      expect(log).toContain(
        'level=WARN msg="edge.manifest.binary_missing" binary_path="agent" ' +
          'file="runtime/binaries/agent"',
      );
    }),
  );
});
