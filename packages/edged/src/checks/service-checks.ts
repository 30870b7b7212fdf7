/**
 * What is around precheck: its units, its last word, the slot. No service is asked over a socket.
 */
import type { OperatingSystem } from '@edged/host/host';
import { type FailureCode, PrecheckError, failures } from '@edged/model/failure';
import { stated } from '@edged/precheck/state-root/disk-failure';
import { type PrecheckResult, readKeptResult, readResult } from '@edged/precheck/precheck-result';
import { readSlotWithTools } from '@edged/precheck/slot/slot';
import { type Check, type Finding, ok, skipped, warning } from './check.ts';
import type { Subject } from './subject.ts';

/** systemd.unit(5), the ones that an OS image or its owner fills. */
const unitDirectories = ['/etc/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system'];
const units = ['edged-precheck.service', 'edged.service'] as const;

export const serviceChecks: readonly Check[] = [
  {
    id: 'service.verdict',
    gate: 'inspection',
    title: 'last precheck',
    atBoot: false,
    codes: ['inspection.no_verdict'],
    needs: [],
    timeLimitSeconds: 15,
    async look(subject) {
      if (subject.isNextOs) return skipped('this OS has not booted yet');
      const { host, resultFile } = subject;
      const bootId = stated(() => host.system.bootId());
      const ofThisBoot = stated(() => readResult(resultFile, host));
      if (ofThisBoot && ofThisBoot.bootId === bootId) return judge(ofThisBoot);
      const kept = await keptResultOf(subject);
      const isBooted = host.listDirectory('/run/systemd/system') !== undefined;
      if (kept && (!isBooted || kept.bootId === bootId)) return lastRecorded(kept);
      if (!isBooted) return skipped('systemd does not run here, and no result was kept');
      const detail = { file: resultFile };
      return warning('inspection.no_verdict', 'none in this boot', detail);
    },
  },
  {
    id: 'service.units',
    gate: 'inspection',
    title: 'systemd units',
    atBoot: false,
    codes: ['inspection.unit_missing', 'inspection.unit_disabled'],
    needs: [],
    timeLimitSeconds: 15,
    async look(subject) {
      if (subject.isNextOs && !subject.nextOsIsMounted) {
        return skipped('the next OS is not mounted (--root DIR)');
      }
      const { system } = subject.host;
      const there = unitDirectories.filter((directory) => system.listImageDirectory(directory));
      if (there.length === 0) return skipped('this OS has no systemd');
      const missing = units.filter((unit) => !isIn(system, there, unit));
      const severity = subject.isNextOs ? 'failed' : 'warning';
      if (missing.length > 0) {
        const details = missing.map((unit) => ({ unit }));
        const finding = warning(
          'inspection.unit_missing',
          `not installed: ${missing.join(', ')}`,
          details,
        );
        return { ...finding, status: severity };
      }
      const wanted = new Set(there.flatMap((directory) => wantedIn(system, directory)));
      const disabled = units.filter((unit) => !wanted.has(unit));
      if (disabled.length === 0) return ok(`${units.join(', ')}: installed and enabled`);
      const details = disabled.map((unit) => ({ unit }));
      const finding = warning(
        'inspection.unit_disabled',
        `not enabled: ${disabled.join(', ')}`,
        details,
      );
      return { ...finding, status: severity };
    },
  },
  {
    id: 'service.slot',
    gate: 'inspection',
    title: 'slot',
    atBoot: false,
    codes: [],
    needs: [],
    timeLimitSeconds: 15,
    async look({ host, tools, isNextOs }) {
      if (isNextOs) return skipped('this OS has not booted yet');
      const slot = await readSlotWithTools(host, tools);
      const { adapter, name = '', trial, triesLeft } = slot;
      if (adapter === 'none') return skipped('no boot loader that counts tries has said anything');
      const tries = triesLeft === undefined ? '' : `, ${triesLeft} tries left`;
      const standing = {
        yes: `a trial${tries}`,
        no: 'committed',
        unknown: 'trial or not: unknown',
      };
      const facts = { adapter, name, trial, tries_left: triesLeft };
      return ok(`${name} (${adapter}), ${standing[trial]}`, facts);
    },
  },
];

async function keptResultOf(subject: Subject): Promise<PrecheckResult | undefined> {
  try {
    return readKeptResult((await subject.stateRoot()).disk);
  } catch (error) {
    if (error instanceof PrecheckError) return undefined; // its own check says why
    throw error;
  }
}

function judge(result: PrecheckResult): Finding {
  const facts = factsOf(result);
  if (result.passed) return ok(`passed in this boot: ${wordsOf(result)}`, facts);
  const isKnown = Object.hasOwn(failures, result.reason);
  return {
    status: 'failed',
    summary: `refused in this boot: ${wordsOf(result)}`,
    ...(isKnown ? { reason: result.reason as FailureCode } : {}),
    details: result.details as NonNullable<Finding['details']>,
    facts,
  };
}

/** A boot that merely matched writes nothing: what is kept may not be the last word. */
function lastRecorded(result: PrecheckResult): Finding {
  const facts = factsOf(result);
  if (result.passed) return ok(`last recorded: passed, ${wordsOf(result)}`, facts);
  const summary = `last recorded: refused, ${wordsOf(result)}; a plain match since is not recorded`;
  return { status: 'warning', summary, facts };
}

function wordsOf({ passed, decision, reason, exitCode, recordedAt }: PrecheckResult): string {
  const what = passed ? decision.replaceAll('_', ' ') : `exit ${exitCode}, ${reason}`;
  return `${what}, ${recordedAt}`;
}

function factsOf(result: PrecheckResult): NonNullable<Finding['facts']> {
  const { passed, exitCode, recordedAt, decision, reason } = result;
  const why = passed ? { decision } : { reason };
  return { passed, exit_code: exitCode, recorded_at: recordedAt, ...why };
}

function isIn(system: OperatingSystem, directories: readonly string[], unit: string): boolean {
  return directories.some((directory) => system.listImageDirectory(directory)?.includes(unit));
}

/** Units that something else pulls in. */
function wantedIn(system: OperatingSystem, directory: string): readonly string[] {
  return (system.listImageDirectory(directory) ?? [])
    .filter((name) => /\.(?:wants|requires|upholds)$/.test(name))
    .flatMap((name) => system.listImageDirectory(`${directory}/${name}`) ?? []);
}
