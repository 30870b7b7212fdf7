/**
 * npm's registry as this machine reaches it: packages of exact versions, and the settings by which
 * a fresh root reaches it too. Settings that hold a secret are not read; where a registry asks for
 * one, the cells are skipped.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { runEnclosed } from './enclosed-command.ts';
import type { Places } from './places.ts';

/** What a cell needs is not to be had here. The message is the reason why the cell is skipped. */
export class Unavailable extends Error {}

export interface RegistrySettings {
  /** Text of a .npmrc, without `cafile`. */
  readonly npmrc: string;
  /** A file of this machine. */
  readonly certificates: string | undefined;
}

const handedOver =
  /^(?:registry|@[^:]+:registry|proxy|https-proxy|noproxy|strict-ssl|ca)(?:\[\])?$/;

export function readRegistrySettings(): RegistrySettings {
  const listed = execFileSync('npm', ['config', 'list', '--long', '--json'], { encoding: 'utf8' });
  const settings = JSON.parse(listed) as Record<string, unknown>;
  const lines = Object.entries(settings)
    .filter(([name]) => handedOver.test(name))
    .flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).map((one) => [name, one]))
    .filter(([, value]) => value !== null && value !== '')
    .map(([name, value]) => `${String(name)}=${String(value)}\n`);
  const certificates = settings['cafile'] ?? process.env['NODE_EXTRA_CA_CERTS'];
  return {
    npmrc: lines.join(''),
    certificates: typeof certificates === 'string' ? certificates : undefined,
  };
}

/** Why nothing can be installed on this machine; undefined when it can. */
export function whyNoRegistry(): string | undefined {
  const ask = ['view', 'npm@9.2.0', 'version', '--fetch-retries=1', '--prefer-online'];
  const { status, stderr } = spawnSync('npm', ask, { encoding: 'utf8', timeout: 60_000 });
  return status === 0 ? undefined : `needs npm's registry: ${firstError(stderr)}`;
}

/** The tarball of a package, kept. Throws `Unavailable` when the registry does not serve it. */
export async function packageTarball(
  name: string,
  version: string,
  { cache, work, logs }: Places,
  interruption: AbortSignal,
): Promise<string> {
  const file = `${name}-${version}.tgz`;
  const tarball = path.join(cache, file);
  if (fs.existsSync(tarball)) return tarball;
  const log = path.join(logs, `${file}.log`);
  const destination = ['--loglevel=error', '--pack-destination', work];
  const pack = ['npm', 'pack', ...destination, `${name}@${version}`];
  const options = { log, limitSeconds: 300, interruption, workingDirectory: work };
  const { exitCode, output } = await runEnclosed(pack, options);
  if (exitCode !== 0) {
    throw new Unavailable(`no ${name}@${version} from npm's registry: ${firstError(output)}`);
  }
  fs.renameSync(path.join(work, file), tarball);
  return tarball;
}

function firstError(output: string): string {
  const [, error] = /^npm (?:error|ERR!) (?!code |syscall |errno )(.+)$/m.exec(output) ?? [];
  return error ?? 'npm does not say why';
}
