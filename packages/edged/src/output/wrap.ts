/**
 * Text in lines of a given width. What stands between backticks is never broken, so that a command
 * can be copied from a terminal as it is; a word that is too long has a line to itself.
 */

/** What stands before the first line, and before all others. */
export interface Indent {
  readonly first: string;
  readonly rest: string;
}

const none: Indent = { first: '', rest: '' };

const leastColumns = 20;

/**
 * Lines of two columns, with two blanks or more between them: the second goes on below itself, or,
 * where it would have too little room, below the first.
 */
export function wrapColumns(lines: string, columns: number): string {
  const wrapLine = (line: string): string => {
    if (line.length <= columns) return line;
    const [first = '', indent = ''] = /^( {2,})\S+(?: \S+)* {2,}(?=\S)/.exec(line) ?? [];
    const text = line.slice(first.length);
    const isBeside = first === '' || columns - first.length >= leastColumns;
    if (isBeside) return wrap(text, columns, { first, rest: ' '.repeat(first.length) });
    const below = `${indent}  `;
    return `${first.trimEnd()}\n${wrap(text, columns, { first: below, rest: below })}`;
  };
  return lines.split('\n').map(wrapLine).join('\n');
}

/** Any run of blanks counts as one. No line is longer than `columns`, but for a single word. */
export function wrap(text: string, columns: number, { first, rest }: Indent = none): string {
  const lines: string[] = [];
  let line = first;
  let isEmpty = true;
  for (const word of text.match(/(?:`[^`]*`|[^\s`]|`)+/g) ?? []) {
    if (!isEmpty && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = rest;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line].join('\n');
}
