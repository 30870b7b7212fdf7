/** A call that TypeScript would not let pass is the caller's mistake: `config.usage`, no defect. */
import { expect, test } from '@jest/globals';
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
