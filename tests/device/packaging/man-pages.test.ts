/** The manual pages: nothing is missing in them, and three programs render them without a warning. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { commandDefinitions } from 'edged/command-line/command-line';
import type { CommandDefinition } from 'edged/command-line/command-definitions';
import { parseConfig } from 'edged/config/config';
import { configKeys } from 'edged/config/config-reference';
import { type FailureCode, PrecheckError, failures } from '@edged/model/failure';
import { explanations } from 'edged/explanations/explanations';
import { exitCodes } from '@edged/model/exit-code';
import { layout } from '@edged/model/layout';
import { keyringSchema } from '@edged/model/keyring';
import { manifestSchema, parseRuntimeManifest } from '@edged/model/runtime-manifest';
import { shownConfig } from '@edged/packaging/man/config-5';
import { shownManifest } from '@edged/packaging/man/manifest-5';
import {
  keyringFields,
  manifestFields,
  operationFields,
} from '@edged/packaging/man/manifest-fields';
import { manualPages } from '@edged/packaging/man/pages';
import { manualPage, paragraph, section, tagged, verbatim } from '@edged/packaging/man/roff';
import { testWith } from '@edged/testkit/needs';
import { testDirectory } from '@edged/testkit/test-directory';

const withMan = testWith('man');
const directory = testDirectory('man');
const pages = manualPages();
const names = pages.map(({ file }) => file);
const fileOf = (name: string): string => path.join(directory, name);

beforeAll(() => {
  for (const { file, text } of pages) fs.writeFileSync(fileOf(file), text);
});

interface Rendered {
  readonly text: string;
  readonly warnings: string;
}

function render(file: string): Rendered {
  const env = { PATH: process.env['PATH'], MANROFFSEQ: '', MANWIDTH: '80', LC_ALL: 'C.UTF-8' };
  const args = ['--warnings', '-E', 'UTF-8', '-l', file];
  const { stdout, stderr } = spawnSync('man', args, { env, encoding: 'utf8' });
  return { text: stdout, warnings: stderr };
}

const flat = (text: string): string => text.replaceAll(/\s+/g, ' ');

test('three pages', () => expect(names).toEqual(['edged.8', 'edged.toml.5', 'edged-manifest.5']));

describe('as man(1) shows them', () => {
  withMan.each(names)('%s: no warning, no line over 80 columns', (name) => {
    const { text, warnings } = render(fileOf(name));
    expect(warnings).toBe('');
    expect(text.length).toBeGreaterThan(2000);
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  withMan('edged(8) holds every command and every option', () => {
    const { text } = render(fileOf('edged.8'));
    const look = (command: CommandDefinition, words: readonly string[]): number => {
      const line = words.join(' ');
      const [, part = ''] = text.split(new RegExp(`^   ${line}$`, 'm'));
      const own = words.length === 1 ? text : part.split(/^ {3}\S|^\S/m)[0];
      expect(flat(own ?? '')).toContain(line);
      for (const { name, choices } of command.options) {
        expect(own).toMatch(new RegExp(`^ {7}--${name}\\b`, 'm'));
        for (const choice of choices ?? []) expect(own).toContain(choice);
      }
      const inner = command.commands.map((one) => look(one, [...words, one.name]));
      return inner.reduce((sum, count) => sum + count, command.options.length);
    };
    expect(look(commandDefinitions(), ['edged'])).toBeGreaterThan(30);
  });

  withMan('edged(8) holds every reason with its message and remedy, and every exit code', () => {
    const text = flat(render(fileOf('edged.8')).text);
    for (const code of Object.keys(failures) as FailureCode[]) {
      const { message, remedy, class: kind } = failures[code];
      const { meaning, repair } = explanations[code];
      const steps = repair.map((step, index) => `${index + 1}. ${step}`);
      const page = [code, `${message} (${kind})`, meaning, remedy, ...steps].join(' ');
      expect(text).toContain(` ${flat(page.replaceAll('`', ''))} `);
    }
    for (const [gate, code] of Object.entries(exitCodes)) {
      expect(text).toContain(`Gate ${gate}: exit ${code} `);
    }
  });

  withMan('edged(8) holds every setting that is read, and every file of the state root', () => {
    const { text } = render(fileOf('edged.8'));
    const settings = fs.readFileSync('packages/edged/src/settings.ts', 'utf8');
    const read = [...settings.matchAll(/environment\['(\w+)'\]/g)].map(([, name]) => name);
    expect(read).toContain('EDGE_STATE_ROOT');
    const [, environment = ''] = /^ENVIRONMENT\n([^]*?)^FILES/m.exec(text) ?? [];
    const shown = [...environment.matchAll(/^ {7}([A-Z_]+)/gm)].map(([, name]) => name);
    expect(new Set(shown)).toEqual(new Set(read));
    for (const place of Object.values(layout)) {
      expect(text).toMatch(new RegExp(`^ {7}${place.replaceAll('.', '\\.')}( |$)`, 'm'));
    }
  });

  withMan('edged.toml(5) holds every key and what is allowed there', () => {
    const text = flat(render(fileOf('edged.toml.5')).text);
    for (const { path: key, describe: described } of configKeys()) {
      expect(text).toContain(` ${key} ${described.replaceAll('`', '')} `);
    }
  });

  withMan('edged-manifest(5) holds every field', () => {
    const text = flat(render(fileOf('edged-manifest.5')).text);
    const operations = Object.values(operationFields).flatMap((fields) => Object.entries(fields));
    for (const [name, field] of [...Object.entries(manifestFields), ...operations]) {
      expect(text).toContain(` ${name} ${field.describe.replaceAll('`', '')} `);
    }
    for (const [name, purpose] of Object.entries(keyringFields)) {
      expect(text).toContain(` ${name} ${purpose.replaceAll('`', '')} `);
    }
  });

  withMan('whatever the text is, it comes out as text', () => {
    const hostile =
      '.SH no \'heading\' \\fBnot bold\\fR \\n(.x ~/x ^ -- --log-level … .TP "quoted"';
    const head = { section: 8, date: '2026-01-02', source: 'x', manual: 'x' } as const;
    const lines = `'not a request\n.TH neither\n\\" no comment\n  -- indented`;
    const body = [section('ONE', paragraph(hostile), tagged(hostile, hostile), verbatim(lines))];
    fs.writeFileSync(fileOf('x.8'), manualPage({ ...head, name: 'x' }, body).text);
    const { text } = render(fileOf('x.8'));
    expect(flat(text)).toContain(` ${hostile} `);
    expect(text).toContain(lines.replaceAll(/^/gm, ' '.repeat(11)));
  });
});

describe('no warning', () => {
  const judges = [
    ['groff', ['-man', '-Tutf8', '-ww', '-z']],
    ['mandoc', ['-Tlint', '-Wwarning']],
  ] as const;
  describe.each(judges)('of %s', (tool, args) => {
    testWith(tool).each(names)('%s', (name) => {
      const { stdout, stderr, status } = spawnSync(tool, [...args, fileOf(name)], {
        encoding: 'utf8',
      });
      expect({ stdout, stderr, status }).toEqual({ stdout: '', stderr: '', status: 0 });
    });

    testWith(tool)('which does see a mistake', () => {
      fs.writeFileSync(fileOf('wrong.8'), '.TH WRONG 8 "2026-01-02"\n.SH NAME\n\\fQx\\*[none]\n');
      const { stdout, stderr } = spawnSync(tool, [...args, fileOf('wrong.8')], {
        encoding: 'utf8',
      });
      expect(`${stdout}${stderr}`).not.toBe('');
    });
  });
});

describe('what the pages show is accepted', () => {
  test('the config', async () => {
    const config = await parseConfig(shownConfig(), 'edged.toml');
    expect(config.identity.fleet_salt).toMatch(/^[0-9a-f]{64}$/);
  });

  test('the manifest', () => {
    expect(parseRuntimeManifest(Buffer.from(shownManifest)).operations).toHaveLength(2);
  });
});

describe('the fields of a manifest are those of the parser', () => {
  const parse = (manifest: unknown): unknown =>
    parseRuntimeManifest(Buffer.from(JSON.stringify(manifest)));
  const least = { version: '1', operations: [] };
  const paths = { src: 'runtime/binaries/a', dst: 'a' };
  const operations = Object.entries(operationFields);
  const refused = (manifest: unknown): unknown => {
    try {
      return parse(manifest);
    } catch (error) {
      return error instanceof PrecheckError ? error.code : error;
    }
  };

  test('no more and no fewer', () => {
    expect(Object.keys(manifestFields).sort()).toEqual(Object.keys(manifestSchema.entries).sort());
    const known = manifestSchema.entries.operations.item.options.map(({ entries }) => entries);
    expect(operations.map(([op, fields]) => [op, Object.keys(fields)])).toEqual(
      known.map((entries) => [entries.op.literal, Object.keys(entries)]),
    );
  });

  test.each(Object.entries(manifestFields))('%s', (name, { example }) => {
    expect(parse({ ...least, [name]: example })).toMatchObject({ version: '1' });
    expect(refused({ ...least, [`${name}s`]: example })).toBe('manifest.invalid');
  });

  test.each(
    operations.flatMap(([op, fields]) =>
      Object.entries(fields).map(([name, { example }]) => [op, name, example] as const),
    ),
  )('%s: %s', (op, name, example) => {
    const { src, dst } = paths;
    const operation = op === 'copy_binary' ? { op, src, dst } : { op, src };
    const withField = { ...operation, [name]: example };
    expect(parse({ ...least, operations: [withField] })).toMatchObject({ version: '1' });
    const unknown = { ...withField, [`${name}s`]: example };
    expect(refused({ ...least, operations: [unknown] })).toBe('manifest.invalid');
  });

  test('those of a keyring are the ones of its parser; docs/reference/keyring.md has them', () => {
    const page = fs.readFileSync('docs/reference/keyring.md', 'utf8');
    const { keys, ...others } = keyringSchema.entries;
    const inKeys = Object.keys(keys.pipe[0].item.entries).map((name) => `keys[].${name}`);
    expect(Object.keys(keyringFields).sort()).toEqual([...Object.keys(others), ...inKeys].sort());
    expect(Object.keys(keyringFields).filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });

  test('docs/reference/manifest.md names them all', () => {
    const page = fs.readFileSync('docs/reference/manifest.md', 'utf8');
    const inOperations = operations.flatMap(([op, fields]) => [op, ...Object.keys(fields)]);
    const all = [...Object.keys(manifestFields), ...inOperations.filter((name) => name !== 'op')];
    expect(all.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });
});
