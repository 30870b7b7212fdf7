/**
 * TOML. What the library does not do by itself:
 * - it keeps no places: table headers and keys are looked up in the text;
 * - it vouches for no message: only plain words of one are passed on, never what may be the salt.
 */
import { TomlError, parse } from 'smol-toml';
import type { ConfigPath, ConfigReading } from './config-text.ts';

export function parseToml(text: string): ConfigReading {
  try {
    const value = parse(text);
    return { problems: [], document: { value, placeOf: (path) => placeOf(text, path) } };
  } catch (error) {
    if (!(error instanceof TomlError)) return { problems: [{ at: '1:1', problem: unreadable }] };
    return { problems: [{ at: `${error.line}:${error.column}`, problem: inWords(error) }] };
  }
}

const unreadable = 'something that cannot stand here';

/** No word is as long as a secret, or has its digits. */
function inWords({ message }: TomlError): string {
  const [first = ''] = message.replace('Invalid TOML document: ', '').split('\n');
  return /^[a-z]{1,14}(?:[ :,.-]+[a-z]{1,14})*\.?$/.test(first) ? first : unreadable;
}

function placeOf(text: string, path: ConfigPath): string {
  const wanted = path.join('.');
  let table = '';
  let best = { depth: -1, place: '1:1' };
  text.split(/\r?\n/).forEach((line, index) => {
    const header = /^\s*\[\s*([^\]]+?)\s*\]/.exec(line)?.[1];
    const key = /^\s*([\w."'-]+)\s*=/.exec(line)?.[1];
    if (header !== undefined) table = unquote(header);
    const here =
      header === undefined ? [table, unquote(key ?? '')].filter(Boolean).join('.') : table;
    if (header === undefined && key === undefined) return;
    const holds = wanted === here || wanted.startsWith(`${here}.`);
    if (!holds || here.length <= best.depth) return;
    best = { depth: here.length, place: `${index + 1}:${line.search(/\S/) + 1}` };
  });
  return best.place;
}

function unquote(name: string): string {
  return name.replaceAll(/["'\s]/g, '');
}
