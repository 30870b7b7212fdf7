/** docs/reasons.md and docs/reference/events.md, made of the pages: `npm run docs`. */
import { type FailureCode, failures } from '@edged/model/failure';
import { events } from '@edged/precheck/event';
import { wrap } from '../output/wrap.ts';
import { eventExplanations } from './events.ts';
import { classMeanings, exitMeanings } from './exit-codes.ts';
import type { EventExplanation, Explanation } from './explanation.ts';
import { explanations } from './explanations.ts';
import { eventNames, exitCodeOf, knownExitCodes, reasonsOf } from './page.ts';

const columns = 100;

export function reasonsMarkdown(): string {
  const classes = Object.entries(classMeanings).map(
    ([kind, meaning]) => `| ${kind} | ${meaning} |`,
  );
  return [
    '# Reasons',
    '',
    wrap(
      'Every refusal carries one of these in `reason`. They are stable. `edged explain REASON` ' +
        'shows the same page on the device, without a network. In the steps `/data/edged` stands ' +
        'for the state root and `F` for the config file (`systemctl cat edged-precheck` shows ' +
        'both); other words in capitals come from the log line.',
      columns,
    ),
    '',
    '| class | what helps |',
    '|---|---|',
    ...classes,
    '',
    'Made by `npm run docs` from `packages/edged/src/explanations/`.',
    '',
    ...knownExitCodes.flatMap((exitCode) => [
      `## Exit code ${exitCode}: ${exitMeanings[exitCode].title}`,
      '',
      wrap(exitMeanings[exitCode].meaning, columns),
      '',
      ...reasonsOf(exitCode).flatMap(reasonSection),
    ]),
  ].join('\n');
}

function reasonSection(reason: FailureCode): string[] {
  const { class: kind, message, remedy } = failures[reason];
  const { meaning, repair }: Explanation = explanations[reason];
  return [
    `### \`${reason}\``,
    '',
    `\`${message}\` (exit code ${exitCodeOf(reason)}, ${kind})`,
    '',
    wrap(meaning, columns),
    '',
    wrap(`**What to do.** ${remedy}`, columns),
    '',
    ...repair.map((step, index) => wrap(step, columns, { first: `${index + 1}. `, rest: '   ' })),
    '',
  ];
}

export function eventsMarkdown(): string {
  const rows = eventNames.map((name) => {
    const { attributes, meaning, action }: EventExplanation = eventExplanations[name];
    const carried = attributes.map((attribute) => `\`${attribute}\``).join(', ');
    return `| \`${name}\` | ${events[name].toUpperCase()} | ${carried} | ${meaning} | ${action} |`;
  });
  return [
    '# Events',
    '',
    'Log lines that are no failures. `msg`, level and attributes are stable. `edged explain EVENT`',
    'shows the same. Made by `npm run docs` from `packages/edged/src/explanations/events.ts`.',
    '',
    '| msg | level | attributes | when | what to do |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}
