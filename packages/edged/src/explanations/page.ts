/** The pages of `edged explain`, as text for a terminal and as documents for a script. */
import { type FailureCode, failures } from '@edged/model/failure';
import { exitCodes } from '@edged/model/exit-code';
import { type EventName, events } from '@edged/precheck/event';
import type { StdoutStyle } from '../settings.ts';
import { type Indent, wrap } from '../output/wrap.ts';
import { eventExplanations } from './events.ts';
import { type ExitCode, classMeanings, exitMeanings } from './exit-codes.ts';
import type { EventExplanation, Explanation } from './explanation.ts';
import { explanations } from './explanations.ts';

/** In the order of the tables, which is the order of the gates. */
export const reasons = Object.keys(failures) as FailureCode[];
export const eventNames = Object.keys(events) as EventName[];
export const knownExitCodes = Object.keys(exitMeanings).map(Number) as ExitCode[];

/** No line of prose is easy to read when it is longer. */
const widest = 100;
const indented: Indent = { first: '  ', rest: '  ' };

export function exitCodeOf(reason: FailureCode): ExitCode {
  return exitCodes[failures[reason].gate];
}

export function reasonsOf(exitCode: ExitCode): FailureCode[] {
  return reasons.filter((reason) => exitCodeOf(reason) === exitCode);
}

/** What the words in the steps stand for; undefined where none of them is used. */
function legendOf({ repair }: Explanation): string | undefined {
  const steps = repair.join('\n');
  const named = [
    ...(steps.includes('/data/edged') ? ['/data/edged stands for the state root'] : []),
    ...(/\bF\b/.test(steps) ? ['F for the config file'] : []),
  ].join(', ');
  if (named === '') return undefined;
  const text = named.startsWith('F') ? named.replace('for', 'stands for') : named;
  return `${text}; \`systemctl cat edged-precheck\` shows the real path.`;
}

export function reasonPage(reason: FailureCode, style: StdoutStyle): string {
  const { gate, class: kind, message, remedy } = failures[reason];
  const explanation: Explanation = explanations[reason];
  const { line, title } = layoutOf(style);
  const legend = legendOf(explanation);
  return joined(
    title(reason),
    line(message, indented),
    line(`gate: ${gate}, exit code ${exitCodeOf(reason)}`, indented),
    line(`class: ${kind} (${classMeanings[kind]})`, indented),
    '',
    title('What it means'),
    line(explanation.meaning, indented),
    '',
    title('What to do'),
    line(remedy, indented),
    '',
    ...explanation.repair.map((step, index) => line(step, numbered(index))),
    ...(legend === undefined ? [] : ['', line(legend, indented)]),
  );
}

export function exitCodePage(exitCode: ExitCode, style: StdoutStyle): string {
  const { line, title } = layoutOf(style);
  const { title: heading, meaning } = exitMeanings[exitCode];
  const given = reasonsOf(exitCode);
  return joined(
    title(`exit code ${exitCode}: ${heading}`),
    line(meaning, indented),
    ...(given.length === 0 ? [] : ['', title('Reasons'), ...given.map(lineOf)]),
  );
}

export function eventPage(name: EventName, style: StdoutStyle): string {
  const { line, title } = layoutOf(style);
  const { attributes, meaning, action }: EventExplanation = eventExplanations[name];
  return joined(
    title(name),
    line(`level: ${events[name].toUpperCase()}`, indented),
    line(`attributes: ${attributes.join(', ')}`, indented),
    '',
    title('What it means'),
    line(meaning, indented),
    '',
    title('What to do'),
    line(action, indented),
  );
}

export function listPage(style: StdoutStyle): string {
  const { line, title } = layoutOf(style);
  return joined(
    ...knownExitCodes.flatMap((exitCode) => [
      title(`exit code ${exitCode}: ${exitMeanings[exitCode].title}`),
      ...reasonsOf(exitCode).map(lineOf),
      '',
    ]),
    title('events'),
    ...eventNames.map((name) => `  ${name}`),
    '',
    line('`edged explain` with a reason, an exit code or an event shows its page.'),
  );
}

export function reasonDocument(reason: FailureCode): object {
  const { gate, class: kind, message, remedy } = failures[reason];
  const exitCode = exitCodeOf(reason);
  const schema = 'edged.explanation.v1';
  const head = { schema, reason, gate, exit_code: exitCode, class: kind };
  return { ...head, message, remedy, ...explanations[reason] };
}

export function exitCodeDocument(exitCode: ExitCode): object {
  return { schema: 'edged.exit_code.v1', ...describeExitCode(exitCode) };
}

export function eventDocument(name: EventName): object {
  return { schema: 'edged.event.v1', event: name, level: events[name], ...eventExplanations[name] };
}

export function listDocument(): object {
  const schema = 'edged.explanations.v1';
  return { schema, exit_codes: knownExitCodes.map(describeExitCode), events: eventNames };
}

function describeExitCode(exitCode: ExitCode): object {
  const given = reasonsOf(exitCode).map((reason) => {
    const { message } = failures[reason];
    return { reason, message };
  });
  return { exit_code: exitCode, ...exitMeanings[exitCode], reasons: given };
}

/** One line each, whatever its width: made to be searched. */
function lineOf(reason: FailureCode): string {
  return `  ${reason}: ${failures[reason].message}`;
}

function numbered(index: number): Indent {
  return { first: `  ${index + 1}. `, rest: '     ' };
}

function layoutOf({ color, columns }: StdoutStyle): {
  line: (text: string, indent?: Indent) => string;
  title: (text: string) => string;
} {
  return {
    line: (text, indent) => wrap(text, Math.min(columns, widest), indent),
    title: (text) => (color ? `\u001b[1m${text}\u001b[0m` : text),
  };
}

function joined(...lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}
