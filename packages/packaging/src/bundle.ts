/**
 * The command as JavaScript, with all that it reads at run time inside: the BLAKE3 module and the
 * state root template. Needs nothing beside it but a runtime.
 */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { readTemplate } from 'edged/template';
import { type BuildOptions, type Plugin, build } from 'esbuild';
import { commandFile, linkForNode } from './node-linker.ts';

const packages = fileURLToPath(new URL('../../', import.meta.url));

/** What CommonJS libraries expect to find, in a file that is an ES module. */
const commonJsNames =
  "import { createRequire as makeRequire } from 'node:module'; " +
  'const require = makeRequire(import.meta.url); const __filename = import.meta.filename;';

const entry =
  "import './last-resort.ts'; import { main } from './main.ts'; main(process.argv.slice(2));";

const common = {
  stdin: { contents: entry, resolveDir: path.join(packages, 'edged/src'), loader: 'ts' },
  absWorkingDir: path.dirname(packages),
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  conditions: ['edged-source'],
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  logLevel: 'error',
} as const satisfies BuildOptions;

/**
 * For Node.js: `edged.cjs`, which a boot needs, and `parts/`, which other work needs; gives their
 * size in bytes. The same sources give the same bytes.
 */
export async function bundleForNode(directory: string): Promise<number> {
  const { outputFiles, metafile } = await build({
    ...common,
    outdir: directory,
    outExtension: { '.js': '.cjs' },
    metafile: true,
    write: false,
    external: ['@napi-rs/blake-hash'], // used where it is installed
    plugins: [embedBlake3, embedTemplate],
  });
  const files = await linkForNode(outputFiles, metafile);
  fs.rmSync(directory, { recursive: true, force: true });
  fs.mkdirSync(path.join(directory, 'parts'), { recursive: true });
  for (const [name, text] of files) fs.writeFileSync(path.join(directory, name), text);
  fs.chmodSync(path.join(directory, commandFile), 0o755);
  return files.reduce((bytes, [, text]) => bytes + Buffer.byteLength(text), 0);
}

/**
 * For the executable, in parts: a boot loads the parts that it needs. Gives the name of the part to
 * start with. `nativeBlake3` is the addon of the architecture that it is for.
 */
export async function bundleParts(directory: string, nativeBlake3: string): Promise<string> {
  fs.rmSync(directory, { recursive: true, force: true });
  await build({
    ...common,
    outdir: directory,
    outExtension: { '.js': '.mjs' },
    banner: { js: commonJsNames },
    plugins: [embedBlake3, embedNativeBlake3(nativeBlake3), embedTemplate],
  });
  return path.join(directory, 'stdin.mjs');
}

/** `util` brings, for one class that is global anyway, what costs more than the whole module. */
const decoder = 'require(String.raw`util`)';
const reading =
  "const path = require('path').join(__dirname, 'blake3_js_bg.wasm');\n" +
  "const bytes = require('fs').readFileSync(path);";

const embedBlake3: Plugin = {
  name: 'blake3 inside',
  setup: (bundler) =>
    bundler.onLoad({ filter: /\/blake3_js\.js$/ }, ({ path: file }) => {
      const wasm = fs.readFileSync(path.join(path.dirname(file), 'blake3_js_bg.wasm'));
      const text = fs.readFileSync(file, 'utf8');
      const inside = `const bytes = Buffer.from('${wasm.toString('base64')}', 'base64');`;
      const contents = text.replace(decoder, 'globalThis').replace(reading, inside);
      if (contents.includes('require(')) throw new Error(`${file} loads in another way`);
      return { contents, loader: 'js' };
    }),
};

/**
 * The addon inside. A library is loaded from a file: it is written to a directory that is ours
 * alone, and gone again at once. Where that is not possible, BLAKE3 is computed without it.
 */
function embedNativeBlake3(file: string): Plugin {
  const addon = fs.readFileSync(file).toString('base64');
  const contents = `
    import fs from 'node:fs'; import os from 'node:os'; import path from 'node:path';
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edged-'));
    const file = path.join(directory, 'blake3.node');
    const loaded = { exports: {} };
    try {
      fs.writeFileSync(file, Buffer.from('${addon}', 'base64'), { mode: 0o700, flag: 'wx' });
      process.dlopen(loaded, file);
    } finally {
      fs.rmSync(directory, { recursive: true, force: true });
    }
    export const { Blake3Hasher } = loaded.exports;`;
  return {
    name: 'native BLAKE3 inside',
    setup(bundler) {
      const filter = /^@napi-rs\/blake-hash$/;
      bundler.onResolve({ filter }, () => ({ path: 'blake3', namespace: 'native' }));
      bundler.onLoad({ filter: /./, namespace: 'native' }, () => ({ contents, loader: 'js' }));
    },
  };
}

const embedTemplate: Plugin = {
  name: 'template inside',
  setup: (bundler) =>
    bundler.onLoad({ filter: /\/edged\/src\/template\.ts$/ }, () => ({
      contents: `export const readTemplate = () => (${JSON.stringify(readTemplate())});`,
      loader: 'js',
    })),
};
