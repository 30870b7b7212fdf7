/** `npm run package:deb`, after `npm run package`. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeDebianPackage } from './debian.ts';

const dist = fileURLToPath(new URL('../../../dist', import.meta.url));
const executable = path.join(dist, 'edged');
console.log(makeDebianPackage({ executable, directory: dist }));
