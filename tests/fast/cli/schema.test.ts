/** What programs read is what docs/schema publishes, and nothing else. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Decision } from '@edged/model/decision';
import { parseEpochKind } from '@edged/model/epoch-kind';
import { exitCodes, success } from '@edged/model/exit-code';
import { failures } from '@edged/model/failure';
import { runCommand, skipMountCheck } from '@edged/testkit/device/built-command';
import { type TestDevice, withDevice } from '@edged/testkit/device/device';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { checks } from 'edged/checks/registry';
import {
  eventDocument,
  eventNames,
  exitCodeDocument,
  knownExitCodes,
  listDocument,
  reasonDocument,
  reasons,
} from 'edged/explanations/page';

type Json = Record<string, unknown>;
type Definitions = Record<string, { enum: readonly unknown[]; pattern: string }>;

const directory = path.join(process.cwd(), 'docs/schema');
const ajv = new Ajv2020({
  strict: true,
  strictRequired: false, // what is required here may be described in another branch
  allowUnionTypes: true,
  allErrors: true,
});
const schemas = Object.fromEntries(
  fs.readdirSync(directory).map((name) => {
    const schema = JSON.parse(fs.readFileSync(path.join(directory, name), 'utf8')) as Json;
    ajv.addSchema(schema, name);
    return [name, schema];
  }),
);

const result = 'precheck-result.v1.json';
const report = 'check-report.v1.json';
const explanation = 'explanation.v1.json';

/** Empty when it is what the schema says. */
function objections(schema: string, document: unknown): unknown[] {
  const isValid = ajv.validate(schema, document);
  return isValid ? [] : (ajv.errors ?? []);
}

function definitionsOf(schema: string): Definitions {
  return schemas[schema]?.['$defs'] as Definitions;
}

function inJson(args: readonly string[], environment = {}): { document: Json; exit: unknown } {
  const options = { environment: { ...skipMountCheck, ...environment } };
  const { stdout, exitCode } = runCommand([...args, '--output', 'json'], options);
  return { document: JSON.parse(stdout) as Json, exit: exitCode };
}

const precheck = (device: TestDevice, ...args: readonly string[]): string[] => [
  'precheck',
  '--config',
  device.config,
  ...args,
];

function replaceOs(device: TestDevice): void {
  device.editFingerprint({ composite_hash: 'ffff0000' });
}

function bootTwice(device: TestDevice): void {
  device.precheck();
  replaceOs(device);
  expect(device.precheck().exitCode).toBe(0);
}

interface Case {
  readonly name: string;
  readonly arrange?: (device: TestDevice) => void | Promise<void>;
  readonly args?: (device: TestDevice) => readonly string[];
  readonly expected: Json;
}

const passed = (decision: string): Json => ({ result: 'passed', exit_code: 0, decision });

const refusedSkipping = { result: 'refused', mount_check_skipped: true };

