import { describe, expect, test } from '@jest/globals';
import { drawTerminal, readTerminal } from '@edged/testkit/documentation/terminal-picture';

const escape = '\u001B';

/** Lines as plain text, runs at their columns. */
function shown(printed: string, columns = 20): string[] {
  return readTerminal(printed, columns).map((runs) =>
    runs.reduce((line, { column, text }) => line.padEnd(column) + text, ''),
  );
}

function drawn(printed: string): string {
  const text = { title: 'a <title>', description: 'this & that', columns: 20 };
  return drawTerminal(readTerminal(printed, 20), text);
}

describe('what stands on the screen', () => {
  test('lines, also empty ones, and one at the end that is not closed', () => {
    expect(shown('one\r\n\r\nthree\n')).toEqual(['one', '', 'three']);
    expect(shown('one\r\nend')).toEqual(['one', 'end']);
  });

  test('a carriage return writes over what is there, and leaves what it does not reach', () => {
    expect(shown('50 %\r100\r\n')).toEqual(['100%']);
  });

  test('erasing to the end of the line takes the rest away', () => {
    expect(shown(`copying 50 %\rdone${escape}[K\r\n`)).toEqual(['done']);
  });

  test('a long line goes on in the next, one that just fits does not', () => {
    expect(shown('abcdefgh', 3)).toEqual(['abc', 'def', 'gh']);
    expect(shown('abc\r\nd', 3)).toEqual(['abc', 'd']);
  });

  test('colours and bold begin and end where they are said to', () => {
    const printed = `${escape}[31mred${escape}[39m ${escape}[1;32mboth${escape}[0m plain`;
    expect(readTerminal(printed, 20)).toEqual([
      [
        { color: '#ff7b72', isBold: false, column: 0, text: 'red' },
        { color: '#3fb950', isBold: true, column: 4, text: 'both' },
        { color: undefined, isBold: false, column: 9, text: 'plain' },
      ],
    ]);
  });

  test('what is no blank after two blanks is a run of its own', () => {
    const columns = readTerminal('epoch   2, since', 20).map((runs) => runs.map((r) => r.column));
    expect(columns).toEqual([[0, 8]]);
  });

  test.each([
    ['a cursor that moves up', `one${escape}[1A`],
    ['a colour that has no place here', `${escape}[44mblue`],
    ['a bell', 'one\u0007'],
    ['half a sequence', `one${escape}[3`],
  ])('%s is refused', (_what, printed) => {
    expect(() => readTerminal(printed, 20)).toThrow('not understood');
  });
});

describe('the picture', () => {
  test.each([
    ['red', 31, '#ff7b72'],
    ['green', 32, '#3fb950'],
    ['yellow', 33, '#d29922'],
    ['gray', 90, '#8b949e'],
  ])('%s', (_name, code, color) => {
    const tspan = new RegExp(`<tspan [^>]*fill="${color}">word</tspan>`);
    expect(drawn(`${escape}[${code}mword${escape}[39m`)).toMatch(tspan);
    expect(drawn('word')).not.toMatch(tspan);
  });

  test('bold', () => {
    expect(drawn(`${escape}[1mword${escape}[22m`)).toMatch(/font-weight="bold">word</);
    expect(drawn('word')).not.toContain('font-weight');
  });

  test('what means something in XML is escaped, in the text and in the title', () => {
    const svg = drawn('a <b> & c');
    expect(svg).toContain('>a &lt;b&gt; &amp; c</tspan>');
    expect(svg).toContain('<title id="title">a &lt;title&gt;</title>');
    expect(svg).toContain('>this &amp; that</desc>');
  });

  test('is as high as its lines need', () => {
    const height = (printed: string): number =>
      Number(/ height="(\d+)" role/.exec(drawn(printed))?.[1]);
    expect(height('a\r\nb\r\nc') - height('a')).toBe(36);
  });
});
