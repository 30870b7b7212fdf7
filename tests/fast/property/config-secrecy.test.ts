/** However a config is broken around the salt, nothing that edged says of it holds the salt. */
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PrecheckError } from '@edged/model/failure';
import { resultOf } from '@edged/precheck/precheck-result';
import { reportFailure } from 'edged/command-context';
import { parseConfig } from 'edged/config/config';
import { createLog } from 'edged/output/log-writer';
import { exampleConfig } from 'edged/simulation/example-config';
import fc from 'fast-check';
import { stringify } from 'smol-toml';
import { parse } from 'yaml';

const cases = Number(process.env['HOSTILE_CASES'] ?? 3000);
const seed = Number(process.env['HOSTILE_SEED'] ?? 1);
const circumstances = {
  stateRoot: '/data',
  bootId: '',
  recordedAt: '',
  durationSeconds: 0,
  mountCheckSkipped: undefined,
};
const warnings: string[] = [];
const heard = (warning: Error): void => void warnings.push(String(warning));

beforeAll(() => void process.on('warning', heard));
afterAll(() => void process.off('warning', heard));

/** All that anybody gets to see of a refusal; empty where there is none. */
async function saidOf(text: string): Promise<string> {
  const error: unknown = await parseConfig(text, 'edge.toml').catch((refusal: unknown) => refusal);
  if (!(error instanceof PrecheckError)) return '';
  const said: string[] = [];
  for (const format of ['text', 'json'] as const) {
    const settings = { level: 'debug', format, priorityPrefix: false } as const;
    reportFailure(
      error,
      createLog(settings, (line) => said.push(line)),
    );
  }
  said.push(JSON.stringify(resultOf(error, circumstances)), inspect(error, { depth: 9 }));
  return said.join('\n').toLowerCase();
}

function piecesOf(salt: string): string[] {
  return Array.from({ length: salt.length - 15 }, (_, at) => salt.slice(at, at + 16).toLowerCase());
}

function shownPieces(said: string, salt: string): string[] {
  return piecesOf(salt).filter((piece) => said.includes(piece));
}

const digits = [...'0123456789abcdef'];
const salts = fc.oneof(
  fc.string({ unit: fc.constantFrom(...digits), minLength: 64, maxLength: 64 }),
  fc.string({ unit: fc.constantFrom(...digits.slice(1, 10)), minLength: 64, maxLength: 64 }),
  fc.constant('00112233445566778899aabbccddeeff'.repeat(2)),
);
const example = exampleConfig('/data/edged', '/etc/edged');
const plain = (text: string): string => text.replace(/(fleet_salt: )"(\w+)"/, '$1$2');
const texts = (salt: string): string[] => {
  const yaml = example.replace(/(fleet_salt: )"\w+"/, `$1"${salt}"`);
  const value = parse(yaml) as Record<string, unknown>;
  const json = [JSON.stringify(value), JSON.stringify(value, null, 2)];
  return [yaml, plain(yaml), yaml.replaceAll('"', "'"), ...json, stringify(value)];
};
const structure = [...'{}[]",:\'*!|>&?-#%@`=.\n\t \\_a0'];
const edit = fc.record({
  /** Letters from the salt, mostly near; or anywhere. */
  at: fc.oneof(
    { arbitrary: fc.integer({ min: -30, max: 80 }), weight: 3 },
    { arbitrary: fc.integer({ min: -300, max: 2000 }), weight: 1 },
  ),
  removed: fc.nat(3),
  inserted: fc
    .array(fc.constantFrom(...structure), { maxLength: 3 })
    .map((letters) => letters.join('')),
});