const results: readonly Case[] = [
  { name: 'a first run', expected: passed('first_run') },
  { name: 'a match', arrange: (device) => void device.precheck(), expected: passed('unchanged') },
  {
    name: 'an OS replaced',
    arrange(device) {
      device.precheck();
      replaceOs(device);
    },
    expected: passed('os_replaced'),
  },
  {
    name: 'a lost fingerprint',
    arrange(device) {
      device.precheck();
      fs.rmSync(device.inside('bootstrap/os_fingerprint.json'));
    },
    expected: passed('state_lost'),
  },
  {
    name: 'a refusal of the gate config',
    arrange: (device) => device.editConfig((text) => text.replaceAll('window_seconds', 'windw')),
    expected: { ...refusedSkipping, exit_code: 1, gate: 'config', reason: 'config.invalid' },
  },
  {
    name: 'a refusal of the gate state_root',
    arrange: (device) => fs.chmodSync(device.stateRoot, 0o777),
    expected: { ...refusedSkipping, exit_code: 2, reason: 'state_root.world_writable' },
  },
  {
    name: 'a refusal of the gate certificate',
    arrange: (device) => device.issueCertificate(3),
    expected: { ...refusedSkipping, exit_code: 3, reason: 'certificate.expires_soon' },
  },
  {
    name: 'a refusal of the gate reconstruction',
    arrange(device) {
      device.precheck();
      replaceOs(device);
      fs.rmSync(device.inside('runtime/manifest.json.sig'));
    },
    expected: { ...refusedSkipping, exit_code: 5, reason: 'manifest.signature_missing' },
  },
  {
    name: 'a dry run',
    arrange(device) {
      device.precheck();
      replaceOs(device);
    },
    args: (device) => precheck(device, '--dry-run'),
    expected: { ...passed('os_replaced'), dry_run: true },
  },
  {
    name: 'a dry run that would be refused',
    arrange: (device) => device.issueCertificate(3),
    args: (device) => precheck(device, '--dry-run'),
    expected: { ...refusedSkipping, exit_code: 3, dry_run: true },
  },
  {
    name: 'a plan',
    arrange: bootTwice,
    args: (device) => {
      const root = path.join(device.directory, 'os');
      return precheck(device, '--plan', '--root', root, '--kernel-release', '6.9.0');
    },
    expected: { dry_run: true, plan: { kernel_release: '6.9.0' } },
  },
  {
    name: 'a plan by an os-release file',
    arrange: bootTwice,
    args: (device) => {
      const file = path.join(device.directory, 'os/etc/os-release');
      return precheck(device, '--plan', '--os-release', file, '--kernel-release', '6.9.0');
    },
    expected: { ...passed('os_replaced'), plan: { may_boot: true } },
  },
];

const reports: readonly Case[] = [
  {
    name: 'status of a device that never ran',
    args: (device) => ['status', '--config', device.config],
    expected: { schema: 'edged.status.v1', epochs: [] },
  },
  {
    name: 'status',
    arrange: bootTwice,
    args: (device) => ['status', '--config', device.config],
    expected: { schema: 'edged.status.v1' },
  },
  {
    name: 'doctor without a finding',
    arrange: bootTwice,
    args: (device) => ['doctor', '--config', device.config],
    expected: { schema: 'edged.doctor.v1', exit_code: 0, repairs: [] },
  },
  {
    name: 'doctor with findings',
    async arrange(device) {
      bootTwice(device);
      fs.rmSync(device.inside('runtime/bin/edge-agent'));
      fs.chmodSync(device.inside('runtime/manifest.json'), 0o666);
      fs.rmSync(device.inside('bootstrap/epoch_history.json'));
      await device.issueCertificate(3);
    },
    args: (device) => ['doctor', '--config', device.config],
    expected: { schema: 'edged.doctor.v1', exit_code: 5 },
  },
  {
    name: 'doctor that repairs',
    arrange(device) {
      bootTwice(device);
      fs.chmodSync(device.inside('runtime/manifest.json'), 0o666);
    },
    args: (device) => ['doctor', '--fix', '--config', device.config],
    expected: { exit_code: 0, repairs: [{ check: 'state_root.modes', done: true }] },
  },
];

describe.each([
  [result, results],
  [report, reports],
])('%s', (schema, cases) => {
  test.each(cases.map((one) => [one.name, one] as const))('%s', (_name, one) =>
    withDevice(async (device) => {
      await one.arrange?.(device);
      const { document, exit } = inJson(one.args?.(device) ?? precheck(device));
      expect(document).toMatchObject(one.expected);
      expect(objections(schema, document)).toEqual([]);
      const plan = document['plan'] as { may_boot: boolean } | undefined;
      if (plan) expect(exit === 0).toBe(plan.may_boot);
      else if ('exit_code' in document) expect(exit).toBe(document['exit_code']);
    }),
  );
});

