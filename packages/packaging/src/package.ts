/**
 * `npm run package`: dist/edged for this machine, and for the other one if that is to be had; the
 * manual pages in dist/man/.
 */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleForNode, bundleParts } from './bundle.ts';
import { type Architecture, makeExecutable, nativeBlake3File } from './executable.ts';
import { manualPages } from './man/pages.ts';

const dist = fileURLToPath(new URL('../../../dist', import.meta.url));
const mebibyte = 1024 * 1024;

fs.mkdirSync(dist, { recursive: true });
const bundle = path.join(dist, 'node');
const size = await bundleForNode(bundle);
console.log(`${bundle}/: ${(size / 1024).toFixed(0)} KiB, for Node.js 20.19 or newer`);
const manual = path.join(dist, 'man');
fs.rmSync(manual, { recursive: true, force: true });
fs.mkdirSync(manual);
for (const { file, text } of manualPages()) fs.writeFileSync(path.join(manual, file), text);
console.log(`${manual}/: the manual pages`);
for (const architecture of ['x64', 'arm64'] as const satisfies readonly Architecture[]) {
  const isOurs = architecture === process.arch;
  const outfile = path.join(dist, isOurs ? 'edged' : `edged-linux-${architecture}`);
  try {
    const parts = path.join(dist, `parts-${architecture}`);
    const entry = await bundleParts(parts, nativeBlake3File(architecture));
    makeExecutable(entry, outfile, architecture);
    const megabytes = (fs.statSync(outfile).size / mebibyte).toFixed(1);
    console.log(`${outfile}: ${megabytes} MiB, ${architecture}`);
  } catch (error) {
    if (isOurs) throw error;
    console.log(`SKIPPED ${architecture}: ${(error as Error).message}`);
  }
}
