/** The persistent partition of a booted device: state root, certificates, an agent that tells. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { TestDevice } from '../device/device.ts';

/** Where things are on the device, when its partition is mounted. */
export interface Placement {
  readonly mountPoint: string;
  /** Of `edged/` and `certificates/`, below the mount point; `''` or with a slash at its end. */
  readonly below: string;
}

const data: Placement = { mountPoint: '/data', below: '' };

const agent = (stateRoot: string): string => `#!/bin/sh
# the agent: leaves a trace of every start, and stays
cat /proc/sys/kernel/random/boot_id >> ${stateRoot}/edge/relay/starts
exec sleep infinity
`;

/** Fills a mounted partition. The device it gives edits and signs; `deliver` brings that over. */
export async function fillPartition(
  mounted: string,
  work: string,
  placement: Placement = data,
  editConfig: (text: string) => string = (text) => text,
): Promise<TestDevice> {
  fs.mkdirSync(work, { recursive: true });
  const device = new TestDevice(work);
  await device.prepare();
  const place = `${placement.mountPoint}/${placement.below}`;
  for (const directory of ['binaries', 'bin']) {
    device.write(`state-root/runtime/${directory}/edge-agent`, agent(`${place}edged`), 0o755);
  }
  const config = device
    .read('edge.toml')
    .replaceAll(device.stateRoot, `${place}edged`)
    .replaceAll(device.directory, `${place}certificates`);
  device.write('edge.toml', editConfig(config));
  device.write('state-root/bootstrap/config.yaml', device.read('edge.toml'));
  deliver(device, path.join(mounted, placement.below));
  return device;
}

/** What an engineer prepared goes onto the partition; what the device wrote there stays. */
export function deliver(device: TestDevice, directory: string): void {
  const to = path.join(directory, 'certificates');
  fs.mkdirSync(to, { recursive: true });
  for (const name of ['edge.crt', 'edge.key']) {
    fs.copyFileSync(path.join(device.directory, name), path.join(to, name));
  }
  execFileSync('cp', ['-a', `${device.stateRoot}/.`, path.join(directory, 'edged')]);
}
