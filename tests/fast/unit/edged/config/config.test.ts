import { describe, expect, test } from '@jest/globals';
import { PrecheckError } from '@edged/model/failure';
import { parseConfig } from 'edged/config/config';
import { languageOf } from 'edged/config/config-text';
import { exampleConfig } from 'edged/simulation/example-config';
import fc from 'fast-check';
import { parse, stringify as stringifyYaml } from 'yaml';
import { stringify } from 'smol-toml';

const yaml = exampleConfig('/data/edged', '/etc/edged');
const value = parse(yaml) as Record<string, Record<string, unknown>>;

async function refusal(text: string): Promise<PrecheckError> {
  const outcome = await parseConfig(text, 'edge.toml').catch((error: unknown) => error);
  if (outcome instanceof PrecheckError) return outcome;
  throw new Error(`not refused: ${JSON.stringify(outcome)}`);
}

describe('three languages, told apart by content', () => {
  test.each([
    ['yaml', yaml],
    ['yaml', `# a comment = 1\n\n---\n${yaml}`],
    ['json', JSON.stringify(value)],
    ['json', `\n${JSON.stringify(value, null, '\t')}`],
    ['toml', stringify(value)],
    ['toml', `# schema: v1\n${stringify(value)}`],
  ])('%s', async (language, text) => {
    expect(languageOf(text)).toBe(language);
    const config = await parseConfig(text, 'edge.toml');
    expect(config).toEqual({
      ...value,
      state_root: { ...value['state_root'], allow_root_filesystem: false },
    });
  });
});

describe('every key', () => {
  const keys = Object.entries(value).flatMap(([section, content]) =>
    typeof content === 'object' ? Object.keys(content).map((key) => [section, key] as const) : [],
  );

  test.each(keys)('%s.%s is required, and its place is told', async (section, key) => {
    const without = structuredClone(value);
    delete without[section]?.[key];
    const { code, details } = await refusal(JSON.stringify(without, null, 2));
    expect(code).toBe('config.invalid');
    expect(details).toEqual([
      expect.objectContaining({
        key: `${section}.${key}`,
        problem: 'missing',
        at: expect.stringMatching(/^\d+:\d+$/),
      }),
    ]);
  });

  test.each(keys)('%s.%s refuses a list', async (section, key) => {
    const changed = structuredClone(value);
    if (changed[section]) changed[section][key] = [];
    const { details } = await refusal(JSON.stringify(changed));
    expect(details).toHaveLength(1);
    expect(details[0]).toMatchObject({ key: `${section}.${key}` });
  });
});

describe('ranges', () => {
  test.each<[string, string, unknown]>([
    ['schema', '', 'v2'],
    ['storage', 'disk_ceiling_bytes', 0],
    ['storage', 'disk_ceiling_bytes', 1.5],
    ['storage', 'disk_ceiling_bytes', 2 ** 53],
    ['storage', 'eviction_threshold_fraction', 0],
    ['storage', 'eviction_threshold_fraction', 1.01],
    ['transport', 'listen_addr', 'localhost'],
    ['transport', 'listen_addr', 'localhost:65536'],
    ['transport', 'handshake_timeout_seconds', -1],
    ['retry', 'max_retry_count', -1],
    ['eviction', 'policy', 'fifo'],
    ['metrics', 'log_level', 'loud'],
    ['identity', 'edge_domain_id', ''],
    ['identity', 'edge_domain_id', 'a\nb'],
    ['state_root', 'allow_root_filesystem', 'yes'],
  ])('%s.%s refuses %j', async (section, key, wrong) => {
    const changed: Record<string, unknown> = structuredClone(value);
    if (key === '') changed[section] = wrong;
    else changed[section] = { ...value[section], [key]: wrong };
    expect((await refusal(JSON.stringify(changed))).code).toBe('config.invalid');
  });

  test.each<[string, string, unknown]>([
    ['storage', 'eviction_threshold_fraction', 1],
    ['transport', 'listen_addr', ':8443'],
    ['transport', 'listen_addr', '[::1]:8443'],
    ['transport', 'ca_key_file', '/etc/ca.key'],
    ['retry', 'max_retry_count', 0],
    ['state_root', 'expected_uuid', '1234-5678'],
  ])('%s.%s accepts %j', async (section, key, right) => {
    const changed = { ...value, [section]: { ...value[section], [key]: right } };
    await expect(parseConfig(JSON.stringify(changed), 'f')).resolves.toBeDefined();
  });
});

