/** The picture of the README can be shown anywhere: small, well-formed, nothing but a picture. */
import fs from 'node:fs';
import { describe, expect, test } from '@jest/globals';

const svg = fs.readFileSync('docs/demo.svg', 'utf8');

/** What is wrong with an XML document that has no prolog, no comment and no CDATA. */
function problemIn(xml: string): string | undefined {
  const attribute = /\s+([\w:-]+)="([^<&"]|&(?:amp|lt|gt|quot|apos);)*"/g;
  const open: string[] = [];
  let rest = xml.trim();
  while (rest !== '') {
    const text = /^(?:[^<>&]|&(?:amp|lt|gt|quot|apos);)+/.exec(rest)?.[0];
    const tag = /^<(\/?)([\w:-]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/.exec(rest);
    if (text === undefined && !tag) return `neither text nor tag: ${rest.slice(0, 40)}`;
    if (text !== undefined && open.length === 0) return `text outside: ${text}`;
    rest = rest.slice(text?.length ?? tag?.[0].length);
    if (text !== undefined || !tag) continue;
    const [, isEnd, name = '', attributes = '', isEmpty] = tag;
    const names = [...attributes.matchAll(attribute)].map(([, one]) => one);
    if (attributes.replaceAll(attribute, '') !== '') return `attributes: ${attributes}`;
    if (new Set(names).size !== names.length) return `an attribute twice: ${attributes}`;
    if (isEnd && open.pop() !== name) return `</${name}> ends nothing`;
    if (!isEnd && !isEmpty) open.push(name);
    if (open.length === 0 && rest !== '') return `more than one element: ${rest.slice(0, 40)}`;
  }
  return open.length === 0 ? undefined : `not ended: ${open.join(' ')}`;
}

describe('docs/demo.svg', () => {
  test('is well-formed', () => {
    expect(problemIn(svg)).toBeUndefined();
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" /);
  });

  test.each([
    ['an element that is not ended', '</g>', ''],
    ['one that ends twice', '</g>', '</g></g>'],
    ['a bare &', '</title>', ' & more</title>'],
    ['a bare <', '</title>', ' < more</title>'],
    ['an attribute twice', '<svg ', '<svg role="img" '],
    ['an attribute without quotes', 'role="img"', 'role=img'],
    ['a second element', '</svg>', '</svg><svg/>'],
  ])('would not be well-formed with %s', (_what, from, to) => {
    expect(svg).toContain(from);
    expect(problemIn(svg.replace(from, to))).toBeDefined();
  });

  test('is made of text and shapes, and refers to nothing', () => {
    const elements = new Set([...svg.matchAll(/<([\w:-]+)/g)].map(([, name]) => name));
    const drawing = ['svg', 'title', 'desc', 'rect', 'circle', 'g', 'text', 'tspan'];
    expect(elements).toEqual(new Set(drawing));
    expect(svg).not.toMatch(/\son\w+=|href|url\(|@import|style=/);
  });

  test('says in words what it shows', () => {
    expect(svg).toMatch(/role="img" aria-labelledby="title description"/);
    expect(svg).toMatch(
      /<title id="title">[^<]+<\/title>\n<desc id="description">[^<]{80,}<\/desc>/,
    );
  });

  test('shows a device whose OS was replaced, its epochs, and a finding with its remedy', () => {
    const words = svg.replaceAll(/<[^>]+>/g, ' ').replaceAll(/\s+/g, ' ');
    for (const part of ['edge.os.update_detected', 'epochs 2 ', 'manifest.signature_invalid']) {
      expect(words).toContain(part);
    }
    expect(words).not.toMatch(/\/tmp\/|mount_check_skipped/);
  });

  test('stays small', () => {
    expect(Buffer.byteLength(svg)).toBeLessThan(40_000);
  });

  test('stands in the README, with words in its place', () => {
    expect(fs.readFileSync('README.md', 'utf8')).toMatch(/!\[[^\]]{20,}\]\(docs\/demo\.svg\)/);
  });
});
