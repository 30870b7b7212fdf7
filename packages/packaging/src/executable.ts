/**
 * The command as one executable file: the bundle with the Bun runtime around it, its bytecode
 * inside (docs/decisions/0003-runtime.md). The runtime comes from the registry, as the lockfile
 * names it; that of the other architecture is fetched and held against the lockfile's digest.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export type Architecture = 'x64' | 'arm64';

const top = fileURLToPath(new URL('../../../', import.meta.url));

/** For x64 the build that asks for no AVX2: an edge device may be ten years old. */
const runtimes: Readonly<Record<Architecture, string>> = {
  x64: '@oven/bun-linux-x64-baseline',
  arm64: '@oven/bun-linux-aarch64',
};

/** Bytes; the runtime is nearly all of it. */
export const largestExecutable = 130 * 1024 * 1024;

/**
 * Writes the executable for `architecture` to `outfile`. The same parts give the same bytes.
 * Throws when the runtime of this machine is not installed, and what `npm pack` throws.
 */
export function makeExecutable(entry: string, outfile: string, architecture: Architecture): void {
  const compiler = runtimeFile(process.arch as Architecture);
  const runtime = architecture === process.arch ? compiler : runtimeFile(architecture);
  const target = architecture === 'x64' ? 'bun-linux-x64-baseline' : 'bun-linux-arm64';
  const options = [
    '--compile',
    '--bytecode',
    '--format=esm',
    '--minify',
    '--splitting',
    `--target=${target}`,
    `--compile-executable-path=${runtime}`,
    // nothing in the directory where it happens to be started may change what it does
    '--no-compile-autoload-dotenv',
    '--no-compile-autoload-bunfig',
    '--no-compile-autoload-tsconfig',
    '--no-compile-autoload-package-json',
  ];
  // the names of the parts go into the executable: always the same, whatever the directory
  const work = path.dirname(entry);
  const args = ['build', path.basename(entry), ...options, `--outfile=${path.resolve(outfile)}`];
  execFileSync(compiler, args, { cwd: work, stdio: ['ignore', 'ignore', 'pipe'] });
  const { size } = fs.statSync(outfile);
  if (size > largestExecutable) throw new Error(`${outfile} is too large: ${size} bytes`);
}

function runtimeFile(architecture: Architecture): string {
  return fileOf(runtimes[architecture], 'bin/bun', architecture);
}

/** The addon that computes BLAKE3 on this architecture. Throws as `makeExecutable` does. */
export function nativeBlake3File(architecture: Architecture): string {
  const name = `@napi-rs/blake-hash-linux-${architecture}-gnu`;
  return fileOf(name, `blake.linux-${architecture}-gnu.node`, architecture);
}

function fileOf(name: string, file: string, architecture: Architecture): string {
  const installed = path.join(top, 'node_modules', name, file);
  if (fs.existsSync(installed)) return installed;
  if (architecture === process.arch) throw new Error(`${name} is not installed: npm ci`);
  return path.join(fetchPackage(name), file);
}

interface Locked {
  readonly version: string;
  readonly integrity: string;
}

/** A package of the other architecture, which npm does not install here; its directory. */
function fetchPackage(name: string): string {
  const lock = JSON.parse(fs.readFileSync(path.join(top, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, Locked>>;
  };
  const locked = lock.packages[`node_modules/${name}`];
  if (!locked) throw new Error(`the lockfile does not name ${name}`);
  const directory = path.join(top, 'dist/runtimes', `${path.basename(name)}-${locked.version}`);
  const unpacked = path.join(directory, 'package');
  if (fs.existsSync(unpacked)) return unpacked;
  fs.mkdirSync(directory, { recursive: true });
  const pack = ['pack', `${name}@${locked.version}`, '--pack-destination', directory, '--silent'];
  const archive = execFileSync('npm', pack, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const file = path.join(directory, archive.trim().split('\n').at(-1) ?? '');
  const found = `sha512-${createHash('sha512').update(fs.readFileSync(file)).digest('base64')}`;
  if (found !== locked.integrity) {
    fs.rmSync(directory, { recursive: true });
    throw new Error(`${name}: the digest is not the one of the lockfile`);
  }
  execFileSync('tar', ['-xzf', file, '-C', directory]);
  fs.rmSync(file);
  return unpacked;
}
