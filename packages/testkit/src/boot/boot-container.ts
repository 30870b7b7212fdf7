/**
 * Boots a root with its own systemd in a container (systemd-nspawn), with a real ext4 partition as
 * state root, and tells what systemd made of it. Half a second a boot. What a container does not
 * show: another kernel, a boot loader, PrivateNetwork=.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { Need } from '../needs.ts';
import { type BootReport, readReport, reportScript, reportUnit } from './boot-report.ts';
import { rootNeeds } from './root-image.ts';

export const containerNeeds: readonly Need[] = [...rootNeeds, 'systemd-nspawn'];

export interface ContainerBoot {
  /** Lines of /etc/fstab. */
  readonly fstab?: readonly string[];
  /** Units and drop-ins, by their path below the unit directory. */
  readonly units?: Readonly<Record<string, string>>;
  /** Programs for the container, found there in /case. */
  readonly programs?: Readonly<Record<string, string>>;
  /** Directories of this machine, where they are in the container. */
  readonly binds?: Readonly<Record<string, string>>;
  /** Shell commands before the report is made. */
  readonly act?: string;
  /** Another kernel release: uname says 2.6.x. */
  readonly oldKernel?: boolean;
  /** The report is not waited for: the container is switched off by a unit of its own. */
  readonly endsItself?: boolean;
}

export interface ContainerReport extends BootReport {
  readonly console: string;
  readonly seconds: number;
}

const unitDirectory = 'usr/local/lib/systemd/system';
const bootTimeoutMilliseconds = 60_000;

/** One boot, from power-on to power-off. Throws when it does not end. */
export function bootContainer(root: string, work: string, boot: ContainerBoot): ContainerReport {
  const caseDirectory = path.join(work, 'case');
  fs.rmSync(caseDirectory, { recursive: true, force: true });
  fs.mkdirSync(caseDirectory, { recursive: true });
  const programs = { ...boot.programs, act: boot.act ?? 'true', report: reportScript('/case') };
  for (const [name, text] of Object.entries(programs)) {
    fs.writeFileSync(path.join(caseDirectory, name), text, { mode: 0o755 });
  }
  fs.writeFileSync(path.join(root, 'etc/fstab'), `${(boot.fstab ?? []).join('\n')}\n`);
  writeUnits(root, boot.units ?? {});
  const binds = { [caseDirectory]: '/case', ...boot.binds };
  const command = [
    ...(boot.oldKernel ? ['setarch', '--uname-2.6'] : []),
    'systemd-nspawn',
    '--quiet',
    '--boot',
    '--register=no',
    '--keep-unit',
    '--console=pipe',
    `--directory=${root}`,
    ...Object.entries(binds).map(([from, to]) => `--bind=${from}:${to}`),
  ];
  const started = performance.now();
  const { stdout, stderr, error } = spawnSync(command[0] ?? '', command.slice(1), {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: bootTimeoutMilliseconds,
  });
  const seconds = (performance.now() - started) / 1000;
  const report = readReport(caseDirectory);
  if (error || (!boot.endsItself && report.journal.length === 0)) {
    throw new Error(`the container did not boot to its end: ${error?.message} ${stdout}${stderr}`);
  }
  return { ...report, console: stdout, seconds };
}

function writeUnits(root: string, units: Readonly<Record<string, string>>): void {
  const directory = path.join(root, unitDirectory);
  fs.rmSync(directory, { recursive: true, force: true });
  const wants = 'multi-user.target.wants';
  fs.mkdirSync(path.join(directory, wants), { recursive: true });
  for (const [name, text] of Object.entries({ 'report.service': reportUnit('/case'), ...units })) {
    const file = path.join(directory, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
    if (text.includes('WantedBy=multi-user.target') && !name.includes('/')) {
      fs.symlinkSync(`../${name}`, path.join(directory, wants, name));
    }
  }
}
