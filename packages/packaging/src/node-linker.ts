/**
 * Puts the parts of a bundle together for Node.js, so that a boot reads one file: its ES module
 * loader takes longer for thirty small files, and for the names of `node:fs`, than the boot itself.
 * The parts that a matching boot runs become functions in that file; the others stay files, read
 * when they are asked for. Both are CommonJS, and each part is evaluated once.
 */
import path from 'node:path';
import { type Metafile, type OutputFile, transform } from 'esbuild';

/** The name of the file to start, beside `parts/`. */
export const commandFile = 'edged.cjs';

/** As `engines` in package.json says, by its major. */
const oldestMajor = 20;

/** What a matching boot imports on its way, besides what the entry does at once. */
const bootModules = [
  'packages/edged/src/commands/precheck.ts',
  'packages/precheck/src/certificate/certificate-gate.ts',
];

/** Name and text of each file to write. `outputFiles` are the ES modules that `metafile` names. */
export async function linkForNode(
  outputFiles: readonly OutputFile[],
  metafile: Metafile,
): Promise<readonly (readonly [string, string])[]> {
  const parts = new Map<string, string>();
  for (const { path: file, text } of outputFiles) parts.set(path.basename(file), await wrap(text));
  const boot = partsOfBoot(metafile);
  const inside = [...boot.names].map((name) => `${JSON.stringify(name)}:${parts.get(name)}`);
  const command = `#!/usr/bin/env node
'use strict';
if (Number.parseInt(process.versions.node, 10) < ${oldestMajor}) {
  const found = 'found="' + process.version + '" needed=">=${oldestMajor}"';
  console.error('level=ERROR msg="edged: this Node.js is too old" ' + found);
  process.exit(5);
}
const inside = {${inside.join(',\n')}};
const loaded = new Map();
function load(name) {
  if (!name.startsWith('./')) return require(name);
  const part = name.slice(2);
  const known = loaded.get(part);
  if (known) return known.exports;
  const module = { exports: {} };
  loaded.set(part, module);
  const body = inside[part];
  if (body) body(module.exports, load, module, __filename);
  else {
    const { href } = require('node:url').pathToFileURL(__filename);
    require('./parts/' + part)(module.exports, load, module, __filename, href);
  }
  return module.exports;
}
load('./${boot.entry}');
`;
  const outside = [...parts].filter(([name]) => !boot.names.has(name));
  return [
    [commandFile, command],
    ...outside.map(([name, text]) => [`parts/${name}`, `module.exports = ${text};\n`] as const),
  ];
}

/** In parentheses, so that it is compiled at once and not looked through first. */
async function wrap(text: string): Promise<string> {
  const { code } = await transform(text, {
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    supported: { 'dynamic-import': false }, // becomes require: every part is CommonJS
    define: { 'import.meta.url': '__url' },
    minifySyntax: true,
    minifyWhitespace: true,
  });
  return `(function (exports, require, module, __filename, __url) {${code}})`;
}

function partsOfBoot({ outputs }: Metafile): { entry: string; names: ReadonlySet<string> } {
  const byEntry = new Map(Object.entries(outputs).map(([file, part]) => [part.entryPoint, file]));
  const entry = byEntry.get('<stdin>');
  const names = new Set<string>();
  const add = (file: string): void => {
    const part = outputs[file];
    const name = path.basename(file);
    if (!part || names.has(name)) return;
    names.add(name);
    for (const { kind, path: next } of part.imports) if (kind === 'import-statement') add(next);
  };
  for (const module of ['<stdin>', ...bootModules]) {
    const file = byEntry.get(module);
    if (!file) throw new Error(`the bundle has no part that begins with ${module}`);
    add(file);
  }
  return { entry: path.basename(entry ?? ''), names };
}
