/** Whatever `boot-line.ts` reads, yargs reads in the same way. */
import { expect, test } from '@jest/globals';
import { readBootLine } from 'edged/command-line/boot-line';
import { globalOptions, precheckOptions } from 'edged/command-line/options';
import fc from 'fast-check';
import yargs from 'yargs';

const options = { ...globalOptions, ...precheckOptions };
const names = Object.keys(options);

/** As `command-line.ts` sets it up, the command alone. */
async function byYargs(argv: readonly string[]): Promise<Record<string, unknown>> {
  let seen: Record<string, unknown> = {};
  await yargs()
    .options(globalOptions)
    .command(
      'precheck',
      '',
      (command) => command.options(precheckOptions),
      (args) => {
        seen = args;
      },
    )
    .parserConfiguration({ 'duplicate-arguments-array': false })
    .strict()
    .exitProcess(false)
    .fail((message, error) => {
      throw error ?? new Error(message);
    })
    .parseAsync([...argv]);
  return seen;
}

const word = fc.oneof(
  fc.constantFrom('precheck', '--', '-h', '--help', '--no-dry-run', '--bogus', '--dry-run=true'),
  fc.constantFrom(...names).map((name) => `--${name}`),
  fc.constantFrom(...names).map((name) => `--${name}`),
  fc.constantFrom('edge.toml', '/etc/edged/edge.toml', 'debug', 'json', 'text', '0', '17', '1e3'),
  fc.constantFrom('0x10', '007', '-1', '', ' ', '"x"', 'true', '.5', '9'.repeat(20), 'a=b', '[1]'),
  fc.constantFrom('1.5', '5.', ' 5', '5 ', '+5', '0b1', '00', '1_0'),
  fc
    .tuple(fc.constantFrom(...names), fc.constantFrom('x', '12', 'json', '', '-1', 'a=b', '0'))
    .map(([name, value]) => `--${name}=${value}`),
);
/** What a line is usually made of, and now and then anything. */
const part = fc.oneof(
  { arbitrary: word.map((each) => [each]), weight: 1 },
  {
    arbitrary: fc
      .tuple(
        fc.constantFrom(...names),
        fc.constantFrom('x', '/etc/a.toml', 'json', 'text', 'debug', '12', '0', '-1', '1.5'),
      )
      .map(([name, value]) => [`--${name}`, value]),
    weight: 4,
  },
  { arbitrary: fc.constantFrom(['--dry-run'], ['--rotate-certs']), weight: 2 },
);
const line = fc
  .tuple(fc.array(part, { maxLength: 2 }), fc.array(part, { maxLength: 3 }))
  .map(([before, after]) => [...before, ['precheck', '--config', 'c'], ...after].flat());

test('on any words', async () => {
  let read = 0;
  await fc.assert(
    fc.asyncProperty(line, async (argv) => {
      const boot = readBootLine(argv);
      if (!boot) return;
      read += 1;
      const full = await byYargs(argv);
      for (const [name, value] of Object.entries(boot))
        expect([name, full[name]]).toEqual([name, value]);
    }),
    { numRuns: 5000, seed: Number(process.env['HOSTILE_SEED'] ?? 1) },
  );
  expect(read).toBeGreaterThan(100);
}, 120_000);

test('the lines that systemd and people write', async () => {
  const lines = [
    ['precheck', '--config', '/etc/edged/edge.toml'],
    ['--log-format', 'json', 'precheck', '--config=/etc/edged/edge.toml', '--dry-run'],
    ['precheck', '--config', 'c', '--rotate-certs', '--rotation-valid-days', '90'],
  ];
  for (const argv of lines) {
    const boot = readBootLine(argv);
    expect(boot).toBeDefined();
    expect(await byYargs(argv)).toMatchObject(JSON.parse(JSON.stringify(boot)) as object);
  }
});

test.each([
  [[]],
  [['--help']],
  [['precheck', '--help']],
  [['precheck']],
  [['precheck', '--config']],
  [['precheck', '--config', '']],
  [['precheck', '--config', 'a', '--config', 'b']],
  [['precheck', '--config', 'a', '--log-level', 'loud']],
  [['precheck', '--config', 'a', 'extra']],
  [['precheck', '--config', 'a', '--no-dry-run']],
  [['status']],
])('%j is left to yargs', (argv) => {
  expect(readBootLine(argv)).toBeUndefined();
});

test.each([
  ['17', 17],
  ['007', 7],
  ['1.50', 1.5],
  ...['', ' 5', '5 ', '0x10', '1e3', '.5', '5.', '+5', '-5', 'Infinity', '٥'].map(
    (text) => [text, Number.NaN] as const,
  ),
])('yargs reads %j as %p', async (text, expected) => {
  const argv = ['precheck', '--config', 'c', `--lock-wait-seconds=${text}`];
  const read = await byYargs(argv);
  expect([read['lock-wait-seconds'], read['lockWaitSeconds']]).toEqual([expected, expected]);
});