test('a slip or three around the salt', async () => {
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(
      salts,
      fc.nat(5),
      fc.array(edit, { minLength: 1, maxLength: 3 }),
      async (salt, which, edits) => {
        const original = texts(salt)[which] ?? example;
        const from = original.indexOf(salt);
        let text = original;
        for (const { at, removed, inserted } of edits) {
          const place = Math.max(0, from + at);
          text = text.slice(0, place) + inserted + text.slice(place + removed);
        }
        const said = await saidOf(text);
        if (said !== '') refused += 1;
        expect({ text, shown: shownPieces(said, salt) }).toEqual({ text, shown: [] });
      },
    ),
    { numRuns: cases, seed },
  );
  expect(refused).toBeGreaterThan(cases / 3);
  expect(warnings).toEqual([]);
}, 300_000);

const salt = '00112233445566778899aabbccddeeff'.repeat(2);
const json = JSON.stringify(parse(texts(salt)[0] ?? ''));

test.each([
  ['a stray brace', example.replace('identity:', 'identity: }')],
  ['a stray bracket', example.replace('  fleet_salt', ']\n  fleet_salt')],
  ['an alias', example.replace(/fleet_salt: "(\w+)"/, 'fleet_salt: *$1')],
  ['a tag', example.replace(/fleet_salt: "(\w+)"/, 'fleet_salt: !$1')],
  ['the head of a block', example.replace(/fleet_salt: "(\w+)"/, 'fleet_salt: |$1')],
  ['an anchor twice', example.replace(/fleet_salt: "(\w+)"/, 'fleet_salt: &$1 &$1 x')],
  ['an escape', example.replace(/fleet_salt: "(\w+)"/, 'fleet_salt: "\\$1"')],
  ['a comma for a colon', json.replace('"fleet_salt":', '"fleet_salt",')],
  ['a mapping as a key', json.replace('"identity":{', '"identity":{}, {')],
  ['as an unknown key', example.replace(/fleet_salt: "(\w+)"/, '$1: fleet_salt')],
  ['behind a dash', example.replace(/fleet_salt: "(\w+)"/, 'fleet_salt-$1: x')],
  ['as a text over lines', example.replace(/(-id)?\n  fleet_salt: "(\w+)"/, '\n    $2\u0001')],
])('%s', async (_what, text) => {
  const own = /fleet_salt: "(\w+)"/.exec(example)?.[1] ?? '';
  const said = await saidOf(text);
  expect(said).toContain('config.');
  expect([...shownPieces(said, own), ...shownPieces(said, salt)]).toEqual([]);
});

describe('the salt, written otherwise, in the place of another value', () => {
  const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 });
  const grouped = (hex: string, size: number, by: string): string =>
    (hex.match(new RegExp(`.{1,${size}}`, 'g')) ?? []).join(by);
  const forms: readonly (readonly [string, (salt: Buffer) => string])[] = [
    ['groups of eight', (raw) => grouped(raw.toString('hex'), 8, '-')],
    ['groups of two', (raw) => grouped(raw.toString('hex').toUpperCase(), 2, ':')],
    ['words', (raw) => grouped(raw.toString('hex'), 4, ' ')],
    ['base64', (raw) => raw.toString('base64')],
    ['base64url', (raw) => raw.toString('base64url')],
  ];
  test.each(forms)('%s', async (_what, form) => {
    await fc.assert(
      fc.asyncProperty(bytes, async (raw) => {
        const text = form(Buffer.from(raw));
        const said = await saidOf(example.replace('mode: baseline', `mode: "${text}"`));
        expect(said).toContain(`a text of ${text.length} letters (hidden)`);
        expect(said).not.toContain(text.slice(0, 12).toLowerCase());
      }),
      { numRuns: 50, seed },
    );
  });

  test('of any other text 24 letters are quoted', async () => {
    const said = await saidOf(example.replace('mode: baseline', `mode: ${'fast '.repeat(9)}`));
    expect(said).toContain('fast fast fast fast fast');
    expect(said).not.toContain('fast fast fast fast fast ');
  });
});

test('the library warns nobody in its own name', () => {
  expect(warnings).toEqual([]);
});
