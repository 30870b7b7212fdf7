/** What every cell of a run is made of, and why there may be none on this machine. */
import { execFileSync, spawnSync } from 'node:child_process';
import path from 'node:path';
import { enclosed } from './enclosed-command.ts';
import type { Places } from './places.ts';
import { type RegistrySettings, readRegistrySettings, whyNoRegistry } from './registry.ts';

export interface Materials {
  readonly places: Places;
  readonly interruption: AbortSignal;
  readonly registry: RegistrySettings;
  /** A tarball of what is committed. */
  readonly head: string;
}

/** Why no cell can be lived through on this machine; undefined when all can. */
export function whyNoFreshRoot(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  const tools = ['mmdebstrap', 'unshare', 'setpriv', 'mount', 'pivot_root', 'ip', 'tar', 'git'];
  const missing = tools.filter((tool) => spawnSync(tool, ['-V']).error);
  if (missing.length > 0) return `needs ${missing.join(', ')}`;
  const [program, ...args] = enclosed(['mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], false);
  const { status } = spawnSync(program, args);
  if (status !== 0) return 'needs namespaces, and mounts in them';
  if (spawnSync('git', ['rev-parse', '--verify', 'HEAD']).status !== 0)
    return 'needs a git checkout';
  return whyNoRegistry();
}

export function gatherMaterials(places: Places, interruption: AbortSignal): Materials {
  const head = path.join(places.work, 'head.tar');
  execFileSync('git', ['archive', '--format=tar', `--output=${head}`, 'HEAD']);
  return { places, interruption, registry: readRegistrySettings(), head };
}

/** Files that the cells do not see, since they are not committed as they are. */
export function uncommittedFiles(): string[] {
  const status = execFileSync('git', ['status', '--porcelain'], { encoding: 'utf8' });
  return status.split('\n').filter((line) => line !== '');
}
