/**
 * What a program printed on a terminal, as an SVG: text and colours only, no script and no font of
 * its own. Reads what edged prints there (line breaks, carriage returns, erasing to the end of a
 * line, colours and bold) and refuses any other sequence, so that no picture shows what no terminal
 * would have shown.
 */

/** SGR codes (ECMA-48 8.3.117), with colours that can be read on the window's background. */
const colors: Readonly<Record<number, string>> = {
  31: '#ff7b72',
  32: '#3fb950',
  33: '#d29922',
  34: '#58a6ff',
  35: '#bc8cff',
  36: '#39c5cf',
  90: '#8b949e',
};
const window = { background: '#0d1117', border: '#444c56', text: '#e6edf3' } as const;
const lights = ['#ff5f57', '#febc2e', '#28c840'] as const;

const fontSize = 13;
const cell = { width: 7.8, height: 18 } as const;
const margin = 18;
const titleBar = 34;

export interface CellStyle {
  readonly color: string | undefined;
  readonly isBold: boolean;
}

/** Text in one style, from this column, from 0. */
export interface Run extends CellStyle {
  readonly column: number;
  readonly text: string;
}

export interface PictureText {
  readonly title: string;
  readonly description: string;
  readonly columns: number;
}

interface Cell extends CellStyle {
  readonly character: string;
}

const plain: CellStyle = { color: undefined, isBold: false };
// oxlint-disable-next-line no-control-regex
const token = /\u001B\[([\d;]*)([A-Za-z])|[^\u0000-\u001F\u007F]|[\n\r]/gu;

/** What stands on an endless screen of this width when all is printed, as runs by line. */
export function readTerminal(printed: string, columns: number): readonly (readonly Run[])[] {
  const screen: Cell[][] = [[]];
  let line: Cell[] = screen[0] ?? [];
  let column = 0;
  let style = plain;
  let read = 0;
  const newLine = (): void => {
    line = [];
    screen.push(line);
  };
  for (const { 0: text, 1: codes = '', 2: letter, index } of printed.matchAll(token)) {
    if (index !== read) throw unreadable(printed, read);
    read += text.length;
    if (letter === 'm') style = codes.split(';').map(Number).reduce(restyle, style);
    else if (letter === 'K' && codes === '') line.length = Math.min(line.length, column);
    else if (letter !== undefined) throw unreadable(printed, index);
    else if (text === '\r') column = 0;
    else if (text === '\n') {
      newLine();
      column = 0;
    } else {
      if (column === columns) {
        newLine();
        column = 0;
      }
      while (line.length < column) line.push({ ...plain, character: ' ' });
      line[column] = { ...style, character: text };
      column += 1;
    }
  }
  if (read !== printed.length) throw unreadable(printed, read);
  if (line.length === 0) screen.pop();
  return screen.map(runsOf);
}

function unreadable(printed: string, index: number): Error {
  return new Error(`not understood: ${JSON.stringify(printed.slice(index, index + 8))}`);
}

function restyle(style: CellStyle, code: number): CellStyle {
  if (code === 0) return plain;
  if (code === 1 || code === 22) return { ...style, isBold: code === 1 };
  if (code === 39) return { ...style, color: undefined };
  const color = colors[code];
  if (color === undefined) throw new Error(`not understood: SGR ${code}`);
  return { ...style, color };
}

/** A gap of two blanks or more ends a run: what follows has its own place on the grid. */
function runsOf(cells: readonly Cell[]): readonly Run[] {
  const runs: Run[] = [];
  cells.forEach(({ character, color, isBold }, column) => {
    const last = runs.at(-1);
    const isSame = last?.color === color && last?.isBold === isBold;
    if (last && isSame && !(character !== ' ' && last.text.endsWith('  '))) {
      runs[runs.length - 1] = { ...last, text: last.text + character };
    } else runs.push({ color, isBold, column, text: character });
  });
  return runs
    .map((run) => {
      const text = run.text.trimStart();
      const column = run.column + run.text.length - text.length;
      return { ...run, column, text: text.trimEnd() };
    })
    .filter(({ text }) => text !== '');
}

export function drawTerminal(
  lines: readonly (readonly Run[])[],
  { title, description, columns }: PictureText,
): string {
  const width = Math.ceil(columns * cell.width + 2 * margin);
  const height = titleBar + lines.length * cell.height + margin;
  const dots = lights.map(
    (fill, index) => `<circle cx="${margin + 4 + index * 18}" cy="18" r="5.5" fill="${fill}"/>`,
  );
  const rows = lines.flatMap((runs, index) => {
    const y = titleBar + (index + 1) * cell.height - 4;
    return runs.length === 0 ? [] : [`<text y="${y}">${runs.map(drawRun).join('')}</text>`];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" ` +
      `width="${width}" height="${height}" role="img" aria-labelledby="title description">`,
    `<title id="title">${escapeXml(title)}</title>`,
    `<desc id="description">${escapeXml(description)}</desc>`,
    `<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="9" ` +
      `fill="${window.background}" stroke="${window.border}"/>`,
    ...dots,
    `<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', ` +
      `'Liberation Mono', monospace" font-size="${fontSize}" fill="${window.text}">`,
    ...rows,
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

/** `textLength` keeps to the grid whatever font the reader has. */
function drawRun({ column, text, color, isBold }: Run): string {
  const x = (margin + column * cell.width).toFixed(1);
  const length = (Array.from(text).length * cell.width).toFixed(1);
  const fill = color === undefined ? '' : ` fill="${color}"`;
  const weight = isBold ? ' font-weight="bold"' : '';
  const adjust = `textLength="${length}" lengthAdjust="spacingAndGlyphs"`;
  return `<tspan x="${x}" ${adjust}${fill}${weight}>${escapeXml(text)}</tspan>`;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
