/**
 * The command as one file of JavaScript, with all that it reads at run time inside: the BLAKE3
 * module and the state root template. Needs nothing beside it but a runtime.
 */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { readTemplate } from 'edged/template';
import { type Plugin, build } from 'esbuild';

const packages = fileURLToPath(new URL('../../', import.meta.url));

/** What CommonJS libraries expect to find, in a file that is an ES module. */
const commonJsNames =
  "import { createRequire as makeRequire } from 'node:module'; " +
  'const require = makeRequire(import.meta.url); const __filename = import.meta.filename;';

/** Writes `outfile`; gives its size in bytes. The same sources give the same bytes. */
export async function bundleCommand(outfile: string): Promise<number> {
  await build({
    entryPoints: [path.join(packages, 'edged/src/main.ts')],
    absWorkingDir: path.dirname(path.dirname(packages)),
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    conditions: ['edged-source'],
    plugins: [embedBlake3, embedTemplate],
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    banner: { js: `#!/usr/bin/env node\n${commonJsNames}` },
    footer: { js: 'await main(process.argv.slice(2));' },
    logLevel: 'error',
  });
  return fs.statSync(outfile).size;
}

const reading =
  "const path = require('path').join(__dirname, 'blake3_js_bg.wasm');\n" +
  "const bytes = require('fs').readFileSync(path);";

const embedBlake3: Plugin = {
  name: 'blake3 inside',
  setup: (bundler) =>
    bundler.onLoad({ filter: /\/blake3_js\.js$/ }, ({ path: file }) => {
      const wasm = fs.readFileSync(path.join(path.dirname(file), 'blake3_js_bg.wasm'));
      const text = fs.readFileSync(file, 'utf8');
      if (!text.includes(reading)) throw new Error(`${file} reads its module in another way`);
      const inside = `const bytes = Buffer.from('${wasm.toString('base64')}', 'base64');`;
      return { contents: text.replace(reading, inside), loader: 'js' };
    }),
};

const embedTemplate: Plugin = {
  name: 'template inside',
  setup: (bundler) =>
    bundler.onLoad({ filter: /\/edged\/src\/template\.ts$/ }, () => ({
      contents: `export const readTemplate = () => (${JSON.stringify(readTemplate())});`,
      loader: 'js',
    })),
};
