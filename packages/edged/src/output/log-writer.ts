/**
 * Log lines on stderr (spec section 5): Go slog text without a time, strings always quoted, numbers
 * bare; or one JSON object a line. Under systemd each line carries its `<N>` priority
 * (sd-daemon(3)), so that `journalctl -p err` finds it.
 */
import type { Level } from '@edged/precheck/event';

export type LogFormat = 'text' | 'json';

export interface LogSettings {
  readonly level: Level;
  readonly format: LogFormat;
  readonly priorityPrefix: boolean;
}

export type LogValue = string | number | boolean;
export type LogLine = (
  level: Level,
  message: string,
  attributes: Readonly<Record<string, LogValue>>,
) => void;

const severity = { debug: 0, info: 1, warn: 2, error: 3 } as const satisfies Record<Level, number>;
const priority = { debug: 7, info: 6, warn: 4, error: 3 } as const satisfies Record<Level, number>;

export function createLog(settings: LogSettings, write: (text: string) => void): LogLine {
  return (level, message, attributes) => {
    if (severity[level] < severity[settings.level]) return;
    const prefix = settings.priorityPrefix ? `<${priority[level]}>` : '';
    const encode = settings.format === 'json' ? encodeJson : encodeText;
    write(`${prefix}${encode(level, message, attributes)}\n`);
  };
}

function encodeJson(
  level: Level,
  message: string,
  attributes: Readonly<Record<string, LogValue>>,
): string {
  return JSON.stringify({ level: level.toUpperCase(), msg: message, ...attributes });
}

function encodeText(
  level: Level,
  message: string,
  attributes: Readonly<Record<string, LogValue>>,
): string {
  const pairs = Object.entries(attributes).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? quote(value) : value}`,
  );
  return [`level=${level.toUpperCase()}`, `msg=${quote(message)}`, ...pairs].join(' ');
}

const named: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};

/** As Go's strconv.Quote: what cannot be printed is escaped, so that no value forges a line. */
export function quote(text: string): string {
  return `"${printable(text.replace(/["\\]/g, (character) => named[character] ?? character))}"`;
}

/** For a terminal: nothing in a text from elsewhere moves its cursor or turns it around. */
export function printable(text: string): string {
  return text.replace(/[^\P{C}]|[\u2028\u2029]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    const short = named[character];
    if (short !== undefined) return short;
    if (code < 0x80) return `\\x${hex(code, 2)}`;
    return code > 0xffff ? `\\U${hex(code, 8)}` : `\\u${hex(code, 4)}`;
  });
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}
