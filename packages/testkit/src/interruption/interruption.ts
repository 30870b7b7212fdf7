/**
 * Rung 2: the built command on a real kernel, killed at every system call that changes the state
 * root, and each such call failing with an error. After each, the unmutated command runs again and
 * everything must be as if nothing had happened.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { PrecheckOrder } from '@edged/precheck/precheck';
import { TestDevice } from '../device/device.ts';
import type { CommandLibrary } from '../mutants.ts';
import { noRotation, plainTrust } from '../device/plain-order.ts';
import { SimDisk, type Tree } from '../simulation/sim-disk.ts';
import { simHost, simRoot } from '../simulation/sim-host.ts';
import {
  type CallPoint,
  failAt,
  type Interruption,
  killAt,
  traceChanges,
  type TracedCommand,
} from './system-calls.ts';

/**
 * strace counts calls by name, and the runtime makes a few more or fewer of its own from run to
 * run. A miss is aimed again, by the count of a fresh trace.
 */
const mostTries = 20;

/** A device in epoch 0 whose OS was just replaced, with one file to replace and one to add. */
export class InterruptedDevice {
  readonly #directory: string;
  readonly #pristine: string;
  readonly #kept: string;
  readonly device: TestDevice;

  private constructor(directory: string) {
    this.#directory = directory;
    this.#pristine = path.join(directory, 'pristine');
    this.#kept = path.join(directory, 'kept');
    this.device = new TestDevice(path.join(directory, 'device'));
  }

