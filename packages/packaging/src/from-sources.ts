/** From these sources to what is shipped, in a directory of the caller: for tests that boot it. */
import path from 'node:path';
import { bundleParts } from './bundle.ts';
import { makeDebianPackage } from './debian.ts';
import { type Architecture, makeExecutable, nativeBlake3File } from './executable.ts';

/** The path of the Debian package, for this machine's architecture. */
export async function debianPackageIn(directory: string): Promise<string> {
  const architecture = process.arch as Architecture;
  const entry = await bundleParts(path.join(directory, 'parts'), nativeBlake3File(architecture));
  const executable = path.join(directory, 'edged');
  makeExecutable(entry, executable, architecture);
  return makeDebianPackage({ executable, directory });
}