describe('places', () => {
  test('in YAML', async () => {
    const { details } = await refusal(yaml.replace('mode: baseline', 'mode: fast'));
    expect(details[0]).toMatchObject({ at: '10:3', key: 'assurance.mode' });
  });

  test('in TOML', async () => {
    const text = stringify(value).replace('mode = "baseline"', 'mode = "fast"');
    const line = text.split('\n').findIndex((content) => content.startsWith('mode')) + 1;
    const { details } = await refusal(text);
    expect(details[0]).toMatchObject({ at: `${line}:1`, key: 'assurance.mode' });
  });
});

test('all problems at once, a near miss named, a far one not', async () => {
  const text = yaml.replace('mode:', 'mod:').replace('listen_addr:', 'completely_other:');
  const { details } = await refusal(text);
  expect(details.map(({ key, problem }) => [key, problem])).toEqual(
    expect.arrayContaining([
      ['assurance.mode', 'missing'],
      ['assurance.mod', 'unknown key'],
      ['transport.listen_addr', 'missing'],
      ['transport.completely_other', 'unknown key'],
    ]),
  );
  const hints = details.map((detail) => detail['did_you_mean']);
  expect(hints).toContain('mode');
  expect(details.find(({ key }) => key === 'transport.completely_other')).not.toHaveProperty(
    'did_you_mean',
  );
});

describe('where a mapping should be', () => {
  const sections = Object.keys(value).join(', ');
  const some = { identity: 'edge_domain_id, fleet_salt' };
  test.each([
    ['', '(top)', 'the file is empty, or has comments only', sections],
    ['# nothing\n', '(top)', 'the file is empty, or has comments only', sections],
    ['- 1\n', '(top)', 'found a list', sections],
    ['edge', '(top)', 'found a text of 4 letters (hidden)', sections],
    [
      yaml.replace(/identity:\n(?: .*\n)+/, 'identity:\n'),
      'identity',
      'found nothing',
      some.identity,
    ],
    [
      yaml.replace(/identity:\n(?: .*\n)+/, 'identity: []\n'),
      'identity',
      'found a list',
      some.identity,
    ],
  ])('%j', async (text, key, problem, allowed) => {
    const { code, details } = await refusal(text);
    expect(code).toBe('config.invalid');
    expect(details).toEqual([
      expect.objectContaining({
        key,
        problem,
        allowed: expect.stringContaining(`a mapping with the keys ${allowed}`),
      }),
    ]);
  });
});

