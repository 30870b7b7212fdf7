/** The reference of the config: every key is described, and the page says what the schema says. */
import fs from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { configDescriptions } from 'edged/config/config-descriptions';
import { configKeys, configTable, optionalSections } from 'edged/config/config-reference';
import { configSchema } from 'edged/config/config-schema';
import { exampleConfig } from 'edged/simulation/example-config';
import { parse } from 'yaml';

const keys = configKeys();
const key = (path: string) => keys.find((candidate) => candidate.path === path);
const page = fs.readFileSync('docs/reference/config.md', 'utf8');

test('every key of the schema has a description, and every description its key', () => {
  expect(Object.keys(configDescriptions)).toEqual(keys.map(({ path }) => path));
  const sections = new Set(keys.map(({ path }) => path.split('.')[0]));
  expect([...sections]).toEqual(Object.keys(configSchema.entries));
});

test('required are those of the example', () => {
  const example = parse(exampleConfig('/data/edged', '/etc/edged')) as Record<string, unknown>;
  const paths = Object.entries(example).flatMap(([section, content]) =>
    typeof content === 'object' && content
      ? Object.keys(content).map((name) => `${section}.${name}`)
      : [section],
  );
  expect(keys.filter(({ isRequired }) => isRequired).map(({ path }) => path)).toEqual(paths);
});

describe('what is allowed and what is the default', () => {
  test.each([
    ['assurance.mode', 'one of: baseline, high_durability', undefined],
    ['retry.max_retry_count', 'a whole number from 0', undefined],
    ['quota.window_seconds', 'seconds, above 0', undefined],
    ['state_root.allow_root_filesystem', 'true or false', 'false'],
    ['certificate.fail_within_days', 'days, from 0 to 3650', '7'],
    ['fingerprint.profile', 'one of: classic, image', 'classic'],
    ['fingerprint.files', 'a list, at most 64, each an absolute path', '[]'],
  ])('%s', (path, allowed, value) => {
    expect(key(path)).toMatchObject({ allowed, default: value });
  });

  test('sections that may be left out', () => {
    expect(optionalSections()).toEqual(['certificate', 'trust', 'fingerprint', 'time']);
  });
});

test('docs/reference/config.md holds this table: `npm run docs` writes it', () => {
  expect(page).toContain(`\n\n${configTable()}\n\n`);
  expect(page.match(/^\| `/gm)).toHaveLength(keys.length);
  for (const name of optionalSections()) expect(page).toContain(`\`${name}\``);
});
