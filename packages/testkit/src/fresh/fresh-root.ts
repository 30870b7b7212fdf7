/**
 * A Debian root as a stranger has it: minbase, Node and npm, and what these two ask for. No git, no
 * compiler, no strace. A user of its own owns a checkout of HEAD, at a path with spaces. Base roots
 * are kept as tarballs, one for each release and list of packages; mmdebstrap takes them from the
 * Debian mirrors that it knows, through the network of this machine.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { type FreshCell, nameOf, nodePackage, packagesOf } from './cells.ts';
import { type CommandOptions, lastLines, runEnclosed } from './enclosed-command.ts';
import type { Materials } from './materials.ts';
import { Unavailable, packageTarball } from './registry.ts';
import type { Leftovers } from './verdict.ts';

export const stranger = { name: 'stranger', id: 1000, home: '/home/stranger' } as const;
export const checkout = `${stranger.home}/my projects/edged`;
/** A directory with what npm itself needs to run a script, and nothing else. */
export const barePath = '/opt/bare';
const bareTools = ['node', 'npm', 'sh'];
const certificates = `${stranger.home}/.registry.pem`;

/** Makes the root of a cell; its directory. */
export async function makeRoot(cell: FreshCell, materials: Materials): Promise<string> {
  const { places } = materials;
  const root = path.join(places.work, nameOf(cell));
  const base = await baseRoot(cell, materials);
  fs.mkdirSync(root);
  await must(['tar', '-xf', base, '-C', root], materials);
  const { toolchain } = cell;
  if (toolchain !== 'debian') {
    const node = nodePackage(process.arch);
    await unpack(node, toolchain.node, path.join(root, 'opt/node'), materials);
    fs.symlinkSync('/opt/node/bin/node', path.join(root, 'usr/bin/node'));
    await unpack('npm', toolchain.npm, path.join(root, 'usr/lib/node_modules/npm'), materials);
    for (const tool of ['npm', 'npx']) {
      const target = `../lib/node_modules/npm/bin/${tool}-cli.js`;
      fs.symlinkSync(target, path.join(root, 'usr/bin', tool));
    }
  }
  if (cell.hasBarePath) {
    fs.mkdirSync(path.join(root, barePath), { recursive: true });
    for (const tool of bareTools) {
      fs.symlinkSync(`/usr/bin/${tool}`, path.join(root, barePath, tool));
    }
  }
  await moveIn(root, materials);
  return root;
}

/** The tarball of a root with these packages and the user. */
async function baseRoot(cell: FreshCell, materials: Materials): Promise<string> {
  const { cache, work, logs } = materials.places;
  const { release } = cell;
  const packages = packagesOf(cell);
  const unread = ['doc', 'locale', 'man'].map((each) => `path-exclude=/usr/share/${each}/*`);
  const addUser = `useradd --root "$1" --create-home --uid ${stranger.id} ${stranger.name}`;
  const options = [...unread, 'force-unsafe-io'].map((option) => `--dpkgopt=${option}`);
  const recipe = ['mmdebstrap', '--quiet', '--mode=root', '--variant=minbase', '--format=tar'];
  recipe.push(
    ...options,
    `--include=${packages.join(',')}`,
    `--customize-hook=${addUser}`,
    release,
  );
  const digest = createHash('sha256').update(recipe.join('\n')).digest('hex').slice(0, 12);
  const name = `${release}-${packages[0]}-${digest}`;
  const tarball = path.join(cache, `${name}.tar`);
  if (fs.existsSync(tarball)) return tarball;
  const log = path.join(logs, `${name}.log`);
  const unfinished = path.join(work, `${name}.tar`);
  const { exitCode, output } = await runEnclosed([...recipe, unfinished], {
    log,
    limitSeconds: 900,
    interruption: materials.interruption,
    // where mmdebstrap unpacks
    environment: { ...process.env, TMPDIR: work },
  });
  if (exitCode !== 0) {
    const isOffline = /Failed to fetch|Temporary failure resolving|Could not (?:connect|resolve)/;
    if (isOffline.test(output)) throw new Unavailable('no Debian mirror answers');
    throw new Error(`mmdebstrap: exit ${exitCode}: ${lastLines(output, 3).join(' ')} (${log})`);
  }
  fs.renameSync(unfinished, tarball);
  return tarball;
}

/** The package itself, without what its archive calls `package/`. */
async function unpack(
  name: string,
  version: string,
  into: string,
  materials: Materials,
): Promise<void> {
  const { places, interruption } = materials;
  const tarball = await packageTarball(name, version, places, interruption);
  fs.mkdirSync(into, { recursive: true });
  const options = ['--strip-components=1', '--no-same-owner'];
  await must(['tar', '-xf', tarball, '-C', into, ...options], materials);
}

/** The checkout, and the way to the registry. */
async function moveIn(root: string, materials: Materials): Promise<void> {
  const { head, registry } = materials;
  const inside = (name: string): string => path.join(root, name);
  fs.mkdirSync(inside(checkout), { recursive: true });
  await must(['tar', '-xf', head, '-C', inside(checkout)], materials);
  for (const name of ['/etc/resolv.conf', '/etc/hosts']) {
    if (fs.existsSync(name)) fs.copyFileSync(name, inside(name));
  }
  let { npmrc } = registry;
  if (registry.certificates !== undefined) {
    fs.copyFileSync(registry.certificates, inside(certificates));
    npmrc += `cafile=${certificates}\n`;
  }
  fs.writeFileSync(inside(`${stranger.home}/.npmrc`), npmrc);
  const owner = `${stranger.id}:${stranger.id}`;
  await must(['chown', '-R', owner, inside(stranger.home)], materials);
}

async function must(command: readonly string[], materials: Materials): Promise<void> {
  const { places, interruption } = materials;
  const log = path.join(places.logs, 'preparation.log');
  const options: CommandOptions = { log, limitSeconds: 300, interruption };
  const { exitCode, output } = await runEnclosed(command, options);
  if (exitCode !== 0) {
    throw new Error(`${command[0]}: exit ${exitCode}: ${lastLines(output, 3).join(' ')}`);
  }
}

/** What `npm start` has brought into the root. */
export function leftovers(root: string): Leftovers {
  const index = path.join(root, stranger.home, '.npm/_cacache/index-v5');
  const entries = fs.existsSync(index)
    ? fs.readdirSync(index, { recursive: true, withFileTypes: true })
    : [];
  return {
    hasNodeModules: fs.existsSync(path.join(root, checkout, 'node_modules')),
    downloads: entries
      .filter((entry) => entry.isFile())
      .flatMap((entry) => fs.readFileSync(path.join(entry.parentPath, entry.name), 'utf8'))
      .flatMap((text) => [...text.matchAll(/"key":"[^"]*?(https?:[^"]+)"/g)])
      .map(([, address = '']) => address),
  };
}
