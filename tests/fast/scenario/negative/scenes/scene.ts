/** What the scenes of every gate are made of. */
import fs from 'node:fs';
import type { Host } from '@edged/host/host';
import type { FailureCode } from '@edged/model/failure';
import type { CommandOptions } from '@edged/testkit/device/built-command';
import type { TestDevice } from '@edged/testkit/device/device';
import type { Need } from '@edged/testkit/needs';

export interface Scene {
  readonly name: string;
  readonly arrange?: (device: TestDevice) => void | Promise<void>;
  /** Run in this process, with this fault between precheck and the machine. */
  readonly wrapHost?: (host: Host) => Host;
  /** With `wrapHost`: the mount check is on. */
  readonly mountCheck?: boolean;
  readonly options?: CommandOptions;
  /** $CREDENTIALS_DIRECTORY, relative to the device's directory. */
  readonly credentials?: string;
  readonly args?: readonly string[];
  /** The failure of another command than precheck. */
  readonly command?: (device: TestDevice) => readonly string[];
  /** What refuses, in this process, where no command can be brought to it on any machine. */
  readonly act?: (device: TestDevice) => void | Promise<void>;
  readonly needs?: readonly Need[];
}

export type Scenes = Partial<Record<FailureCode, readonly Scene[]>>;

/** An operation that installs the agent. */
export const agent = {
  op: 'copy_binary',
  src: 'runtime/binaries/edge-agent',
  dst: 'runtime/bin/agent',
};

export function config(edit: (text: string) => string): Pick<Scene, 'arrange'> {
  return { arrange: (device) => device.editConfig(edit) };
}

export function manifest(...operations: unknown[]): Pick<Scene, 'arrange'> {
  return { arrange: (device) => device.writeManifest(operations) };
}

export function flipBit(device: TestDevice, relative: string, bit: number): void {
  const bytes = fs.readFileSync(device.inside(relative));
  bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
  fs.writeFileSync(device.inside(relative), bytes);
}

/** In this process: the OS image is the one in the device's directory. */
export const inProcess = (host: Host): Host => host;

export async function bootWell(device: TestDevice): Promise<void> {
  const { exitCode, logLines } = await device.boot();
  if (exitCode !== 0) throw new Error(logLines.join('\n'));
}
