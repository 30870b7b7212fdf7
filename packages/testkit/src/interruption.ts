/**
 * Rung 2: the built command on a real kernel, killed at every system call that changes the state
 * root, and each such call failing with an error. After each, the unmutated command runs again and
 * everything must be as if nothing had happened.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { TestDevice } from './device.ts';
import { SimDisk, type Tree } from './sim-disk.ts';
import { simHost } from './sim-host.ts';
import { type CallPoint, failAt, killAt, traceChanges } from './system-calls.ts';

/** A device in epoch 0 whose OS was just replaced, with one file to replace and one to add. */
export class InterruptedDevice {
  readonly #directory: string;
  readonly #pristine: string;
  readonly device: TestDevice;

  private constructor(directory: string) {
    this.#directory = directory;
    this.#pristine = path.join(directory, 'pristine');
    this.device = new TestDevice(path.join(directory, 'device'));
  }

  /** `command` is the executable and its arguments up to `precheck`. */
  static async make(directory: string, command: readonly string[]): Promise<InterruptedDevice> {
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
    const first = made.run(command);
    if (first.exitCode !== 0) throw new Error(`the first boot failed: ${first.stderr}`);
    device.editFingerprint({ composite_hash: 'the OS before' });
    // as it really is after a replacement: the evidence speaks of the OS before, too
    const evidence = device.evidence('current');
    evidence['os_fingerprint'] = device.fingerprint();
    device.write('state-root/epoch/current/evidence.json', JSON.stringify(evidence));
    fs.cpSync(device.stateRoot, made.#pristine, { recursive: true });
    return made;
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

  kill(command: readonly string[], point: CallPoint): ReturnType<typeof killAt> {
    this.reset();
    return killAt(this.#traced(command), point);
  }

  fail(command: readonly string[], point: CallPoint, errno: string): ReturnType<typeof failAt> {
    this.reset();
    return failAt(this.#traced(command), point, errno);
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
      ['I3: left over', device.leftovers().join(' '), ''],
    ];
    for (const [what, found, expected] of wanted) {
      if (found !== expected) objections.push(`${what}: ${String(found)}`);
    }
    return objections;
  }

  /** The steps that the simulated disk takes for the same change, for comparison with a trace. */
  async simulatedSteps(precheck: SimulatedPrecheck): Promise<string[]> {
    this.reset();
    const disk = new SimDisk(this.#tree());
    const os = { osRelease: 'ID=x\n', kernelRelease: 'x', wallMilliseconds: Date.now() };
    await precheck(this.device, simHost(disk, os, new Map()));
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

  #traced(command: readonly string[]): Parameters<typeof killAt>[0] {
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

export type SimulatedPrecheck = (
  device: TestDevice,
  host: ReturnType<typeof simHost>,
) => Promise<unknown>;

export interface RungTwoReport {
  readonly points: number;
  readonly interruptions: number;
  readonly violations: readonly string[];
}

/**
 * Interrupts `command` at the points chosen and lets `healer` repair; stops at the first violation
 * if told.
 */
export function interruptEverywhere(
  interrupted: InterruptedDevice,
  command: readonly string[],
  healer: readonly string[],
  plan: {
    readonly points: readonly CallPoint[];
    readonly errnos: readonly string[];
    readonly stopAtFirst?: boolean;
  },
): RungTwoReport {
  const violations: string[] = [];
  let interruptions = 0;
  const examine = (what: string, happened: boolean, isFailure: boolean): void => {
    interruptions += 1;
    if (!happened) violations.push(`${what}: it did not happen`);
    for (const objection of interrupted.objectionsAtOnce())
      violations.push(`${what}: ${objection}`);
    const { exitCode, stderr } = interrupted.run(healer);
    if (exitCode !== 0) violations.push(`${what}: then exit ${exitCode}: ${stderr}`);
    else {
      for (const objection of interrupted.objectionsAfterSuccess()) {
        violations.push(`${what}${isFailure ? '' : ', healed'}: ${objection}`);
      }
    }
  };
  for (const point of plan.points) {
    if (plan.stopAtFirst && violations.length > 0) break;
    const place = `${point.call} ${point.ordinal} (${point.label})`;
    const killed = interrupted.kill(command, point);
    examine(`killed at ${place}`, killed.happened, false);
    for (const errno of plan.errnos) {
      const failed = interrupted.fail(command, point, errno);
      const what = `${errno} at ${place}`;
      if (failed.exitCode !== 0 && failed.exitCode !== 2 && failed.exitCode !== 5) {
        violations.push(`${what}: exit ${failed.exitCode}: ${failed.stderr}`);
      }
      if (failed.exitCode !== 0 && !/level=ERROR .*reason="(?!internal)/.test(failed.stderr)) {
        violations.push(`${what}: exit ${failed.exitCode} without a reason: ${failed.stderr}`);
      }
      examine(what, failed.happened, true);
    }
  }
  return { points: plan.points.length, interruptions, violations };
}
