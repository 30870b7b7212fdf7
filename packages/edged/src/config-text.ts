/**
 * YAML 1.2, TOML or JSON, decided by content (spec section 3): the file is called `edge.toml` and
 * usually holds YAML. Gives the plain value and, for every path in it, the place in the text.
 */
import { parseToml } from './config-toml.ts';
import { parseYaml } from './config-yaml.ts';

export type ConfigPath = readonly (string | number)[];

/** In words of our own: what a library says may quote the text, and the text holds a secret. */
export interface SyntaxProblem {
  /** `line:column`, from 1. */
  readonly at: string;
  readonly problem: string;
}

/** What one language has to say of a text. */
export interface ConfigReading {
  readonly problems: readonly SyntaxProblem[];
  /** Undefined when the problems leave none. */
  readonly document?: ConfigDocument;
}

export interface ConfigDocument {
  readonly value: unknown;
  /** `line:column` of the key, or of the nearest parent that stands in the text. From 1. */
  readonly placeOf: (path: ConfigPath) => string;
}

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
