/**
 * A Debian root with systemd, made by mmdebstrap from Debian's packages, and edged installed in it
 * from its own Debian package. Kept below dist/boot, so that it is made once.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { Need } from '../needs.ts';

export const bootDirectory = path.resolve('dist/boot');

/** To make a root, and a partition for it. */
export const rootNeeds: readonly Need[] = [
  'root',
  'an x86-64 machine',
  'mmdebstrap',
  'dpkg-deb',
  'mkfs.ext4',
  'mount',
  'the right to mount',
  'loop devices',
];

/** The tarball of a Debian root with these packages beside systemd. Throws what mmdebstrap does. */
export function debianRoot(name: string, packages: readonly string[]): string {
  const tarball = path.join(bootDirectory, `${name}.tar`);
  if (fs.existsSync(tarball)) return tarball;
  fs.mkdirSync(bootDirectory, { recursive: true });
  const include = ['systemd', 'systemd-sysv', 'dbus', 'udev', ...packages].join(',');
  const options = ['--variant=minbase', '--format=tar', `--include=${include}`, '--quiet'];
  execFileSync('mmdebstrap', [...options, 'bookworm', `${tarball}.new`], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  fs.renameSync(`${tarball}.new`, tarball);
  return tarball;
}

/** Unpacks a root and installs the package as an operator does: `dpkg -i`, `systemctl enable`. */
export function installEdged(tarball: string, debianPackage: string, root: string): void {
  fs.mkdirSync(root, { recursive: true });
  execFileSync('tar', ['-xf', tarball, '-C', root]);
  fs.copyFileSync(debianPackage, path.join(root, 'edged.deb'));
  const inside = (...command: string[]): void => {
    execFileSync('chroot', [root, ...command], { stdio: ['ignore', 'ignore', 'pipe'] });
  };
  inside('dpkg', '-i', '/edged.deb');
  inside('systemctl', 'enable', 'edged-precheck.service', 'edged.service');
  fs.rmSync(path.join(root, 'edged.deb'));
  // a machine that has booted before: otherwise systemd applies its presets
  fs.writeFileSync(path.join(root, 'etc/machine-id'), `${'0123456789abcdef'.repeat(2)}\n`);
  fs.mkdirSync(path.join(root, 'data'), { recursive: true });
}

/** The OS image states another version. */
export function stateVersion(root: string, version: string): void {
  const file = path.join(root, 'usr/lib/os-release');
  const text = fs.readFileSync(file, 'utf8').replace(/^IMAGE_VERSION=.*\n/m, '');
  fs.writeFileSync(file, `${text}IMAGE_VERSION=${version}\n`);
}
