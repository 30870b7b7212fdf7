/**
 * The verdict of a precheck for the textfile collector of Prometheus' node_exporter: text
 * exposition format 0.0.4, base units, no timestamps (the collector refuses them).
 */
import { exitCodes, success } from '@edged/model/exit-code';
import { PrecheckError } from '@edged/model/failure';
import type { Circumstances, PrecheckOutcome } from '@edged/precheck/precheck-result';
import { release } from '../release.ts';

interface Gauge {
  readonly name: string;
  readonly help: string;
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
}

export function metricsOf(
  verdict: PrecheckOutcome | PrecheckError,
  circumstances: Circumstances,
): string {
  return gaugesOf(verdict, circumstances).map(encode).join('');
}

function gaugesOf(
  verdict: PrecheckOutcome | PrecheckError,
  { recordedAt, durationSeconds }: Circumstances,
): readonly Gauge[] {
  const refusal = verdict instanceof PrecheckError ? verdict : undefined;
  const outcome = verdict instanceof PrecheckError ? undefined : verdict;
  return [
    {
      name: 'edged_build_info',
      help: 'Constant 1, with the version of edged.',
      value: 1,
      labels: { version: release.version },
    },
    {
      name: 'edged_precheck_success',
      help: '1 when the last precheck let the agent start, 0 when it refused.',
      value: refusal ? 0 : 1,
    },
    {
      name: 'edged_precheck_exit_code',
      help: 'Exit code of the last precheck.',
      value: refusal ? exitCodes[refusal.gate] : success,
    },
    {
      name: 'edged_precheck_info',
      help: 'Constant 1, with what the last precheck decided, or why it refused.',
      value: 1,
      labels: {
        decision: outcome?.decision ?? '',
        reason: refusal?.code ?? '',
        class: refusal?.class ?? '',
      },
    },
    {
      name: 'edged_precheck_end_time_seconds',
      help: 'When the last precheck ended, in seconds since 1970, as the clock showed.',
      value: Date.parse(recordedAt) / 1000,
    },
    {
      name: 'edged_precheck_duration_seconds',
      help: 'How long the last precheck took.',
      value: durationSeconds,
    },
    ...(outcome ? gaugesOfDevice(outcome) : []),
  ];
}

function gaugesOfDevice(outcome: PrecheckOutcome): readonly Gauge[] {
  return [
    {
      name: 'edged_boot_epoch',
      help: 'Number of the epoch that is running, from 0; it grows with every OS replacement.',
      value: outcome.bootEpoch,
    },
    {
      name: 'edged_certificate_not_after_time_seconds',
      help: 'When the certificate of the node expires, in seconds since 1970.',
      value: Date.parse(outcome.certificateNotAfter) / 1000,
    },
    {
      name: 'edged_state_root_read_only',
      help: '1 when the state root is on a read-only mount.',
      value: outcome.readOnly ? 1 : 0,
    },
    {
      name: 'edged_state_root_mount_check_skipped',
      help: '1 when nobody looked whether the state root survives an OS replacement.',
      value: outcome.mountCheckSkipped ? 1 : 0,
    },
  ];
}

function encode({ name, help, value, labels = {} }: Gauge): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}=${JSON.stringify(text)}`);
  const set = pairs.length > 0 ? `{${pairs.join(',')}}` : '';
  return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${name}${set} ${value}\n`;
}
