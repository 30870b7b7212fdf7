/** The registry of checks: who gives which reason, in which order, within which time. */
import { describe, expect, test } from '@jest/globals';
import { exitCodes } from '@edged/model/exit-code';
import { type FailureCode, type Gate, failures } from '@edged/model/failure';
import type { CheckResult } from 'edged/checks/check';
import { fixes } from 'edged/checks/fixes';
import { checkById, checks, runCheck } from 'edged/checks/registry';
import { describeCheck, exitCodeOf, resultToJson, tally } from 'edged/checks/report';
import type { Subject } from 'edged/checks/subject';

const codes = Object.keys(failures) as FailureCode[];
const looked = new Set<Gate>([
  'config',
  'state_root',
  'certificate',
  'reconstruction',
  'inspection',
]);

/** Any check can give it. */
const ofNoCheck: readonly FailureCode[] = ['inspection.timed_out'];

function claimants(code: FailureCode): string[] {
  const family = `${code.slice(0, code.indexOf('.'))}.*`;
  return checks
    .filter((one) => one.codes.includes(code) || one.codes.includes(family))
    .map(({ id }) => id);
}

describe('reasons', () => {
  const ofGates = codes.filter((code) => looked.has(failures[code].gate));

  test.each(ofGates.filter((code) => !ofNoCheck.includes(code)))(
    '%s is given by one check',
    (code) => expect(claimants(code)).toHaveLength(1),
  );

  test('and these by none', () => {
    const unclaimed = codes.filter((code) => claimants(code).length === 0);
    const ofOthers = codes.filter((code) => ['slot', 'defect'].includes(failures[code].gate));
    expect(unclaimed.sort()).toEqual([...ofNoCheck, ...ofOthers].sort());
  });

  test('a check claims nothing that there is not', () => {
    for (const claim of checks.flatMap((one) => one.codes)) {
      const isFamily = claim.endsWith('.*');
      const found = codes.filter((code) =>
        isFamily ? code.startsWith(claim.slice(0, -1)) : code === claim,
      );
      expect([claim, found.length > 0]).toEqual([claim, true]);
    }
  });

  test('a fix belongs to a reason that a check gives', () => {
    expect(Object.keys(fixes).length).toBeGreaterThan(3);
    for (const code of Object.keys(fixes) as FailureCode[]) expect(claimants(code)).toHaveLength(1);
  });

  test('what precheck asks at boot has the gate, and so the exit code, of its reasons', () => {
    for (const { id, gate, atBoot, codes: claimed } of checks) {
      const gates = codes
        .filter((code) => claimed.includes(code))
        .map((code) => failures[code].gate)
        .filter((one) => one !== 'inspection');
      for (const one of gates) expect([id, one]).toEqual([id, gate]);
      if (gates.length > 0) expect([id, atBoot]).toEqual([id, true]);
    }
  });
});

describe('order', () => {
  test('ids are unique, and say what is looked at', () => {
    const ids = checks.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const first =
      /^(?:config|state_root|certificate|os|epoch|trust|manifest|runtime|service)\.[a-z_]+$/;
    for (const id of ids) expect(id).toMatch(first);
    const titles = checks.map(({ title }) => title);
    expect(new Set(titles).size).toBe(titles.length);
    for (const title of titles) expect(title).toMatch(/^.{2,20}$/);
  });

  test('what a check needs comes before it', () => {
    for (const [index, { id, needs }] of checks.entries()) {
      const before = new Set(checks.slice(0, index).map((one) => one.id));
      expect([id, needs.filter((needed) => !before.has(needed))]).toEqual([id, []]);
    }
  });

  test('the gates come as precheck passes them', () => {
    const order = [...new Set(checks.filter(({ atBoot }) => atBoot).map(({ gate }) => gate))];
    expect(order).toEqual(['config', 'state_root', 'certificate', 'reconstruction']);
    const exits = order.map((gate) => exitCodes[gate]);
    expect(exits).toEqual([1, 2, 3, 5]);
  });

  test('every check ends: in half a minute, or in five where it reads the runtime', () => {
    for (const { id, timeLimitSeconds } of checks) {
      expect(timeLimitSeconds).toBeGreaterThanOrEqual(1);
      const most = id.startsWith('runtime.') ? 300 : 30;
      expect([id, timeLimitSeconds <= most]).toEqual([id, true]);
    }
  });

  test('there is no other', () => {
    expect(checkById('config.file').gate).toBe('config');
    expect(() => checkById('config.none')).toThrow('there is no check config.none');
  });
});

