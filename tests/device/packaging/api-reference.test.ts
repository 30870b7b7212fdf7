/** The reference of the JavaScript API can be made, and says something of everything in it. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { testDirectory } from '@edged/testkit/test-directory';
import * as api from 'edged';

interface Reflection {
  readonly name: string;
  readonly variant: string;
  readonly comment?: unknown;
  readonly children?: readonly Reflection[];
  readonly signatures?: readonly Reflection[];
  readonly getSignature?: Reflection;
}

const directory = testDirectory('api-documentation');

/** TypeDoc refuses what it finds wrong by itself, but looks at one package only. */
function reference(): Reflection {
  const typedoc = 'packages/packaging/node_modules/typedoc/bin/typedoc';
  const json = path.join(directory, 'api.json');
  const outputs = ['--out', path.join(directory, 'html'), '--json', json];
  execFileSync(process.execPath, [typedoc, '--options', 'docs/typedoc.json', ...outputs]);
  return JSON.parse(fs.readFileSync(json, 'utf8')) as Reflection;
}

function undocumented(reflection: Reflection, above = ''): string[] {
  const { name, children = [], comment, signatures = [], getSignature } = reflection;
  const full = `${above}${name}`;
  const isSilent = ![comment, ...[...signatures, getSignature].map((each) => each?.comment)].some(
    (each) => each !== undefined,
  );
  const below = children
    .filter((child) => child.name !== 'constructor')
    .flatMap((child) => undocumented(child, `${full}.`));
  return isSilent ? [full, ...below] : below;
}

test('every name of the API, and every part of it, is documented', () => {
  const { children = [] } = reference();
  const names = children.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(Object.keys(api)));
  expect(children.flatMap((child) => undocumented(child))).toEqual([]);
  expect(fs.existsSync(path.join(directory, 'html/index.html'))).toBe(true);
});