  /** A device that has booted once, with the OS that is about to be replaced. */
  static async make(directory: string, library: CommandLibrary): Promise<InterruptedDevice> {
    const made = new InterruptedDevice(directory);
    const { device } = made;
    fs.mkdirSync(device.directory);
    await device.prepare();
    device.write('state-root/runtime/bin/replaced', 'the old file\n');
    device.write('state-root/runtime/binaries/replaced', 'the new file\n');
    device.writeManifest([
      { op: 'copy_binary', src: 'runtime/binaries/replaced', dst: 'runtime/bin/replaced' },
      { op: 'copy_binary', src: 'runtime/binaries/edge-agent', dst: 'runtime/new/edge-agent' },
      { op: 'verify_config', src: 'bootstrap/config.yaml' },
    ]);
    await made.bootOldOs(library);
    fs.cpSync(device.stateRoot, made.#pristine, { recursive: true });
    return made;
  }

  /** The device comes up with the OS from before the replacement, in this process. */
  async bootOldOs({ precheck, linuxHost }: CommandLibrary): Promise<void> {
    const host = linuxHost({ kernelRelease: 'the kernel before' });
    await precheck(this.order(), host, () => undefined);
  }

  order(): PrecheckOrder {
    const { directory, stateRoot } = this.device;
    return {
      stateRoot: {
        path: stateRoot,
        skipMountCheck: true,
        allowRootFilesystem: false,
        lockWaitMilliseconds: 0,
      },
      certificate: {
        certFile: path.join(directory, 'edge.crt'),
        keyFile: path.join(directory, 'edge.key'),
        caFile: path.join(directory, 'edge.crt'),
        ...noRotation,
      },
      ...plainTrust,
    };
  }

  /** Keeps the state root as the interruption left it, to be looked at twice. */
  keep(): void {
    fs.rmSync(this.#kept, { recursive: true, force: true });
    fs.cpSync(this.device.stateRoot, this.#kept, { recursive: true });
  }

  restoreKept(): void {
    fs.rmSync(this.device.stateRoot, { recursive: true });
    fs.cpSync(this.#kept, this.device.stateRoot, { recursive: true });
  }

  run(command: readonly string[]): { exitCode: number | null; stderr: string } {
    const [executable = '', ...args] = [...command, ...this.#arguments()];
    const options = { env: this.#environment(), encoding: 'utf8' } as const;
    const { status, stderr, error } = spawnSync(executable, args, options);
    if (error) throw error;
    return { exitCode: status, stderr };
  }

  /** The state root as it was before the OS was seen to be replaced. */
  reset(): void {
    fs.rmSync(this.device.stateRoot, { recursive: true });
    fs.cpSync(this.#pristine, this.device.stateRoot, { recursive: true });
  }

  trace(command: readonly string[]): { exitCode: number | null; points: CallPoint[] } {
    this.reset();
    return traceChanges(this.#traced(command));
  }

  /** As `trace`, on the state root as it stands. */
  traceAsItIs(command: readonly string[]): { exitCode: number | null; points: CallPoint[] } {
    return traceChanges(this.#traced(command));
  }

  kill(command: readonly string[], point: CallPoint): Interruption {
    return this.#hit(command, point, killAt);
  }

  fail(command: readonly string[], point: CallPoint, errno: string): Interruption {
    return this.#hit(command, point, (traced, aimed) => failAt(traced, aimed, errno));
  }

  #hit(
    command: readonly string[],
    point: CallPoint,
    interrupt: (traced: TracedCommand, point: CallPoint) => Interruption,
  ): Interruption {
    for (let aimed = point, tries = 1; ; tries += 1) {
      this.reset();
      const interruption = interrupt(this.#traced(command), aimed);
      if (interruption.happened || tries === mostTries) return interruption;
      const isMeant = ({ call, label, occurrence }: CallPoint): boolean =>
        call === point.call && label === point.label && occurrence === point.occurrence;
      aimed = this.trace(command).points.find(isMeant) ?? aimed;
    }
  }

  /** What is wrong just after an interruption: spec I3 and I4 hold at every point. */
  objectionsAtOnce(): string[] {
    const { device } = this;
    const objections: string[] = [];
    const replaced = device.read('state-root/runtime/bin/replaced');
    if (!['the old file\n', 'the new file\n'].includes(replaced))
      objections.push('I4: a torn file');
    const added = 'state-root/runtime/new/edge-agent';
    const whole = device.read('state-root/runtime/binaries/edge-agent');
    if (device.exists(added) && device.read(added) !== whole)
      objections.push('I4: a torn new file');
    return [...objections, ...this.#objectionsToAgentData()];
  }

  /** What is wrong after the command has exited 0 (spec I1 to I4). */
  objectionsAfterSuccess(): string[] {
    const { device } = this;
    const objections = this.#objectionsToAgentData();
    const wanted: readonly (readonly [string, unknown, unknown])[] = [
      ['I1: epoch', device.fingerprint()['boot_epoch'], 1],
      ['I2: current', device.evidenceEpoch('current'), 1],
      ['I2: previous', device.evidenceEpoch('previous'), 0],
      ['evidence lost', device.evidence('current')['repaired'], undefined],
      ['I4: replaced', device.read('state-root/runtime/bin/replaced'), 'the new file\n'],
      ['I4: added', device.exists('state-root/runtime/new/edge-agent'), true],
      ['mode of a new directory', modeOf(device.inside('runtime/new')), 0o755],
      ['I3: left over', device.leftovers().join(' '), ''],
    ];
    for (const [what, found, expected] of wanted) {
      if (found !== expected) objections.push(`${what}: ${String(found)}`);
    }
    return objections;
  }

  /** What is wrong when the old OS came back instead: all old at epoch 0, or all new at epoch 2. */
  objectionsAfterReturn(): string[] {
    const { device } = this;
    const epoch = device.fingerprint()['boot_epoch'];
    const replaced = device.read('state-root/runtime/bin/replaced');
    const added = device.exists('state-root/runtime/new/edge-agent');
    const isOld = epoch === 0 && replaced === 'the old file\n' && !added;
    const isNew = epoch === 2 && replaced === 'the new file\n' && added;
    const found = `epoch ${String(epoch)}, ${replaced.trim()}, added: ${String(added)}`;
    const leftovers = device.leftovers();
    return [
      ...(isOld || isNew ? [] : [`I4 with the old OS back: ${found}`]),
      ...(leftovers.length === 0 ? [] : [`I3 with the old OS back: ${leftovers.join(' ')}`]),
    ];
  }

  /** The steps that the simulated disk takes for the same change, for comparison with a trace. */
  async simulatedSteps({ precheck }: CommandLibrary): Promise<string[]> {
    this.reset();
    const disk = new SimDisk(this.#tree());
    const os = { osRelease: 'ID=x\n', kernelRelease: 'x', wallMilliseconds: Date.now() };
    const host = {
      ...simHost(disk, os, new Map()),
      readFile: (file: string) => fs.readFileSync(file),
    };
    const order = this.order();
    const stateRoot = { ...order.stateRoot, path: simRoot };
    await precheck({ ...order, stateRoot }, host, () => undefined);
    return disk.steps.map(({ label }) => label.replaceAll(/epoch_\d+/g, 'epoch_T'));
  }

  #objectionsToAgentData(): string[] {
    const data = this.device.read('state-root/edge/segments/0001.seg');
    return data === 'the data of the agent\n' ? [] : ['I3: the data of the agent has changed'];
  }

  #tree(): Tree {
    return new Map(
      this.device.tree().map((name) => {
        const file = this.device.inside(name);
        const isFile = fs.statSync(file).isFile();
        return [name, isFile ? new Uint8Array(fs.readFileSync(file)) : undefined] as const;
      }),
    );
  }

  #traced(command: readonly string[]): TracedCommand {
    return {
      command: [...command, ...this.#arguments()],
      environment: this.#environment(),
      stateRoot: fs.realpathSync(this.device.stateRoot),
      traceFile: path.join(this.#directory, 'trace'),
    };
  }

  #arguments(): string[] {
    return ['precheck', '--config', this.device.config];
  }

  #environment(): Record<string, string | undefined> {
    return { PATH: process.env['PATH'], EDGE_STATE_ROOT_SKIP_MOUNT_CHECK: '1' };
  }
}

export interface RungTwoReport {
  readonly points: number;
  readonly interruptions: number;
  readonly violations: readonly string[];
}

export interface RungTwoPlan {
  /** The executable and its arguments up to `precheck`. */
  readonly command: readonly string[];
  /** The same sources, to be run in this process. */
  readonly library: CommandLibrary;
  readonly points: readonly CallPoint[];
  /** The points at which calls are to fail, by error. */
  readonly failures: Readonly<Record<string, readonly CallPoint[]>>;
  readonly stopAtFirst?: boolean;
}

/**
 * Kills the command at every point, lets calls fail, and boots again: with the new OS, and back.
 */
export async function interruptEverywhere(
  interrupted: InterruptedDevice,
  { command, library, points, failures, stopAtFirst = false }: RungTwoPlan,
): Promise<RungTwoReport> {
  const violations: string[] = [];
  let interruptions = 0;
  for (const point of points) {
    if (stopAtFirst && violations.length > 0) break;
    const { happened } = interrupted.kill(command, point);
    const found = await examine(interrupted, command, library, happened);
    violations.push(...found.map((what) => `killed at ${placeOf(point)}: ${what}`));
    interruptions += 1;
  }
  for (const [errno, failing] of Object.entries(failures)) {
    for (const point of failing) {
      if (stopAtFirst && violations.length > 0) break;
      const { happened, exitCode, stderr } = interrupted.fail(command, point, errno);
      const found = [
        ...(isHonest(exitCode, stderr) ? [] : [`exit ${exitCode}: ${stderr}`]),
        ...(exitCode === 0 ? interrupted.objectionsAfterSuccess().filter(isNoLeftover) : []),
        ...(await examine(interrupted, command, library, happened)),
      ];
      violations.push(...found.map((what) => `${errno} at ${placeOf(point)}: ${what}`));
      interruptions += 1;
    }
  }
  return { points: points.length, interruptions, violations };
}

/** What could not be swept is said, and the next boot sweeps it. */
function isNoLeftover(objection: string): boolean {
  return !objection.startsWith('I3: left over');
}

/** Exit 0, or a refusal with a reason that is no defect. */
function isHonest(exitCode: number | null, stderr: string): boolean {
  if (exitCode === 0) return true;
  const isCode = exitCode === 2 || exitCode === 5;
  return isCode && /level=ERROR .*reason="(?!internal)/.test(stderr);
}

async function examine(
  interrupted: InterruptedDevice,
  command: readonly string[],
  library: CommandLibrary,
  happened: boolean,
): Promise<string[]> {
  const objections = interrupted.objectionsAtOnce();
  if (!happened) objections.push('it did not happen');
  interrupted.keep();
  const { exitCode, stderr } = interrupted.run(command);
  if (exitCode === 0) objections.push(...interrupted.objectionsAfterSuccess());
  else objections.push(`then exit ${exitCode}: ${stderr}`);
  interrupted.restoreKept();
  if (interrupted.device.fingerprint()['boot_epoch'] === 0) {
    await interrupted.bootOldOs(library);
    objections.push(...interrupted.objectionsAfterReturn());
  }
  return objections;
}

function modeOf(file: string): number {
  return fs.statSync(file).mode & 0o7777;
}

function placeOf({ call, ordinal, label }: CallPoint): string {
  return `${call} ${ordinal} (${label})`;
}
