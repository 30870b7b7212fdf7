/** A call that TypeScript would not let pass is the caller's mistake: `config.usage`, no defect. */
import { describe, expect, test } from '@jest/globals';
import * as api from 'edged';

const functions = {
  bootstrap: api.bootstrap,
  captureFingerprint: api.captureFingerprint,
  detectOsUpdate: api.detectOsUpdate,
  verifyManifest: api.verifyManifest,
  runReconstruction: api.runReconstruction,
  rotateEpoch: api.rotateEpoch,
  precheck: api.precheck,
} as const;

async function refusalOf(name: keyof typeof functions, ...given: unknown[]): Promise<unknown> {
  const called = functions[name] as unknown as (...args: readonly unknown[]) => Promise<unknown>;
  return called(...given).catch(({ code, details }: api.PrecheckError) => [code, details]);
}

const usage = (problem: string, allowed: string) => ['config.usage', [{ problem, allowed }]];

test.each(Object.keys(functions) as (keyof typeof functions)[])('%s', async (name) => {
  expect(await refusalOf(name, null)).toEqual(usage('options is null', 'object'));
  expect(await refusalOf(name, 'x')).toEqual(usage('options is string', 'object'));
  const kernel = { stateRoot: '/nowhere', kernelRelease: 6 };
  const problem = usage('options.kernelRelease is number', 'string');
  expect(await refusalOf(name, kernel)).toEqual(problem);
  if (name === 'captureFingerprint') return;
  expect(await refusalOf(name)).toEqual(usage('options is missing', 'object'));
  if (name === 'precheck') return;
  expect(await refusalOf(name, {})).toEqual(usage('options.stateRoot is missing', 'path'));
  expect(await refusalOf(name, { stateRoot: '' })).toEqual(
    usage('options.stateRoot is empty', 'path'),
  );
});

test('precheck wants a config, or a state root with a whole certificate', async () => {
  const wanted = 'a config or stateRoot together with certificate';
  const place = { stateRoot: '/nowhere' };
  for (const options of [{}, place, { ...place, config: undefined }]) {
    expect(await refusalOf('precheck', options)).toEqual(
      usage('options.config is missing', wanted),
    );
  }
  const files = { certFile: 'edge.crt', keyFile: 'edge.key' };
  expect(await refusalOf('precheck', { ...place, certificate: files })).toEqual(
    usage('options.certificate.caFile is missing', 'path'),
  );
  const certificate = { ...files, caFile: 'edge.crt', failWithinDays: '7' };
  expect(await refusalOf('precheck', { ...place, certificate })).toEqual(
    usage('options.certificate.failWithinDays is string', 'number'),
  );
});

describe('a number outside its range, which is that of the command line and the config', () => {
  const place = { stateRoot: '/nowhere' };
  const certificate = { certFile: 'edge.crt', keyFile: 'edge.key', caFile: 'edge.crt' };
  test.each([
    ['lockWaitSeconds', [Number.NaN, -1, Infinity, 86_401], '0 to 86400', 86_400],
    ['rotationValidDays', [Number.NaN, 0, Infinity, 3651], '1 to 3650', 3650],
    ['certificate.failWithinDays', [Number.NaN, -5, -Infinity, 3651], '0 to 3650', 0],
    ['certificate.warnWithinDays', [Number.NaN, -5, Infinity, 3651], '0 to 3650', 3650],
  ])('%s', async (name, refused, range, taken) => {
    const key = name.replace('certificate.', '');
    const given = (value: number) =>
      key === name
        ? { ...place, certificate, [key]: value }
        : { ...place, certificate: { ...certificate, [key]: value } };
    for (const value of refused) {
      expect(await refusalOf('precheck', given(value))).toEqual(
        usage(`options.${name} is ${value}`, `a number from ${range}`),
      );
    }
    expect(await refusalOf('precheck', given(taken))).toEqual([
      'state_root.missing',
      expect.anything(),
    ]);
    expect(await refusalOf('precheck', Object.create(given(refused[0] ?? 0)))).toEqual(
      usage(`options.${name} is NaN`, `a number from ${range}`),
    );
  });
});

test.each([
  ['profile', 'zzz', 'classic or image'],
  ['files', [1], 'a list of at most 64 absolute paths'],
  ['files', ['relative'], 'a list of at most 64 absolute paths'],
  ['files', {}, 'a list of at most 64 absolute paths'],
  ['fingerprint', {}, 'what captureFingerprint gave'],
  ['fingerprint', { compositeHash: 'x', osRelease: '' }, 'what captureFingerprint gave'],
  ['host', {}, 'a Host of @edged/host/host'],
  ['host', [], 'a Host of @edged/host/host'],
])('%s %j is of another shape', async (key, value, allowed) => {
  expect(await refusalOf('detectOsUpdate', { stateRoot: '/nowhere', [key]: value })).toEqual(
    usage(`options.${key} is of another shape`, allowed),
  );
});

test('a config that JSON cannot say', async () => {
  const circular: Record<string, unknown> = {};
  circular['identity'] = circular;
  for (const config of [circular, { schema: 1n }]) {
    expect(await refusalOf('precheck', { config })).toEqual(
      usage('options.config cannot be written as JSON', 'what JSON can say'),
    );
  }
});
