/** Keeps the house: layers, owners of effects, sizes, and tables that must agree with the code. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { failures } from '@edged/model/failure';
import { stateRootDirectories } from '@edged/model/layout';
import { events } from '@edged/precheck/event';
import { tools as neededTools } from '@edged/testkit/tools';
import { exitCodes } from '@edged/model/exit-code';
import { eventsMarkdown, reasonsMarkdown } from 'edged/explanations/markdown';

const top = process.cwd();

interface Source {
  readonly name: string;
  readonly text: string;
  readonly code: string;
}

function filesBelow(directory: string, pattern: RegExp): string[] {
  return fs
    .readdirSync(path.join(top, directory), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => path.relative(top, path.join(entry.parentPath, entry.name)))
    .filter((name) => !/node_modules|\/dist\//.test(name))
    .sort();
}

function load(name: string): Source {
  const text = fs.readFileSync(path.join(top, name), 'utf8');
  return { name, text, code: text.replaceAll(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, '') };
}

const sources = filesBelow('packages', /\.ts$/).map(load);
/** What runs on a device. */
const production = sources.filter(({ name }) => !/^packages\/(?:testkit|packaging)\//.test(name));
const tests = filesBelow('tests', /\.ts$/).map(load);

function importers(module: RegExp): string[] {
  const pattern = new RegExp(`(?:from|import) ?\\(?'(?:${module.source})'`);
  return production.filter(({ code }) => pattern.test(code)).map(({ name }) => name);
}

describe('layers', () => {
  const allowed: Record<string, readonly string[]> = {
    model: [],
    host: [],
    precheck: ['@edged/model', '@edged/host'],
    edged: ['@edged/model', '@edged/host', '@edged/precheck'],
  };
  test.each(Object.entries(allowed))('%s imports only what lies below it', (layer, below) => {
    const imported = production
      .filter(({ name }) => name.startsWith(`packages/${layer}/`))
      .flatMap(({ code }) => [
        ...code.matchAll(/(?:from|import) ?\(?'(@edged\/\w+|edged)(?:\/[\w-/]+)?'/g),
      ])
      .map(([, name]) => name);
    expect(imported.filter((name) => !below.includes(name ?? ''))).toEqual([]);
  });
});

describe('each fixed library has one importer', () => {
  test.each([
    ['@noble/ed25519', 'packages/model/src/manifest-signature.ts'],
    ['blake3-wasm/[\\w/.]+', 'packages/model/src/digest.ts'],
    ['@napi-rs/blake-hash', 'packages/model/src/native-blake3.ts'],
    ['write-file-atomic', 'packages/host/src/atomic-file.ts'],
    ['proper-lockfile', 'packages/host/src/linux-lock.ts'],
    ['yargs', 'packages/edged/src/command-line/command-line.ts'],
    ['@peculiar/x509', 'packages/precheck/src/certificate/certificate-issue.ts'],
  ])('%s', (library, owner) => {
    expect(importers(new RegExp(library))).toEqual([owner]);
  });
});

test('what is loaded on demand is a module of this house, never a library', () => {
  // a bundle in parts loses the names of a CommonJS library that is imported dynamically
  const direct = production.filter(({ code }) => /await import\(\s*'(?!\.|@edged\/)/.test(code));
  expect(direct.map(({ name }) => name)).toEqual([]);
});

describe('side effects have owners', () => {
  test('the file system', () => {
    expect(
      importers(/node:fs/).filter((name) => /packages\/(?:model|precheck)\//.test(name)),
    ).toEqual([]);
  });

  test.each<[string, RegExp, readonly string[]]>([
    [
      'the end of the process',
      /process\.exit\(/,
      ['packages/edged/src/last-resort.ts', 'packages/edged/src/main.ts'],
    ],
    ['the environment', /process\.env\b/, ['packages/edged/src/main.ts']],
    [
      'other processes',
      /node:child_process/,
      ['packages/host/src/linux-tools.ts', 'packages/host/src/linux-worker.ts'],
    ],
    [
      'the clock',
      /Date\.now\(|hrtime/,
      ['packages/edged/src/simulation/device.ts', 'packages/host/src/linux-host.ts'],
    ],
    ['randomness', /randomBytes|Math\.random/, ['packages/edged/src/commands/keygen.ts']],
  ])('%s', (_what, pattern, owners) => {
    const found = production.filter(({ code }) => pattern.test(code)).map(({ name }) => name);
    expect(found).toEqual(owners);
  });
});

/** The modules of this house that a module imports; `'always'` leaves out types and what is lazy. */
function importsOf({ name, code }: Source, which: 'always' | 'ever'): string[] {
  const pattern =
    which === 'always'
      ? /^(?:import|export) (?!type\b)[^;']*?from '([^']+)'/gm
      : /(?:from|import|import\() ?'([^']+)'/g;
  return [...code.matchAll(pattern)]
    .map(([, module = '']) => {
      if (module.startsWith('.')) return path.normalize(path.join(path.dirname(name), module));
      const [, packageName, inside] = /^(?:@edged\/)?(\w+)(?:\/(.+))?$/.exec(module) ?? [];
      return `packages/${packageName}/src/${inside ?? 'api'}.ts`;
    })
    .filter((file) => sources.some((source) => source.name === file));
}

/** Modules from `start` back to `start`, by imports that are followed at once. */
function circleFrom(start: string): string[] | undefined {
  const ways = [[start]];
  const seen = new Set<string>();
  for (const way of ways) {
    const last = sources.find(({ name }) => name === way.at(-1));
    for (const next of last ? importsOf(last, 'always') : []) {
      if (next === start) return [...way, next];
      if (!seen.has(next)) ways.push([...way, next]);
      seen.add(next);
    }
  }
  return undefined;
}

describe('rooms', () => {
  test('none is crowded', () => {
    const rooms = sources.map(({ name }) => path.dirname(name));
    const crowded = [...new Set(rooms)].filter(
      (room) => rooms.filter((each) => each === room).length > 25,
    );
    expect(crowded).toEqual([]);
  });

  test('no module needs itself to be loaded', () => {
    expect(sources.flatMap(({ name }) => circleFrom(name) ?? [])).toEqual([]);
  });

  test('every module is used', () => {
    const tools = filesBelow('tests', /\.mjs$/).map(load);
    const used = new Set(
      [...sources, ...tests, ...tools].flatMap((each) => importsOf(each, 'ever')),
    );
    const started = [
      'packages/edged/bin/edged',
      'package.json',
      'packages/testkit/src/mutants.ts',
      'packages/testkit/src/device/command-in-thread.ts',
    ]
      .map((name) => load(name).text)
      .join('\n');
    const dead = sources
      .map(({ name }) => name)
      .filter((name) => /\/src\//.test(name) && !used.has(name))
      .filter((name) => {
        const [, inside = '', module = ''] = /^packages\/(\w+\/src\/(.+)\.ts)$/.exec(name) ?? [];
        return !started.includes(inside) && !started.includes(`/dist/${module}.js`);
      });
    expect(dead).toEqual([]);
  });

  test('a unit test stands where its module stands', () => {
    const astray = filesBelow('tests/fast/unit', /\.test\.ts$/).filter((name) => {
      const [, , , layer = '', ...inside] = name.replace('.test.ts', '.ts').split('/');
      return !fs.existsSync(path.join(top, 'packages', layer, 'src', ...inside));
    });
    expect(astray).toEqual([]);
  });
});

describe('sizes and names', () => {
  test('no file over 400 lines, no line over 100 characters', () => {
    const long = sources.filter(({ text }) => text.split('\n').length > 400);
    expect(long.map(({ name }) => name)).toEqual([]);
    const wide = sources.filter(({ text }) => text.split('\n').some((line) => line.length > 100));
    expect(wide.map(({ name }) => name)).toEqual([]);
  });

  test('precheck.ts is a table of contents', () => {
    const lines = load('packages/precheck/src/precheck.ts').text.split('\n').length;
    expect(lines).toBeLessThanOrEqual(100);
  });

  test('no name that says nothing', () => {
    const empty = /util|helper|common|misc|manager/i;
    expect(sources.filter(({ name }) => empty.test(name)).map(({ name }) => name)).toEqual([]);
  });

  test('every module starts with what it is for', () => {
    const silent = [...sources, ...tests.filter(({ name }) => name.includes('scenario/negative'))]
      .filter(({ text }) => !/^(?:#!.*\n)?\/\*\*/.test(text))
      .map(({ name }) => name);
    expect(silent.filter((name) => !name.endsWith('.test.ts'))).toEqual([]);
  });

  test('every test file is one that jest selects', () => {
    const strays = filesBelow('tests', /test/).filter(
      (name) => !name.endsWith('.test.ts') && !name.startsWith('tests/tools/'),
    );
    expect(strays).toEqual([]);
  });
});

describe('tables that agree with the code', () => {
  const readme = fs.readFileSync(path.join(top, 'README.md'), 'utf8');

  test('exit codes in the README', () => {
    for (const [gate, exitCode] of Object.entries(exitCodes)) {
      const row = readme.split('\n').find((line) => line.startsWith(`| ${exitCode} |`));
      expect(row).toContain(`\`${gate}\``);
    }
  });

  test('reasons: the page is what `npm run docs` writes, and has them all', () => {
    const page = fs.readFileSync(path.join(top, 'docs/reasons.md'), 'utf8');
    expect(page).toBe(reasonsMarkdown());
    const named = [...page.matchAll(/^### `(.+)`$/gm)].map(([, reason]) => reason);
    expect(new Set(named)).toEqual(new Set(Object.keys(failures)));
    expect(named).toHaveLength(Object.keys(failures).length);
  });

  test('events: the page is what `npm run docs` writes, and has them all', () => {
    const page = fs.readFileSync(path.join(top, 'docs/reference/events.md'), 'utf8');
    expect(page).toBe(eventsMarkdown());
    const rows = [...page.matchAll(/^\| `(edge\..+?)` \| (\w+) \|/gm)];
    const named = rows.map(([, name, level]) => [name, level?.toLowerCase()]);
    expect(Object.fromEntries(named)).toEqual(events);
  });

  test('every event is asked for in a test', () => {
    const asked = tests.map(({ text }) => text).join('\n');
    const tutorials = filesBelow('tutorials', /\.md$/)
      .map((name) => load(name).text)
      .join('\n');
    const missing = Object.keys(events).filter(
      (name) => !asked.includes(name.replace('edge.', '')) && !tutorials.includes(name),
    );
    expect(missing).toEqual([]);
  });
});

test('.ci/tools and the needs of the tests name the same Debian package for a tool', () => {
  const installed = [...load('.ci/tools').text.matchAll(/^ *need (\S+) (\S+)$/gm)];
  const ours = new Map<string, string>(
    Object.entries(neededTools).map(([tool, { debian }]) => [tool, debian]),
  );
  expect(installed.length).toBeGreaterThan(20);
  for (const [, tool = '', debian] of installed) {
    expect({ tool, debian: ours.get(tool) ?? debian }).toEqual({ tool, debian });
  }
});

describe('packages and template', () => {
  test('the template is the seven directories', () => {
    const directories = fs
      .readdirSync(path.join(top, 'state-root-template'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) =>
        path.relative(
          path.join(top, 'state-root-template'),
          path.join(entry.parentPath, entry.name),
        ),
      );
    expect(directories.sort()).toEqual([...new Set([...stateRootDirectories, 'edge'])].sort());
  });

  test('versions agree', () => {
    const packages = filesBelow('packages', /^package\.json$/).map(
      (name) => JSON.parse(load(name).text) as { version: string },
    );
    const release = load('packages/edged/src/release.ts').text;
    for (const { version } of packages) expect(release).toContain(`version: '${version}'`);
  });

  test('every dependency has an exact version', () => {
    for (const name of ['package.json', ...filesBelow('packages', /^package\.json$/)]) {
      const {
        dependencies = {},
        devDependencies = {},
        optionalDependencies = {},
      } = JSON.parse(load(name).text) as Record<string, Record<string, string>>;
      const versions = [dependencies, devDependencies, optionalDependencies].flatMap((all) =>
        Object.values(all),
      );
      expect(versions.filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
    }
  });
});

/** In the title of a test, in a row or by the key of a table of tests. */
function titled(name: string): RegExp {
  const text = name.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  const before = String.raw`(?:test|describe)[\w.]*\(|testWith\(.*\)\(|\]\)\(|\{? ?name: |\[`;
  const title = `(?:${before})?['"\`][^'"\`\\n]*${text}`;
  return new RegExp(`^ *(?:${title}|'?${text}'?[(:])`, 'm');
}

describe('every claim of the threat model names a test that exists', () => {
  const claims = [...load('docs/security.md').text.matchAll(/^\| (.+) \| `(.+)` › `(.+)` \|$/gm)];

  test('there are claims', () => {
    expect(claims.length).toBeGreaterThan(30);
  });

  test.each(claims.map(([, claim = '', file = '', name = '']) => [claim, file, name]))(
    '%s',
    (_claim, file, name) => {
      expect(load(file).text).toMatch(titled(name));
    },
  );

  test('a word that stands anywhere else in a file is no test', () => {
    expect("import { x } from '@edged/model/manifest';").not.toMatch(titled('manifest'));
    expect("  throw new PrecheckError('manifest.invalid');").not.toMatch(titled('manifest'));
    expect("  test('one manifest', () => {").toMatch(titled('manifest'));
    expect("testWith('jq', 'root')('one manifest', () => {").toMatch(titled('manifest'));
  });
});

test('every module that ARCHITECTURE.md names is there', () => {
  const rows = load('ARCHITECTURE.md').text.matchAll(/^\| .+ \| (.*`packages.*) \|$/gm);
  const named = [...rows].flatMap(([, cell = '']) => {
    let room = '';
    return [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => {
      if (name.startsWith('packages/')) room = name.replace(/\/[^/]*$/, '');
      return name.startsWith('packages/') ? name : `${room}/${name}`;
    });
  });
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((name) => !fs.existsSync(path.join(top, name)))).toEqual([]);
});

describe('links in the Markdown lead somewhere', () => {
  const pages = [
    'README.md',
    'ARCHITECTURE.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    'tests/README.md',
  ];
  test.each([...pages, 'tests/vectors/README.md', ...filesBelow('docs', /\.md$/)])('%s', (name) => {
    const links = [...load(name).text.matchAll(/\]\(([^)#:]+)\)/g)].map(([, link]) => link ?? '');
    const broken = links.filter((link) => !fs.existsSync(path.join(top, path.dirname(name), link)));
    expect(broken).toEqual([]);
  });
});
