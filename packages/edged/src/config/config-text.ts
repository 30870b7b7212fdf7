/**
 * YAML 1.2, TOML or JSON, decided by content (spec section 3): the file is called `edge.toml` and
 * usually holds YAML. Gives the plain value and, for every path in it, the place in the text.
 */
import type { ConfigReading } from './config-reading.ts';
import { parseToml } from './config-toml.ts';
import { parseYaml } from './config-yaml.ts';

export interface ConfigText extends ConfigReading {
  readonly language: 'yaml' | 'toml' | 'json';
}

/** Never throws, and keeps no error of a library: it holds parts of the text. */
export function parseConfigText(text: string): ConfigText {
  const language = languageOf(text);
  return { language, ...(language === 'toml' ? parseToml(text) : parseYaml(text)) };
}

/** Judged by the first line that says something. JSON is read as the YAML 1.2 that it is. */
export function languageOf(text: string): ConfigText['language'] {
  const first = text.split(/\r?\n/).find((line) => !/^\s*(?:#.*)?$/.test(line)) ?? '';
  if (/^\s*\{/.test(first)) return 'json';
  const isTomlLine = /^\s*(?:\[\[?[^\]]+\]\]?\s*(?:#.*)?$|[\w."'-]+(?:\s*\.\s*[\w."'-]+)*\s*=)/;
  return isTomlLine.test(first) ? 'toml' : 'yaml';
}
