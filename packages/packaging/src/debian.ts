/**
 * `npm run package:deb`: the Debian package of `dist/edged`, built by dpkg-deb. Executable, units,
 * manual pages, completions; the same sources give the same bytes.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { release } from 'edged/release';
import { completionScripts } from 'edged/command-line/completion-scripts';
import { manualPages } from './man/pages.ts';

const top = fileURLToPath(new URL('../../../', import.meta.url));
const maintainer = 'edged maintainers <maintainers@edged.invalid>';
const debianArchitectures = { x64: 'amd64', arm64: 'arm64' } as const;

export interface DebianOrder {
  /** The executable of this machine's architecture. */
  readonly executable: string;
  /** Where the tree is built and the package is written. */
  readonly directory: string;
}

/** The path of the package. Throws what dpkg-deb throws. */
export function makeDebianPackage({ executable, directory }: DebianOrder): string {
  const architecture = debianArchitectures[process.arch as 'x64' | 'arm64'];
  const root = path.join(directory, 'debian-root');
  fs.rmSync(root, { recursive: true, force: true });
  const write = (name: string, content: string | Uint8Array, mode = 0o644): void => {
    const file = path.join(root, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, content, { mode });
  };
  write('usr/bin/edged', fs.readFileSync(executable), 0o755);
  for (const { file, section, text } of manualPages()) {
    write(`usr/share/man/man${section}/${file}.gz`, gzip(text));
  }
  const unitDirectory = '/usr/lib/systemd/system';
  const installer = path.join(top, 'systemd/install');
  const places = ['--prefix', '/usr', '--state-root', '/data/edged'];
  const target = ['--unit-dir', unitDirectory, '--destdir', root];
  // after the manual pages, which the units then name
  execFileSync('sh', [installer, ...places, ...target], { stdio: ['ignore', 'ignore', 'pipe'] });
  write('usr/share/bash-completion/completions/edged', completionScripts.bash);
  write('usr/share/zsh/vendor-completions/_edged', completionScripts.zsh);
  write('usr/share/fish/vendor_completions.d/edged.fish', completionScripts.fish);
  const document = 'usr/share/doc/edged';
  write(`${document}/copyright`, copyright());
  write(`${document}/NEWS.gz`, gzip(fs.readFileSync(path.join(top, 'CHANGELOG.md'), 'utf8')));
  write(`${document}/changelog.gz`, gzip(changelog()));
  write('usr/share/lintian/overrides/edged', overrides);
  write('DEBIAN/control', control(architecture, sizeOf(root)));
  setModes(root);
  const outfile = path.join(directory, `edged_${release.version}_${architecture}.deb`);
  const seconds = String(Date.parse(release.builtAt) / 1000);
  const env = { ...process.env, SOURCE_DATE_EPOCH: seconds };
  // xz at its quickest: ten times the time would save a tenth of the size
  const options = ['--root-owner-group', '-Zxz', '-z1', '--build', root, outfile];
  execFileSync('dpkg-deb', options, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  fs.rmSync(root, { recursive: true });
  return outfile;
}

function control(architecture: string, kibibytes: number): string {
  return `Package: edged
Version: ${release.version}
Section: admin
Priority: optional
Architecture: ${architecture}
Maintainer: ${maintainer}
Installed-Size: ${kibibytes}
Depends: libc6 (>= 2.27)
Suggests: attr
Description: OS-replacement precheck and runtime reconstruction
 An edge device wipes its root filesystem at every OS update; one persistent
 partition survives. edged notices that the operating system was replaced,
 verifies a signed manifest, puts the runtime back and leaves evidence that no
 crash can lose. The agent starts only if all of it holds.
`;
}

function changelog(): string {
  const date = new Date(release.builtAt).toUTCString().replace('GMT', '+0000');
  const head = `edged (${release.version}) unstable; urgency=medium`;
  return `${head}\n\n  * See NEWS.gz.\n\n -- ${maintainer}  ${date}\n`;
}

/** What lintian sees in the runtime that is not of our making. */
const overrides = `# the executable is a JavaScript runtime with the program behind its end
edged: unstripped-binary-or-object [usr/bin/edged]
edged: embedded-library *
`;

function copyright(): string {
  const licence = fs.readFileSync(path.join(top, 'LICENSE'), 'utf8').trim();
  const indented = licence.split('\n').map((line) => ` ${line === '' ? '.' : line}`);
  return [
    'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/',
    'Upstream-Name: edged',
    '',
    'Files: *',
    'Copyright: the edged authors',
    'License: Expat',
    ...indented,
    '',
  ].join('\n');
}

function gzip(text: string): Uint8Array {
  return gzipSync(text, { level: 9 });
}

function sizeOf(root: string): number {
  const files = fs.readdirSync(root, { recursive: true, encoding: 'utf8' });
  const bytes = files.map((name) => fs.statSync(path.join(root, name)).size);
  return Math.ceil(bytes.reduce((sum, size) => sum + size, 0) / 1024);
}

/** Whatever the umask: directories 0755, files as they were written. */
function setModes(root: string): void {
  for (const name of ['.', ...fs.readdirSync(root, { recursive: true, encoding: 'utf8' })]) {
    const file = path.join(root, name);
    const status = fs.statSync(file);
    const isProgram = name === 'usr/bin/edged' || name.startsWith('usr/lib/edged/');
    fs.chmodSync(file, status.isDirectory() || isProgram ? 0o755 : 0o644);
  }
}