describe('explanation.v1.json', () => {
  test('every reason, every event, every exit code, and the list of them', () => {
    const documents = [
      listDocument(),
      ...knownExitCodes.map(exitCodeDocument),
      ...reasons.map(reasonDocument),
      ...eventNames.map(eventDocument),
    ];
    expect(documents.length).toBeGreaterThan(100);
    for (const document of documents) expect(objections(explanation, document)).toEqual([]);
  });

  test.each(['', '5', '4', 'manifest.missing', 'edge.slot.held'])('printed: %j', (topic) => {
    const { document } = inJson(topic === '' ? ['explain'] : ['explain', topic]);
    expect(objections(explanation, document)).toEqual([]);
    expect(objections(explanation, { ...document, more: 1 })).not.toEqual([]);
    expect(objections(explanation, { ...document, schema: 'edged.other.v1' })).not.toEqual([]);
  });
});

test.each(['version', 'fingerprint'])('%s', (name) => {
  const { document, exit } = inJson([name]);
  const schema = `${name}.v1.json`;
  expect(exit).toBe(0);
  expect(objections(schema, document)).toEqual([]);
  expect(objections(schema, { ...document, more: 1 })).not.toEqual([]);
  expect(objections(schema, { ...document, schema: 'edged.other.v1' })).not.toEqual([]);
});

test('docs/reference/results.md has every document of every schema', () => {
  const table = fs.readFileSync(path.join(directory, '../reference/results.md'), 'utf8');
  const words = Object.values(schemas).flatMap((schema) =>
    [...JSON.stringify(schema).matchAll(/"const":"(edged\.\w+\.v1)"/g)].map(([, word]) => word),
  );
  expect(words.length).toBeGreaterThan(6);
  for (const word of words) expect(table).toContain(`\`${word}\``);
  for (const name of Object.keys(schemas)) expect(table).toContain(`(../schema/${name})`);
});

test('the result that is kept, and the one of this boot, are the one that is printed', () =>
  withDevice((device) => {
    const run = { RUNTIME_DIRECTORY: device.directory };
    const first = inJson(precheck(device), run).document;
    const kept = device.readJson('state-root/bootstrap/last_result.json');
    expect(device.readJson('precheck.json')).toEqual(first);
    expect(objections(result, kept)).toEqual([]);
    const { duration_seconds: _duration, recorded_at: _recorded, ...same } = first;
    expect(kept).toMatchObject(same);
    replaceOs(device);
    fs.rmSync(device.inside('identity/manifest-verify.pub'));
    inJson(precheck(device), run);
    for (const file of ['precheck.json', 'state-root/bootstrap/last_result.json']) {
      const refused = device.readJson(file);
      expect(refused).toMatchObject({ result: 'refused', reason: 'manifest.verify_key_missing' });
      expect(objections(result, refused)).toEqual([]);
    }
  }));

