/**
 * The command as JavaScript, in one file or in parts, with all that it reads at run time inside:
 * the BLAKE3 module and the state root template. Needs nothing beside it but a runtime.
 */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { readTemplate } from 'edged/template';
import { type BuildOptions, type Plugin, build } from 'esbuild';

const packages = fileURLToPath(new URL('../../', import.meta.url));

/** What CommonJS libraries expect to find, in a file that is an ES module. */
const commonJsNames =
  "import { createRequire as makeRequire } from 'node:module'; " +
  'const require = makeRequire(import.meta.url); const __filename = import.meta.filename;';

const entry = "import { main } from './main.ts'; await main(process.argv.slice(2));";

const common = {
  stdin: { contents: entry, resolveDir: path.join(packages, 'edged/src'), loader: 'ts' },
  absWorkingDir: path.dirname(path.dirname(packages)),
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  conditions: ['edged-source'],
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  logLevel: 'error',
} as const satisfies BuildOptions;

/** One file for Node.js; gives its size in bytes. The same sources give the same bytes. */
export async function bundleCommand(outfile: string): Promise<number> {
  const banner = { js: `#!/usr/bin/env node\n${commonJsNames}` };
  await build({ ...common, outfile, banner, plugins: [embedBlake3, embedTemplate] });
  fs.chmodSync(outfile, 0o755);
  return fs.statSync(outfile).size;
}

/**
 * The same in parts, for the executable: a boot loads the parts that it needs. Gives the name of
 * the part to start with.
 */
export async function bundleParts(directory: string): Promise<string> {
  fs.rmSync(directory, { recursive: true, force: true });
  await build({
    ...common,
    outdir: directory,
    splitting: true,
    outExtension: { '.js': '.mjs' },
    banner: { js: commonJsNames },
    plugins: [embedBlake3, embedTemplate],
  });
  return path.join(directory, 'stdin.mjs');
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