describe('all problems at once, in one section too', () => {
  const wrong = { ...value, assurance: { ...value['assurance'], mode: 'fast', one: 1, two: 2 } };
  const expected = [
    ['assurance.mode', 'found "fast"'],
    ['assurance.one', 'unknown key'],
    ['assurance.two', 'unknown key'],
  ];
  const twice = (text: string, line: RegExp): string => text.replace(line, '$&$&');

  test.each([
    ['yaml', stringifyYaml(wrong)],
    ['json', JSON.stringify(wrong)],
    ['toml', stringify(wrong)],
  ])('%s', async (_language, text) => {
    const { code, details } = await refusal(text);
    expect(code).toBe('config.invalid');
    expect(details.map(({ key, problem }) => [key, problem])).toEqual(expected);
    expect(new Set(details.map(({ at }) => at)).size).toBe(3);
  });

  test.each([
    ['yaml', twice(twice(stringifyYaml(wrong), / {2}edge_domain_id.*\n/), /^schema.*\n/)],
    [
      'json',
      twice(twice(JSON.stringify(wrong, null, 1), / {2}"edge_domain_id.*\n/), / "schema.*\n/),
    ],
    ['toml', twice(twice(stringify(wrong), /^edge_domain_id.*\n/m), /^schema.*\n/)],
    ['toml, a table', `${stringify(wrong)}[identity]\nfleet_salt = "x"\n"schema" = 1\n`],
  ])('%s, beside keys that stand twice', async (language, text) => {
    const { code, details } = await refusal(text);
    expect(code).toBe('config.syntax');
    const duplicates = language.endsWith('table')
      ? [['identity', 'duplicate key']]
      : [
          ['schema', 'duplicate key'],
          ['identity.edge_domain_id', 'duplicate key'],
        ];
    expect(details.map(({ key, problem }) => [key, problem])).toEqual([...duplicates, ...expected]);
    expect(details[0]).toMatchObject({
      at: expect.stringMatching(/^\d+:\d+$/),
      allowed: expect.stringMatching(/^each key once; it stands at \d+:\d+$/),
    });
  });

  const [id, salt] = ['edge-01', 'ab'.repeat(32)];
  const rest = Object.fromEntries(
    Object.entries(value).filter(([name]) => name !== 'identity' && name !== 'retry'),
  );
  test.each([
    [
      'yaml',
      `${stringifyYaml(rest)}identity:\n  fleet_salt: "${salt}"\n` +
        `identity:\n  edge_domain_id: ${id}\n`,
    ],
    [
      'json',
      `{"identity":{"fleet_salt":"${salt}"},"identity":{"edge_domain_id":"${id}"},` +
        JSON.stringify(rest).slice(1),
    ],
    [
      'toml',
      `${stringify(rest)}\n[identity]\nfleet_salt = "${salt}"\n` +
        `[identity]\nedge_domain_id = "${id}"\n`,
    ],
  ])('%s: nothing is missing in a section that stands twice', async (_language, text) => {
    const { details } = await refusal(text);
    expect(details.map(({ key, problem }) => [key, problem])).toEqual([
      ['identity', 'duplicate key'],
      ['retry', 'missing'],
    ]);
  });

  test('a key many times over', async () => {
    const { details } = await refusal(`schema = "v1"\n`.repeat(100));
    expect(details.filter(({ problem }) => problem === 'duplicate key')).toHaveLength(50);
  });
});

describe('a text of up to 1 MiB that is no config is refused quickly', () => {
  const fill = (part: string): string => part.repeat(1_048_000 / part.length);
  const keys = (line: (at: number) => string, count = 60_000): string =>
    Array.from({ length: count }, (_, at) => line(at)).join('');

  test.each([
    ['brackets', fill('['), 1],
    ['closing brackets', fill(']'), 1],
    ['dashes', fill('- '), 1],
    ['indentation', keys((at) => `${' '.repeat(at)}a:\n`, 1400), 1],
    ['commas', `[${fill(',')}`, 1],
    ['escapes', `a: "${fill('\\q')}"`, 1],
    ['aliases', `a: &a 1\nb:\n${fill('- *a\n')}`, 1],
    ['unknown keys', keys((at) => `key${at}: 1\n`), 1],
    ['unknown keys in JSON', `{${keys((at) => `"key${at}":1,`)}"x":1}`, 1],
    ['fewer of them', keys((at) => `key${at}: 1\n`, 10_000), 51],
    ['fewer of them in JSON', `{${keys((at) => `"key${at}":1,`, 10_000)}"x":1}`, 51],
    ['fewer brackets', fill('[').slice(0, 150), 51],
    ['unknown keys in TOML', keys((at) => `key${at} = 1\n`), 51],
    ['brackets in TOML', `a = ${fill('[')}`, 1],
    ['duplicates in TOML', fill('schema = "v1"\n'), 51],
    ['comments', fill(`# ${'x'.repeat(60)}\n`), 1],
  ])('%s', async (_what, text, count) => {
    const began = performance.now();
    const { details } = await refusal(text);
    expect(details.length).toBe(count);
    expect(JSON.stringify(details)).not.toMatch(/call stack/);
    if (count === 51) {
      expect(details.at(-1)?.['problem']).toMatch(/^and \d+ more problems, not shown$|redefine/);
    }
    // 2 s alone; not held against a machine that does much else
    expect(performance.now() - began).toBeLessThan(6000);
  });

  test('what nests as far as a config may', async () => {
    const deep = yaml.replace('mode: baseline', `mode: ${'['.repeat(190)}${']'.repeat(190)}`);
    expect((await refusal(deep)).details).toEqual([
      expect.objectContaining({ key: 'assurance.mode', problem: 'found a list' }),
    ]);
  });
});

describe('YAML that is not plain data is refused', () => {
  test.each([
    ['duplicate key', `${yaml}schema: v1\n`, 'config.syntax'],
    ['unknown tag', yaml.replace('v1', '!evil v1'), 'config.syntax'],
    ['YAML 1.1', `%YAML 1.1\n---\n${yaml}  allow_root_filesystem: yes\n`, 'config.syntax'],
    ['a tag directive', `%TAG ! a:\n---\n${yaml}`, 'config.syntax'],
    ['two documents', `${yaml}---\n${yaml}`, 'config.syntax'],
    ['tab as indentation', yaml.replace('  mode', '\tmode'), 'config.syntax'],
    ['__proto__', `${yaml}__proto__: {x: 1}\n`, 'config.invalid'],
    [
      'yes is a text, not a boolean',
      yaml.replace(/$/, '  allow_root_filesystem: yes\n'),
      'config.invalid',
    ],
  ])('%s', async (_what, text, code) => {
    expect((await refusal(text)).code).toBe(code);
  });
});

test('the directive of YAML 1.2 is allowed', async () => {
  await expect(parseConfig(`%YAML 1.2\n---\n${yaml}`, 'f')).resolves.toBeDefined();
});

test('no text is ever anything but a config or a refusal with a reason', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.string().map((tail) => yaml.slice(0, 200) + tail),
      ),
      async (text) => {
        const { code, details } = await refusal(text);
        expect(code).toMatch(/^config\./);
        expect(details.length).toBeGreaterThan(0);
      },
    ),
    { numRuns: 300 },
  );
});