describe('one check', () => {
  const subject = {} as Subject;
  const base = checkById('state_root.mount');
  const run = (look: () => never, done: readonly CheckResult[] = []): Promise<CheckResult> =>
    runCheck({ ...base, look }, subject, new Map(done.map((result) => [result.id, result])));
  const crash = (): never => {
    throw new TypeError('a fault of ours');
  };

  test('that is a defect is unknown, and no success', async () => {
    const result = await run(crash);
    expect(result).toMatchObject({ status: 'unknown', reason: 'internal.defect' });
    expect(JSON.stringify(result.details)).toContain('a fault of ours');
    expect(exitCodeOf([result])).toBe(5);
  });

  test.each(['failed', 'unknown'] as const)(
    'is not asked where one that it needs is %s',
    async (status) => {
      const [needed = ''] = base.needs;
      const result = await run(crash, [{ id: needed, status, summary: '' }]);
      expect(result).toEqual({
        id: base.id,
        status: 'skipped',
        summary: `because ${checkById(needed).title} did not pass`,
        blockedBy: needed,
      });
      // and what needs this one is not asked either
      const next = { ...base, id: 'state_root.lock', needs: [base.id] };
      const then = await runCheck(next, subject, new Map([[base.id, result]]));
      expect(then.status).toBe('skipped');
    },
  );

  test.each(['ok', 'warning', 'skipped'] as const)('is asked where it is %s', async (status) => {
    const [needed = ''] = base.needs;
    for (const summary of ['no config was given', 'because of what a name says']) {
      const result = await run(crash, [{ id: needed, status, summary }]);
      expect(result.status).toBe('unknown');
    }
  });
});

describe('all of them together', () => {
  const result = (status: CheckResult['status'], reason?: FailureCode): CheckResult => ({
    id: 'config.file',
    status,
    summary: '',
    ...(reason ? { reason } : {}),
  });

  test('the exit code is that of the first that failed, warnings aside', () => {
    const warning = result('warning', 'state_root.read_only');
    expect(exitCodeOf([result('ok'), warning, result('skipped')])).toBe(0);
    const certificate = result('failed', 'certificate.expired');
    expect(exitCodeOf([warning, certificate, result('failed', 'state_root.locked')])).toBe(3);
    expect(exitCodeOf([result('unknown', 'inspection.timed_out')])).toBe(5);
    expect(exitCodeOf([result('failed')])).toBe(5);
  });

  test('the tally counts them', () => {
    expect(tally([])).toBe('0 ok, 0 failed');
    expect(tally([result('ok'), result('ok'), result('unknown')])).toBe(
      '2 ok, 0 failed, 1 unknown',
    );
  });

  test('on a narrow terminal the command that says more can still be copied', () => {
    const shown = describeCheck(result('failed', 'certificate.expired'), {
      color: false,
      columns: 36,
    });
    expect(shown).toMatch(/^ +more +edged explain certificate\.expired$/m);
  });

  test('as a document, message and remedy are those of the table', () => {
    const { message, remedy, class: kind } = failures['certificate.expired'];
    expect(resultToJson(result('failed', 'certificate.expired'))).toEqual({
      id: 'config.file',
      gate: 'config',
      at_boot: true,
      status: 'failed',
      summary: '',
      reason: 'certificate.expired',
      class: kind,
      message,
      remedy,
    });
  });
});
