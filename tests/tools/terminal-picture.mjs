// Writes docs/demo.svg: a picture of a real terminal, from a real run of the built command.
//
// In a mount namespace of its own a small ext4 is mounted at /srv, and the os-release of a device
// stands in the place of this machine's. The device lives through two OS versions unseen, and
// through the third under a pseudo terminal (script(1)). What it prints is shown as it is, but for
// two things: the kernel of this machine is given a name that anybody may have, and where `keep`
// leaves lines out, there is a gray `…`.
//
// Needs script(1), unshare(1) and mount(8) of util-linux, and as root mkfs.ext4(8). Nothing of the
// machine is changed: the mounts end with the namespace, the rest lies in a temporary directory.
// Without root the namespace is one of a user, which mounts no disk: then the mount check is
// skipped, and the picture has a warning that says so.
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { skipMountCheck } from '@edged/testkit/device/built-command';
import { TestDevice } from '@edged/testkit/device/device';
import { drawTerminal, readTerminal } from '@edged/testkit/documentation/terminal-picture';

const columns = 90;
const disk = '/srv';
const stateRoot = `${disk}/edged`;
const kernelRelease = '6.12.48';
const picture = fileURLToPath(new URL('../../docs/demo.svg', import.meta.url));
const text = {
  title: 'edged on a terminal',
  description:
    'The OS was replaced: edged precheck says so, reconstructs the runtime and counts epoch 2. ' +
    'edged status shows the device on one screen, with its three epochs. Then somebody changes ' +
    'the manifest, and edged doctor says what is wrong and what to do.',
  columns,
};

/** The first findings, the one that failed, and the tally. */
const failedOnly = (lines) => {
  const from = lines.findIndex((line) => line.includes('failed'));
  const to = lines.findIndex((line, index) => index > from && /^\S*(?:ok|skipped)/.test(line));
  const cut = '\u001B[90m…\u001B[39m';
  return [...lines.slice(0, 3), cut, ...lines.slice(from, to), cut, lines.at(-1)];
};

const session = [
  { command: 'edged precheck --config edge.toml' },
  { command: 'edged status --config edge.toml' },
  { command: `echo >> ${stateRoot}/runtime/manifest.json` },
  { command: 'edged doctor --config edge.toml', keep: failedOnly, exitCode: 5 },
];

const isInside = process.argv[2] === 'inside';
if (isInside) await takePicture(process.argv[3], process.argv[4] === 'disk');
else enter();

function enter() {
  const hasDisk = process.getuid() === 0;
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edged-picture-'));
  try {
    const namespaces = hasDisk ? ['--mount'] : ['--user', '--map-root-user', '--mount'];
    const self = [process.execPath, fileURLToPath(import.meta.url), 'inside', directory];
    const order = [...namespaces, ...self, hasDisk ? 'disk' : 'no-disk'];
    execFileSync('unshare', order, { stdio: 'inherit' });
  } finally {
    // the mounts, and the loop device with them, went with the namespace
    fs.rmSync(directory, { recursive: true });
  }
}

async function takePicture(directory, hasDisk) {
  const device = new TestDevice(directory);
  await device.prepare();
  device.flash({ name: '1.0', kernelRelease });
  mountDisk(device, hasDisk);
  for (const place of ['/etc/os-release', '/usr/lib/os-release']) {
    const osRelease = path.join(directory, 'os/usr/lib/os-release');
    if (fs.existsSync(place)) mount('--bind', osRelease, fs.realpathSync(place));
  }
  device.editConfig((config) => config.replaceAll(device.stateRoot, stateRoot));
  const environment = hasDisk ? {} : skipMountCheck;
  for (const name of ['1.0', '1.1']) {
    device.flash({ name, kernelRelease });
    const { exitCode, stderr } = device.precheck([], { environment });
    if (exitCode !== 0) throw new Error(stderr);
  }
  device.flash({ name: '2.0', kernelRelease });
  const printed = session.map((step) => run(step, directory, environment)).join('\r\n');
  const shown = printed.replaceAll(os.release(), kernelRelease);
  fs.writeFileSync(picture, drawTerminal(readTerminal(shown, columns), text));
}

function mountDisk({ directory, stateRoot: prepared }, hasDisk) {
  const image = path.join(directory, 'disk.img');
  if (hasDisk) {
    fs.writeFileSync(image, '');
    fs.truncateSync(image, 64 * 1024 * 1024);
    execFileSync('mkfs.ext4', ['-q', '-F', image]);
    mount('-o', 'loop', image, disk);
  } else {
    fs.mkdirSync(path.join(directory, 'disk'));
    mount('--bind', path.join(directory, 'disk'), disk);
  }
  execFileSync('cp', ['-a', prepared, stateRoot]);
}

function mount(...args) {
  execFileSync('mount', args);
}

/** One command with its prompt, as the terminal received them. */
function run({ command, keep = (lines) => lines, exitCode = 0 }, directory, environment) {
  const record = path.join(directory, 'record');
  const bin = fileURLToPath(new URL('../../packages/edged/bin', import.meta.url));
  const PATH = `${bin}:${path.dirname(process.execPath)}:${process.env.PATH}`;
  const { status } = spawnSync(
    'script',
    ['-qec', `stty cols ${columns} rows 50; ${command}`, record],
    { cwd: directory, env: { PATH, TERM: 'xterm-256color', ...environment }, stdio: 'ignore' },
  );
  // its first and its last line are of script(1)
  const lines = fs.readFileSync(record, 'utf8').split('\n').slice(1, -3);
  const output = lines.map((line) => line.replace(/\r$/, ''));
  if (status !== exitCode) throw new Error([command, `exit ${status}`, ...output].join('\n'));
  const prompt = `\u001B[90m$\u001B[39m \u001B[1m${command}\u001B[22m`;
  return [prompt, ...keep(output), ''].join('\r\n');
}