describe('a document that is none of ours is refused', () => {
  type Mutation = readonly [name: string, mutate: (document: Json) => Json];
  const without =
    (key: string) =>
    ({ [key]: _gone, ...rest }: Json): Json =>
      rest;
  const both: readonly Mutation[] = [
    ['another key', (document) => ({ ...document, more: 1 })],
    ['another schema', (document) => ({ ...document, schema: 'edged.precheck.v2' })],
    ['no schema', without('schema')],
    ['an exit code that is never used', (document) => ({ ...document, exit_code: 4 })],
    ['an exit code as text', (document) => ({ ...document, exit_code: '0' })],
  ];
  const ofResult: readonly Mutation[] = [
    ...both,
    ['a refusal with exit 0', (document) => ({ ...document, result: 'refused' })],
    ['passed with exit 5', (document) => ({ ...document, exit_code: 5 })],
    ['passed with a reason', (document) => ({ ...document, reason: 'manifest.invalid' })],
    ['another decision', (document) => ({ ...document, decision: 'guessed' })],
    ['half an epoch', (document) => ({ ...document, boot_epoch: 0.5 })],
    ['an epoch below 0', (document) => ({ ...document, boot_epoch: -1 })],
    ['a short hash', (document) => ({ ...document, composite_hash: 'ffff0000' })],
    ['a local time', (document) => ({ ...document, recorded_at: '2026-01-01 00:00' })],
    ['no decision', without('decision')],
    ['operations without a dry run', (document) => ({ ...document, operations: [], changes: [] })],
    ['a dry run without its changes', (document) => ({ ...document, dry_run: true })],
  ];
  const check = (document: Json, change: Json): Json => {
    const [first, ...others] = document['checks'] as Json[];
    return { ...document, checks: [{ ...first, ...change }, ...others] };
  };
  const ofReport: readonly Mutation[] = [
    ...both,
    ['no check', (document) => ({ ...document, checks: [] })],
    ['another status', (document) => check(document, { status: 'fine' })],
    ['another gate', (document) => check(document, { gate: 'network' })],
    ['a reason without its remedy', (document) => check(document, { reason: 'config.usage' })],
    ['a nested detail', (document) => check(document, { details: [{ of: {} }] })],
    ['another key in a check', (document) => check(document, { more: true })],
  ];

  test.each([
    [result, ofResult, (device: TestDevice) => precheck(device)],
    [report, ofReport, (device: TestDevice) => ['doctor', '--config', device.config]],
  ] as const)('%s', (schema, mutations, args) =>
    withDevice((device) => {
      const { document } = inJson(args(device));
      expect(objections(schema, document)).toEqual([]);
      const accepted = mutations.filter(
        ([, mutate]) => objections(schema, mutate(document)).length === 0,
      );
      expect(accepted.map(([name]) => name)).toEqual([]);
    }),
  );
});

describe('what the schemas enumerate is what the code has', () => {
  const shared = definitionsOf(report);
  const own = definitionsOf(result);

  test('gates, classes, exit codes', () => {
    expect(shared['gate']?.enum).toEqual(Object.keys(exitCodes));
    const classes = new Set(Object.values(failures).map(({ class: kind }) => kind));
    expect(new Set(shared['class']?.enum)).toEqual(classes);
    const known = [...new Set([success, ...Object.values(exitCodes)])];
    expect(propertyOf(schemas[result], 'exit_code')['enum']).toEqual(known);
    const doctor = (shared as Record<string, Json>)['doctor'];
    expect(propertyOf(doctor, 'exit_code')['enum']).toEqual(known);
  });

  test('decisions, verdicts of the time, kinds of epochs, statuses', () => {
    const decisions: Record<Decision['kind'], true> = {
      first_run: true,
      unchanged: true,
      image_adopted: true,
      evidence_damaged: true,
      os_replaced: true,
      state_lost: true,
    };
    expect(own['decision']?.enum).toEqual(Object.keys(decisions));
    const kinds = shared['epoch_kind']?.enum ?? [];
    expect(kinds.map(parseEpochKind)).toEqual(kinds);
    expect(kinds).toHaveLength(new Set(kinds).size);
  });

  test('every reason, gate by gate, with its exit code', () => {
    const reason = new RegExp(shared['reason']?.pattern ?? '');
    for (const [code, { gate, ...row }] of Object.entries(failures)) {
      expect(code).toMatch(reason);
      const refusal = {
        schema: 'edged.precheck.v1',
        result: 'refused',
        exit_code: exitCodes[gate],
        boot_id: '',
        recorded_at: new Date(0).toISOString(),
        duration_seconds: 0,
        gate,
        reason: code,
        ...row,
        details: [{ problem: 'x' }],
      };
      expect(objections(result, refusal)).toEqual([]);
      const other = exitCodes[gate] === 5 ? 1 : 5;
      expect(objections(result, { ...refusedSkipping, exit_code: other })).not.toEqual([]);
    }
  });

  test('every check', () => {
    expect(checks.length).toBeGreaterThan(20);
    for (const { id, gate } of checks) {
      const document = { id, gate, at_boot: true, status: 'ok', summary: '' };
      expect(objections(`${report}#/$defs/check`, document)).toEqual([]);
    }
  });
});

function propertyOf(schema: Json | undefined, name: string): Json {
  const properties = (schema?.['properties'] ?? {}) as Record<string, Json>;
  return properties[name] ?? {};
}
