/**
 * Boots a root disk with a kernel of Debian's in QEMU, from power-on to power-off: another kernel,
 * a disk that can be missing, a clock that can be wrong, a plug that can be pulled. Always emulated
 * (`-accel tcg`), about ten seconds a boot. Killing QEMU is a weak power cut: what the guest has
 * written survives in the cache of the host. Strong ones: tests/adversary/crash/power-cut.test.ts.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import type { Need } from '../needs.ts';
import { bootDirectory, rootNeeds } from './root-image.ts';

/** `apt-get` fetches the kernels. */
export const machineNeeds: readonly Need[] = [
  ...rootNeeds,
  'qemu-system-x86_64',
  'apt-get',
  'mke2fs',
];

export interface Kernel {
  /** What uname says. */
  readonly release: string;
  readonly image: string;
}

/** Two kernels of Debian 12, the older first, that differ in their release. */
export function debianKernels(): readonly [Kernel, Kernel] {
  if (kernelReleases().length < 2) execFileSync('apt-get', ['update', '-qq'], { stdio: 'pipe' });
  const [older, newer] = kernelReleases().slice(-2).map(fetchKernel);
  if (!older || !newer) throw new Error('the registry has no two kernels of the series 6.1');
  return [older, newer];
}

/** Oldest first. */
function kernelReleases(): string[] {
  const pattern = String.raw`^linux-image-6\.1\.0-[0-9]+-cloud-amd64$`;
  const search = ['search', '--names-only', pattern];
  const listed = execFileSync('apt-cache', search, { encoding: 'utf8' });
  return [...listed.matchAll(/^linux-image-(\S+)/gm)]
    .map(([, release = '']) => release)
    .toSorted((one, other) => abi(one) - abi(other));
}

const abi = (release: string): number => Number(/-(\d+)-/.exec(release)?.[1]);

function fetchKernel(release: string): Kernel {
  const directory = path.join(bootDirectory, 'kernels');
  const image = path.join(directory, `boot/vmlinuz-${release}`);
  if (!fs.existsSync(image)) {
    fs.mkdirSync(directory, { recursive: true });
    const inside = { cwd: directory, stdio: 'pipe' } as const;
    execFileSync('apt-get', ['download', '-qq', `linux-image-${release}`], inside);
    const file = fs.readdirSync(directory).find((name) => name.includes(`image-${release}_`));
    execFileSync('dpkg-deb', ['-x', file ?? '', '.'], inside);
    fs.rmSync(path.join(directory, file ?? ''));
  }
  return { release, image };
}

/** A root directory as a disk of its own. */
export function makeRootDisk(root: string, image: string): void {
  fs.rmSync(image, { force: true });
  execFileSync('truncate', ['-s', '900M', image]);
  execFileSync('mke2fs', ['-q', '-t', 'ext4', '-d', root, image]);
}

/** Started by QEMU itself, or by the firmware from the first disk that it can start from. */
export type Start =
  | { readonly kernel: Kernel; readonly commandLine: string }
  /** Where OVMF keeps its variables, from boot to boot. */
  | { readonly firmwareVariables: string };

export interface MachineBoot {
  readonly start: Start;
  /** By name, in the order of /dev/nvme0n1, /dev/nvme1n1, … */
  readonly disks: Readonly<Record<string, string>>;
  /** What the clock shows at power-on, as `1970-01-01`; the true time without it. */
  readonly clock?: string;
  /** The plug is pulled so many milliseconds after this text was on the console. */
  readonly kill?: { readonly after: string; readonly delayMilliseconds: number };
  readonly timeoutSeconds?: number;
  /** Where the console is kept. */
  readonly log: string;
}

export interface MachineReport {
  readonly console: string;
  readonly seconds: number;
  readonly killed: boolean;
}

const firmware = '/usr/share/OVMF/OVMF_CODE_4M.fd';

/** Variables of a machine that has never been started. */
export const freshFirmwareVariables = '/usr/share/OVMF/OVMF_VARS_4M.fd';

function disk(name: string, file: string): string[] {
  const drive = `if=none,id=${name},file=${file},format=raw,cache=unsafe`;
  return ['-drive', drive, '-device', `nvme,drive=${name},serial=${name}`];
}

function startArguments(start: Start): string[] {
  if ('kernel' in start) {
    return ['-no-reboot', '-kernel', start.kernel.image, '-append', start.commandLine];
  }
  const flash = 'if=pflash,format=raw';
  const code = `${flash},readonly=on,file=${firmware}`;
  return ['-drive', code, '-drive', `${flash},file=${start.firmwareVariables}`];
}

/** Until it switches itself off; by way of reboots, where it is started by its firmware. */
export async function bootMachine(boot: MachineBoot): Promise<MachineReport> {
  const args = [
    ...'-machine q35 -accel tcg,thread=multi -cpu max -smp 2 -m 1024'.split(' '),
    ...'-nographic -nic none'.split(' '),
    ...startArguments(boot.start),
    ...(boot.clock ? ['-rtc', `base=${boot.clock}`] : []),
    ...Object.entries(boot.disks).flatMap(([name, file]) => disk(name, file)),
  ];
  const started = performance.now();
  const machine = spawn('qemu-system-x86_64', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  let killed = false;
  const pull = (): void => {
    killed = true;
    machine.kill('SIGKILL');
  };
  let pulling: NodeJS.Timeout | undefined;
  machine.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    const { kill } = boot;
    if (kill && !pulling && text.includes(kill.after)) {
      pulling = setTimeout(pull, kill.delayMilliseconds);
    }
  });
  const timeoutSeconds = boot.timeoutSeconds ?? 180;
  const timeout = setTimeout(() => machine.kill('SIGKILL'), timeoutSeconds * 1000);
  await once(machine, 'close');
  clearTimeout(timeout);
  clearTimeout(pulling);
  const seconds = (performance.now() - started) / 1000;
  fs.mkdirSync(path.dirname(boot.log), { recursive: true });
  fs.writeFileSync(boot.log, text);
  if (machine.signalCode === 'SIGKILL' && !killed) {
    throw new Error(`the machine did not switch itself off: see ${boot.log}`);
  }
  return { console: text, seconds, killed };
}
