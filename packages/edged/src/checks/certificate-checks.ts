/** Gate `certificate`, and the clock that judges it. */
import type { Host } from '@edged/host/host';
import { type Records, present } from '@edged/model/decision';
import { PrecheckError } from '@edged/model/failure';
import { type CertificateOrder, wasCutOff } from '@edged/precheck/certificate/certificate-gate';
import {
  checkPair,
  millisecondsLeft,
  notAfter,
  readPair,
} from '@edged/precheck/certificate/certificate';
import { type Check, ok, skipped, warning } from './check.ts';

const dayMilliseconds = 86_400_000;
/** Where the config names no threshold of its own, this is soon enough to be told. */
const warnWithinDays = 30;

export const certificateChecks: readonly Check[] = [
  {
    id: 'certificate.pair',
    gate: 'certificate',
    title: 'certificate',
    atBoot: true,
    codes: ['certificate.*', 'inspection.certificate_expires'],
    needs: ['config.file', 'state_root.directory'],
    timeLimitSeconds: 15,
    async look(subject) {
      const { certificate: order } = await subject.order();
      if (!order) return skipped('without a config it is not known which');
      const time = await subject.time();
      const pair = readPair(order, subject.host);
      const doubts: string[] = [];
      try {
        checkPair(pair, order, order, time, (name) => doubts.push(name));
      } catch (error) {
        const cure = cureOf(error, order, subject.host);
        if (cure === undefined) throw error;
        const { code, message, details } = error as PrecheckError;
        return warning(code, `${message.replace('precheck: ', '')}; ${cure}`, details);
      }
      const ends = notAfter(pair.leaf).toISOString();
      const days = Math.floor(millisecondsLeft(pair.leaf, time) / dayMilliseconds);
      const subjectName = pair.leaf.subject.split('\n').join(', ');
      const facts = { subject: subjectName, not_after: ends, days_left: days };
      const summary = `${subjectName}, ${days} days left, until ${ends.slice(0, 10)}`;
      if (days < (order.warnWithinDays ?? warnWithinDays)) {
        const detail = { file: order.certFile, days_left: days, not_after: ends };
        return warning('inspection.certificate_expires', summary, detail, facts);
      }
      const unproven = doubts.some((name) => name.endsWith('_unproven'));
      return ok(unproven ? `${summary}; the clock cannot prove it` : summary, facts);
    },
  },
  {
    id: 'certificate.clock',
    gate: 'certificate',
    title: 'clock',
    atBoot: false,
    codes: ['inspection.clock_implausible'],
    needs: ['state_root.directory'],
    timeLimitSeconds: 15,
    async look(subject) {
      const { verdict, text, clockMilliseconds } = await subject.time();
      const clock = new Date(clockMilliseconds).toISOString();
      const facts = { clock, verdict };
      if (verdict === 'implausible') {
        const summary = `shows ${clock}, and it is not before ${text}`;
        return warning('inspection.clock_implausible', summary, { clock, floor: text }, facts);
      }
      const recorded = newestTimeIn(await subject.records());
      if (verdict === 'floor' && recorded > clock) {
        const summary = `shows ${clock}, and a record is of ${recorded}: one of them is wrong`;
        return warning('inspection.clock_implausible', summary, { clock, recorded }, facts);
      }
      const by = verdict === 'synchronised' ? 'set by a time service' : 'plausible, nobody set it';
      return ok(`${clock}, ${by}`, facts);
    },
  },
];

/** It may have been written by a clock that was wrong: precheck only looks at it (spec I7). */
function newestTimeIn({ fingerprint, current }: Records): string {
  const texts = [present(fingerprint)?.capturedAt, present(current)?.rotatedAt];
  const times = texts.map((text) => Date.parse(text ?? '')).filter((time) => !Number.isNaN(time));
  return new Date(Math.max(0, ...times)).toISOString();
}

/** What precheck itself will do about it; undefined when it will refuse. */
function cureOf(error: unknown, order: CertificateOrder, host: Host): string | undefined {
  if (!(error instanceof PrecheckError)) return undefined;
  const isPair = error.code === 'certificate.key_mismatch';
  if (isPair && wasCutOff(order, host)) return 'the next precheck ends the rotation cut off here';
  const isAge = error.code === 'certificate.expired' || error.code === 'certificate.expires_soon';
  if (isAge && order.caKeyFile !== undefined) return 'the next precheck issues a new one';
  return undefined;
}
