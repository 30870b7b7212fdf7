/**
 * Manual pages in the man(7) macros. Whatever text comes in, it goes out as text: no character of
 * it is read as a request, a macro or an escape, and a hyphen stays one that can be copied.
 */

export interface PageHead {
  readonly name: string;
  readonly section: 5 | 8;
  /** RFC 3339; the page shows the day. */
  readonly date: string;
  readonly source: string;
  readonly manual: string;
}

export interface ManualPage {
  /** As it is installed: `edged.8`. */
  readonly file: string;
  readonly section: PageHead['section'];
  readonly text: string;
}

/** `body` is what the functions below give. Words are not hyphenated: names can be searched. */
export function manualPage(head: PageHead, body: readonly string[]): ManualPage {
  const { name, section: number, date, source, manual } = head;
  // the one place where a hyphen stands as it is: the date is read as a date
  const title = [quoted(name.toUpperCase()), number, `"${date.slice(0, 10)}"`];
  const titleLine = ['.TH', ...title, quoted(source), quoted(manual)].join(' ');
  const text = [titleLine, '.nh', '.ad l', ...body, ''].join('\n');
  return { file: `${name}.${number}`, section: number, text };
}

export function section(title: string, ...body: readonly string[]): string {
  // a heading begins a paragraph by itself
  return `.SH ${quoted(title)}\n${body.join('\n').replace(/^\.PP\n/, '')}`;
}

export function subsection(title: string, ...body: readonly string[]): string {
  return [`.SS ${quoted(title)}`, ...body].join('\n');
}

/** Filled text; what stands between backticks is bold. */
export function paragraph(text: string): string {
  return `.PP\n${prose(text)}`;
}

/** As it stands, and what it does below it. */
export function example(line: string, describe: string): string {
  return `.PP\n${asLines(bold(line))}\n.RS 4\n${prose(sentence(describe))}\n.RE`;
}

/** `tag` comes from `bold` and `italic`. */
export function tagged(tag: string, ...texts: readonly string[]): string {
  const [first = '', ...rest] = texts;
  return [`.TP\n${tag}\n${prose(first)}`, ...rest.map((text) => `.br\n${prose(text)}`)].join('\n');
}

/** Lines kept as they are. */
export function verbatim(text: string): string {
  const lines = text.trimEnd().split('\n');
  const kept = lines.map((line) => atLineStart(escaped(line)));
  return ['.PP', '.RS 4', '.nf', ...kept, '.fi', '.RE'].join('\n');
}

/** `edged(8)` and its kind, sorted as they come. */
export function references(
  ...pages: readonly (readonly [name: string, section: number])[]
): string {
  const last = pages.length - 1;
  return pages
    .map(([name, number], index) => `.BR ${escaped(name)} (${number})${index < last ? ',' : ''}`)
    .join('\n');
}

export function bold(text: string): string {
  return text === '' ? '' : `\\fB${escaped(text)}\\fR`;
}

export function italic(text: string): string {
  return text === '' ? '' : `\\fI${escaped(text)}\\fR`;
}

/** With a capital letter and a full stop. */
export function sentence(text: string): string {
  const begun = text.replace(/^[a-z](?=[a-z]*[ ,:])/, (letter) => letter.toUpperCase());
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

export function prose(text: string): string {
  const parts = text.trim().replaceAll(/\s+/g, ' ').split('`');
  return asLines(parts.map((part, at) => (at % 2 === 0 ? escaped(part) : bold(part))).join(''));
}

const special: Readonly<Record<string, string>> = {
  '\\': '\\e',
  '-': '\\-',
  "'": '\\(aq',
  '"': '\\(dq',
  '`': '\\(ga',
  '^': '\\(ha',
  '~': '\\(ti',
};

function escaped(text: string): string {
  return text.replaceAll(/[\\'"`^~-]|\P{ASCII}/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return special[character] ?? `\\[u${code.toString(16).toUpperCase().padStart(4, '0')}]`;
  });
}

/** In lines of about 80, broken at blanks only. */
function asLines(text: string): string {
  const lines = text.match(/.{1,80}(?: |$)|\S+(?: |$)/g) ?? [];
  return lines.map((line) => atLineStart(line.trimEnd())).join('\n');
}

function atLineStart(line: string): string {
  return line.startsWith('.') ? `\\&${line}` : line;
}

function quoted(argument: string): string {
  return `"${escaped(argument)}"`;
}
