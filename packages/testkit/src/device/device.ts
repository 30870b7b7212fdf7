/** A prepared device in a temporary directory, gone when the test is over. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { loadSigningSeed, signBytes } from '@edged/model/manifest-signature';
import { SimulatedDevice } from 'edged/simulation/device';
import { removeTree } from './removal.ts';
import { type TestKey, signText } from './signing.ts';
import { type CommandOptions, type CommandResult, runCommand } from './built-command.ts';

export class TestDevice extends SimulatedDevice {
  readonly outside: string[] = [];
  readonly mounted: string[] = [];

  /** `edged precheck` as a child process, on the OS of this machine. */
  precheck(args: readonly string[] = [], options: CommandOptions = {}): CommandResult {
    return runCommand(['precheck', '--config', this.config, ...args], options);
  }

  readJson(relative: string): Record<string, unknown> {
    return JSON.parse(this.read(relative)) as Record<string, unknown>;
  }

  fingerprint(): Record<string, unknown> {
    return this.readJson('state-root/bootstrap/os_fingerprint.json');
  }

  /** The fingerprint with these keys put in the place of the stored ones. */
  editFingerprint(changes: Readonly<Record<string, unknown>>): void {
    const edited = { ...this.fingerprint(), ...changes };
    this.write('state-root/bootstrap/os_fingerprint.json', JSON.stringify(edited));
  }

  evidence(of: 'current' | 'previous'): Record<string, unknown> {
    return this.readJson(`state-root/epoch/${of}/evidence.json`);
  }

  /** BootEpoch that the evidence speaks of. */
  evidenceEpoch(of: 'current' | 'previous'): unknown {
    return (this.evidence(of)['os_fingerprint'] as Record<string, unknown>)['boot_epoch'];
  }

  writeManifest(operations: readonly unknown[], more: Record<string, unknown> = {}): void {
    const manifest = { version: '1', operations, ...more };
    this.write('state-root/runtime/manifest.json', JSON.stringify(manifest));
    this.signRaw();
  }

  editConfig(edit: (text: string) => string): void {
    this.write('edge.toml', edit(this.read('edge.toml')));
  }

  /** Names that only an unfinished change has. */
  leftovers(): string[] {
    return this.tree().filter((name) => /transaction|\.precheck\.lock|epoch_\d+\./.test(name));
  }

  /** Nanoseconds since 1970 of the last change of every entry. */
  modificationTimes(): Record<string, string> {
    return Object.fromEntries(
      [...this.tree(), '.'].map((name) => {
        const { ctimeNs, mtimeNs } = fs.lstatSync(this.inside(name), { bigint: true });
        return [name, `${ctimeNs} ${mtimeNs}`];
      }),
    );
  }

  /** Signs whatever bytes stand there, without a word. */
  signRaw(): void {
    const key = loadSigningSeed(
      fs.readFileSync(path.join(this.directory, 'keys/manifest-sign.key')),
    );
    const manifest = fs.readFileSync(this.inside('runtime/manifest.json'));
    fs.writeFileSync(this.inside('runtime/manifest.json.sig'), signBytes(manifest, key));
  }

  /** A keyring in the OS image that the next boot finds. */
  writeKeyring(text: string, place = 'etc', name = 'fleet.json'): void {
    const directory = place === 'etc' ? 'os/etc/edged/keyring.d' : 'os/usr/lib/edged/keyring.d';
    this.write(`${directory}/${name}`, text);
  }

  /** The manifest signed by these keys: the first as `.sig`, the others as `.sig.N`. */
  signBy(...keys: readonly TestKey[]): void {
    const manifest = this.read('state-root/runtime/manifest.json');
    for (const name of this.tree('runtime')) {
      if (name.startsWith('runtime/manifest.json.sig')) fs.rmSync(this.inside(name));
    }
    for (const [index, key] of keys.entries()) {
      const suffix = index === 0 ? '' : `.${index}`;
      const file = `state-root/runtime/manifest.json.sig${suffix}`;
      this.write(file, signText(manifest, key));
    }
  }

  /** A keyring update in the state root, signed by these keys. */
  writeKeyringUpdate(version: number, text: string, ...keys: readonly TestKey[]): void {
    const file = `state-root/identity/keyring/${version}.json`;
    this.write(file, text);
    for (const [index, key] of keys.entries()) {
      this.write(`${file}.sig${index === 0 ? '' : `.${index}`}`, signText(text, key));
    }
  }

  /** Something outside the device's directory that goes with it. */
  removeLater(outside: string): void {
    this.outside.push(outside);
  }

  /** Mounted there: to be unmounted before the device goes. */
  unmountLater(directory: string): void {
    this.mounted.push(directory);
  }

  exists(relative: string): boolean {
    return fs.existsSync(path.join(this.directory, relative));
  }
}

export async function withDevice(act: (device: TestDevice) => void | Promise<void>): Promise<void> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edged-test-'));
  const device = new TestDevice(directory);
  try {
    await device.prepare();
    device.flash({ name: '1.0', kernelRelease: '6.1.0-1' });
    await act(device);
  } finally {
    for (const place of device.mounted) execFileSync('umount', [place]);
    for (const entry of [directory, ...device.outside]) removeTree(entry);
  }
}
