/**
 * A device in a temporary directory: a state root, OS images, a config, keys. The precheck that
 * runs on it is the real one on the real disk; only the files of the "running" OS image and the
 * kernel release are given in place of this machine's.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { Host } from '@edged/host/host';
import { linuxHost } from '@edged/host/linux-host';
import { askWorker } from '@edged/host/linux-worker';
import { issueSelfSigned } from '@edged/precheck/certificate/certificate-issue';
import { runInit } from '../commands/init.ts';
import { privateKeyName, publicKeyName, runKeygen } from '../commands/keygen.ts';
import { runPrecheck } from '../commands/precheck.ts';
import { layout } from '@edged/model/layout';
import { runSign } from '../commands/sign.ts';
import type { CommandContext } from '../command-context.ts';
import { defaults } from '../defaults.ts';
import { createLog } from '../output/log-writer.ts';
import { exampleConfig } from './example-config.ts';

export interface OsImage {
  readonly name: string;
  readonly kernelRelease: string;
}

export interface BootOptions {
  /** Puts faults between precheck and the machine. */
  readonly wrapHost?: (host: Host) => Host;
  readonly dryRun?: boolean;
  readonly rotateCerts?: boolean;
  readonly skipMountCheck?: boolean;
  readonly lockWaitSeconds?: number;
}

export interface BootResult {
  readonly exitCode: number;
  readonly logLines: readonly string[];
}

export class SimulatedDevice {
  readonly directory: string;
  readonly stateRoot: string;
  readonly config: string;
  #running: OsImage = { name: 'none', kernelRelease: 'none' };

  constructor(directory: string) {
    this.directory = directory;
    this.stateRoot = path.join(directory, 'state-root');
    this.config = path.join(directory, 'edge.toml');
  }

  /** What an engineer does once: state root, keys, runtime, certificate, config. */
  async prepare(): Promise<void> {
    const context = this.#context([]);
    const keys = path.join(this.directory, 'keys');
    runInit(this.stateRoot, context);
    runKeygen(keys, context);
    fs.copyFileSync(path.join(keys, publicKeyName), this.inside(`identity/${publicKeyName}`));
    this.write('state-root/runtime/binaries/edged', 'edged, version 1\n', 0o755);
    this.write('state-root/runtime/binaries/edge-agent', '#!/bin/sh\necho agent 1\n', 0o755);
    this.write('state-root/edge/segments/0001.seg', 'the data of the agent\n');
    const operations = [
      { op: 'copy_binary', src: 'runtime/binaries/edge-agent', dst: 'runtime/bin/edge-agent' },
      { op: 'verify_config', src: 'bootstrap/config.yaml' },
    ];
    this.write('state-root/runtime/manifest.json', JSON.stringify({ version: '1', operations }));
    this.sign();
    await this.issueCertificate(90);
    const config = exampleConfig(this.stateRoot, this.directory);
    this.write('edge.toml', config);
    this.write('state-root/bootstrap/config.yaml', config);
  }

  /** Replaces the OS: other os-release files, another kernel. The state root stays. */
  flash(image: OsImage): void {
    const osRelease = `ID=edgeos\nVERSION_ID=${image.name}\n`;
    this.write('os/usr/lib/os-release', osRelease);
    this.write('os/etc/os-release', osRelease);
    this.#running = image;
  }

  /** One boot: the real precheck, with its log lines. */
  async boot(options: BootOptions = {}): Promise<BootResult> {
    const { wrapHost = (host) => host, dryRun = false } = options;
    const logLines: string[] = [];
    const context = this.#context(logLines, options.skipMountCheck);
    const exitCode = await runPrecheck(
      {
        config: this.config,
        rotateCerts: options.rotateCerts ?? false,
        rotationValidDays: defaults.rotationValidDays,
        logLevel: 'info',
        logFormat: 'text',
        output: 'text',
        dryRun,
        plan: false,
        root: undefined,
        osRelease: undefined,
        kernelRelease: undefined,
        metricsTextfile: undefined,
        lockWaitSeconds: options.lockWaitSeconds ?? defaults.lockWaitSeconds,
      },
      { ...context, host: wrapHost(context.host) },
    );
    return { exitCode, logLines };
  }

  sign(): void {
    const file = this.inside('runtime/manifest.json');
    const key = path.join(this.directory, 'keys', privateKeyName);
    runSign({ file, key, signature: undefined }, this.#context([]));
  }

  async issueCertificate(validDays: number, issuedAt = Date.now()): Promise<void> {
    const { certificatePem, keyPem } = await issueSelfSigned('edge-001', issuedAt, validDays);
    this.write('edge.crt', certificatePem);
    this.write('edge.key', keyPem, 0o600);
  }

  inside(relative: string): string {
    return path.join(this.stateRoot, relative);
  }

  write(relative: string, text: string | Uint8Array, mode = 0o644): void {
    const file = path.join(this.directory, relative);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text, { mode });
  }

  read(relative: string, encoding: 'utf8' | 'latin1' = 'utf8'): string {
    return fs.readFileSync(path.join(this.directory, relative), encoding);
  }

  /** Undefined when there is no fingerprint. */
  bootEpoch(): number | undefined {
    const file = this.inside('bootstrap/os_fingerprint.json');
    if (!fs.existsSync(file)) return undefined;
    return (JSON.parse(fs.readFileSync(file, 'utf8')) as { boot_epoch: number }).boot_epoch;
  }

  /** Every entry below the state root, sorted; symlinks are not followed. */
  tree(directory = ''): string[] {
    return fs
      .readdirSync(this.inside(directory), { withFileTypes: true })
      .flatMap((entry) => {
        const name = path.join(directory, entry.name);
        return entry.isDirectory() ? [name, ...this.tree(name)] : [name];
      })
      .sort();
  }

  /** One digest over names, modes and bytes of everything in the state root. */
  treeDigest(): string {
    const hash = createHash('sha256');
    for (const name of this.tree()) {
      if (name === layout.lastResult) continue; // the one file that a failed run may write
      const file = this.inside(name);
      const status = fs.lstatSync(file);
      hash.update(`${name}\0${status.mode}\0`);
      if (status.isFile()) hash.update(fs.readFileSync(file));
      if (status.isSymbolicLink()) hash.update(fs.readlinkSync(file));
    }
    return hash.digest('hex');
  }

  #context(logLines: string[], skipMountCheck = true): CommandContext {
    const settings = { level: 'info', format: 'text', priorityPrefix: false } as const;
    return {
      host: linuxHost({
        osRoot: path.join(this.directory, 'os'),
        kernelRelease: this.#running.kernelRelease,
      }),
      settings: {
        stateRoot: undefined,
        skipMountCheck,
        credentialsDirectory: undefined,
        runtimeDirectory: undefined,
        shell: undefined,
        notifySocket: undefined,
        stdoutStyle: () => ({ color: false, columns: 80 }),
        stderrIsTerminal: () => false,
        stderrIsJournal: false,
      },
      askWorker,
      terminal: { out: () => undefined, error: () => undefined, status: () => undefined },
      log: createLog(settings, (line) => logLines.push(line.trimEnd())),
    };
  }
}
