/** Whatever `plain-yaml.ts` reads, the full YAML reader reads in the same way. */
import { expect, test } from '@jest/globals';
import { mutated } from '@edged/testkit/hostile/mutation';
import { parseConfigText } from 'edged/config/config-text';
import { readPlainYaml } from 'edged/config/plain-yaml';
import { exampleConfig } from 'edged/simulation/example-config';
import fc from 'fast-check';

const example = exampleConfig('/data/edged', '/etc/edged');
const cases = Number(process.env['HOSTILE_CASES'] ?? 3000);
const seed = Number(process.env['HOSTILE_SEED'] ?? 1);

async function agree(text: string): Promise<boolean> {
  const plain = readPlainYaml(text);
  if (plain === undefined) return false;
  const { problems, document } = parseConfigText(text);
  expect({ text, problems, value: plain }).toEqual({ text, problems: [], value: document?.value });
  return true;
}

test('the example', async () => {
  expect(await agree(example)).toBe(true);
});

test('the example, edited', async () => {
  let read = 0;
  await fc.assert(
    fc.asyncProperty(
      mutated(example, '# a comment\nschema: v1\nstate_root:\n  root: /x\n'),
      async (bytes) => {
        if (await agree(Buffer.from(bytes).toString())) read += 1;
      },
    ),
    { numRuns: cases, seed },
  );
  expect(read).toBeGreaterThan(10);
}, 300_000);

const scalar = fc.oneof(
  fc.constantFrom(
    'true',
    'True',
    'yes',
    'null',
    '~',
    '0',
    '-0',
    '00',
    '0o7',
    '0x1f',
    '1_000',
    '1e3',
  ),
  fc.constantFrom('1.0', '.5', '1.', '+1', '.inf', '.nan', '12:30', '2027-01-01', '<<', '=', '!x'),
  fc.constantFrom(
    '&a',
    '*a',
    '"a"',
    '""',
    "'a'",
    '[a]',
    '{a',
    '|',
    '>',
    '- a',
    'a #b',
    'a#b',
    '%x',
  ),
  fc.constantFrom(
    '999999999999999',
    '9999999999999999',
    '0.1',
    '123456789.123456',
    '/',
    '/a-b',
    'a:',
  ),
  fc.stringMatching(/^[\w./:"#'-]{1,12}$/),
);
const key = fc.oneof(
  fc.constantFrom('a', 'b', 'schema', 'true', 'null', '__proto__', 'y'),
  fc.stringMatching(/^[a-z_]{1,5}$/),
);
const entry = fc.oneof(
  fc.tuple(key, scalar).map(([name, value]) => `${name}: ${value}`),
  fc.tuple(key, scalar).map(([name, value]) => `  ${name}: ${value}`),
  fc.tuple(key, fc.constantFrom('x', '1', '"q"', '/p')).map(([name, value]) => `${name}: ${value}`),
  key.map((name) => `${name}:\n  a: x`),
  key.map((name) => `${name}:`),
  fc.constantFrom('', '# c', '  # c', ' ', '---', '...', '\t', '  - a'),
);

test('anything of that form', async () => {
  let read = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(entry, { maxLength: 6 }), async (lines) => {
      if (await agree(lines.join('\n'))) read += 1;
    }),
    { numRuns: cases * 3, seed },
  );
  expect(read).toBeGreaterThan(100);
}, 300_000);
