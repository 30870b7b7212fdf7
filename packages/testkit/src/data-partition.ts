/** The persistent partition of a booted device: state root, certificates, an agent that tells. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { TestDevice } from './device.ts';

/** Where the partition is mounted on the device. */
export const mountPoint = '/data';
export const stateRootOnDevice = '/data/edged';

const agent = `#!/bin/sh
# the agent: leaves a trace of every start, and stays
cat /proc/sys/kernel/random/boot_id >> ${stateRootOnDevice}/edge/relay/starts
exec sleep infinity
`;

/** Fills a mounted partition. The device it gives edits and signs; `deliver` brings that over. */
export async function fillPartition(mounted: string, work: string): Promise<TestDevice> {
  fs.mkdirSync(work, { recursive: true });
  const device = new TestDevice(work);
  await device.prepare();
  device.write('state-root/runtime/binaries/edge-agent', agent, 0o755);
  device.write('state-root/runtime/bin/edge-agent', agent, 0o755);
  device.write('edge.toml', forDevice(device, device.read('edge.toml')));
  device.write('state-root/bootstrap/config.yaml', device.read('edge.toml'));
  deliver(device, mounted);
  return device;
}

/** What an engineer prepared goes onto the partition; what the device wrote there stays. */
export function deliver(device: TestDevice, mounted: string): void {
  const to = path.join(mounted, 'certificates');
  fs.mkdirSync(to, { recursive: true });
  for (const name of ['edge.crt', 'edge.key']) {
    fs.copyFileSync(path.join(device.directory, name), path.join(to, name));
  }
  execFileSync('cp', ['-a', `${device.stateRoot}/.`, path.join(mounted, 'edged')]);
}

function forDevice(device: TestDevice, text: string): string {
  return text
    .replaceAll(device.stateRoot, stateRootOnDevice)
    .replaceAll(device.directory, `${mountPoint}/certificates`);
}
