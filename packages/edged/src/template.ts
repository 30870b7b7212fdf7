/**
 * The state root template: every directory and file of it. In a checkout it is read from
 * `state-root-template/`; a bundle carries it inside, since nothing lies beside the executable.
 */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export interface TemplateEntry {
  /** Relative, with `/`. */
  readonly name: string;
  /** Undefined for a directory. */
  readonly text: string | undefined;
}

/** A directory comes before what lies in it. */
export function readTemplate(): readonly TemplateEntry[] {
  const top = fileURLToPath(new URL('../../../state-root-template', import.meta.url));
  return fs
    .readdirSync(top, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const file = path.join(top, name);
      const text = fs.statSync(file).isDirectory() ? undefined : fs.readFileSync(file, 'utf8');
      return { name, text };
    });
}
