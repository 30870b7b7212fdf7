/**
 * edged(8), from what the program itself is made of: the definitions behind `--help`, the table of
 * failures, the exit codes, the names inside the state root.
 */
import fs from 'node:fs';
import { commandDefinitions } from 'edged/command-line/command-line';
import type { CommandDefinition, OptionDefinition } from 'edged/command-line/command-definitions';
import { kindOf } from 'edged/command-line/completion-words';
import { exitCodes } from '@edged/model/exit-code';
import { type FailureCode, type Gate, failures } from '@edged/model/failure';
import { explanations } from 'edged/explanations/explanations';
import { layout } from '@edged/model/layout';
import {
  bold,
  example,
  italic,
  paragraph,
  references,
  section,
  sentence,
  subsection,
  tagged,
} from './roff.ts';

const readme = new URL('../../../../README.md', import.meta.url);

/** Everything that settings.ts reads. */
const environment: Readonly<Record<string, string>> = {
  EDGE_STATE_ROOT: 'The state root; overrides `state_root.root` of the config.',
  EDGE_STATE_ROOT_SKIP_MOUNT_CHECK:
    'If exactly `1`, it is not checked that the state root is on a persistent filesystem. ' +
    'A warning says so every time. A disk that the config pins is checked all the same.',
  CREDENTIALS_DIRECTORY:
    'Set by systemd: where `edged.keyring*` may bring a keyring, see systemd.exec(5).',
  RUNTIME_DIRECTORY: 'Set by systemd: where `precheck.json` is left until the next boot.',
  NOTIFY_SOCKET: 'Set by systemd: a status line is sent there, see sd_notify(3).',
  JOURNAL_STREAM: 'Set by systemd: lines for the journal carry their priority.',
  SHELL: 'The shell for which `edged completion` prints a script when none is named.',
  TERM: 'If `dumb`, no progress is shown and nothing is coloured.',
  NO_COLOR: 'If not empty, nothing is coloured.',
};

/** Everything that layout.ts names. */
const inStateRoot: Readonly<Record<keyof typeof layout, string>> = {
  fingerprint: 'The fingerprint of the operating system that was accepted last, and its epoch.',
  config: 'The production config; its hash goes into the evidence.',
  history: 'Every epoch: a third witness beside fingerprint and evidence.',
  bootCount: 'How many boots a manifest that limits them has served.',
  lastResult: 'What the last precheck came to that was no plain match.',
  resultStaging: 'Holds that result until it is whole.',
  lock: 'Shows people and tools that a precheck is at work. The kernel holds the lock itself.',
  transaction: 'Work under way; the next precheck finishes it.',
  journal: 'What that work is; precheck carries it to its end, or takes it back.',
  verifyKey: 'The public key of the manifest: Ed25519, raw, 32 bytes.',
  keyringUpdates: 'Signed updates of the keyring.',
  binaries: 'The only source of what is installed.',
  manifest: 'The runtime manifest, see edged-manifest(5).',
  signature: 'Its signature, raw, 64 bytes; those of further signers are `manifest.json.sig.NAME`.',
  epochs: 'The evidence of the epochs.',
  currentEpoch: 'Evidence of the newest epoch.',
  previousEpoch: 'Evidence of the one before.',
  committedEpoch: 'Evidence of the operating system that was blessed last.',
};

const elsewhere: Readonly<Record<string, string>> = {
  '/etc/edged/edge.toml': 'The usual place of the config, see edged.toml(5).',
  '/usr/lib/edged/keyring.d/*.json': 'Keyrings that come with the image.',
  '/etc/edged/keyring.d/*.json':
    'Local keyrings; each hides that of the same name in `/usr/lib/edged/keyring.d`.',
  '/run/edged/precheck.json':
    'What the precheck of this boot came to; `edged bless` and `edged failed` read it.',
};

/** The sections, as roff. */
export function edgedBody(): readonly string[] {
  const program = commandDefinitions();
  return [
    section('NAME', 'edged \\- OS\\-replacement precheck and runtime reconstruction'),
    section('SYNOPSIS', `${bold('edged')} ${italic('COMMAND')} [${italic('OPTIONS')}]`),
    section('DESCRIPTION', ...description.map(paragraph)),
    section('OPTIONS', paragraph('With every command, before or behind it:'), options(program)),
    section('COMMANDS', ...program.commands.flatMap((command) => commandSections(command, []))),
    section('EXIT STATUS', ...exitStatus()),
    section('ENVIRONMENT', ...table(environment)),
    section('FILES', ...files()),
    section('REASONS', ...reasons()),
    section('EXAMPLES', ...examplesOf(program)),
    section(
      'SEE ALSO',
      references(
        ['edged.toml', 5],
        ['edged-manifest', 5],
        ['systemd.service', 5],
        ['systemd.exec', 5],
        ['systemd-bless-boot.service', 8],
        ['rauc', 1],
      ),
    ),
  ];
}

const description = [
  'An edge device wipes its root filesystem at every update of its operating system; one ' +
    'persistent partition, the state root, survives. At every boot, before the agent starts, ' +
    'systemd runs `edged precheck` once. If the operating system was replaced it verifies the ' +
    'signed runtime manifest, puts the runtime back, counts the new system in BootEpoch and ' +
    'leaves evidence that no crash can lose.',
  'If anything is wrong the agent does not start, and the operator reads why: one line on ' +
    'standard error with a stable `reason` and a `remedy`. Standard output is for what was ' +
    'asked for.',
];

function commandSections(command: CommandDefinition, outer: readonly string[]): readonly string[] {
  const words = [...outer, command.name];
  const title = ['edged', ...words].join(' ');
  const positionals = command.positionals.map(({ name, isRequired, isRepeated }) => {
    const shown = `${italic(name.toUpperCase())}${isRepeated ? '...' : ''}`;
    return isRequired ? shown : `[${shown}]`;
  });
  const inner = command.commands.length > 0 ? [italic('COMMAND')] : positionals;
  const synopsis = [bold(title), ...inner, `[${italic('OPTIONS')}]`].join(' ');
  return [
    subsection(title, synopsis, paragraph(told(command.describe))),
    ...command.positionals
      .filter(({ describe, choices }) => describe !== '' || choices.length > 0)
      .map(({ name, describe, choices }) => {
        const allowed = choices.length > 0 ? `One of: ${choices.join(', ')}.` : '';
        const said = describe === '' ? '' : told(describe);
        return tagged(italic(name.toUpperCase()), `${said} ${allowed}`);
      }),
    options(command),
    ...command.commands.flatMap((one) => commandSections(one, words)),
  ];
}

function options(command: CommandDefinition): string {
  return command.options.map(optionEntry).join('\n');
}

function optionEntry(option: OptionDefinition): string {
  const { name, choices, describe, demandOption, array, default: value } = option;
  const kind = kindOf(option);
  const behind = choices ? choices.join('|') : kind === 'nothing' ? '' : kind.toUpperCase();
  const tag = [bold(`--${name}`), italic(behind)].filter((part) => part !== '').join(' ');
  const notes = [
    demandOption ? 'Required.' : '',
    array ? 'May be given several times.' : '',
    typeof value === 'string' || typeof value === 'number' ? `Default: \`${value}\`.` : '',
  ];
  return tagged(tag, [told(describe), ...notes].join(' '));
}

/** A description of `--help`; what it says in brackets behind it becomes a sentence. */
function told(describe: string): string {
  const [, text = describe, value] = /^(.*) \[default: (.*)\]$/.exec(describe) ?? [];
  return value === undefined ? sentence(text) : `${sentence(text)} Default: ${value}.`;
}

/** The codes and gates of the program; the meaning is that of the table in the README. */
function exitStatus(): readonly string[] {
  const page = fs.readFileSync(readme, 'utf8');
  const rows = [...page.matchAll(/^\| (\d+) \| (?:-|`.*`) \| (.+) \|$/gm)];
  const meanings = new Map(rows.map(([, code, meaning]) => [Number(code), meaning ?? '']));
  const codes = [...new Set([0, ...Object.values(exitCodes)])].sort((one, two) => one - two);
  return codes.map((code) => {
    const meaning = meanings.get(code);
    if (meaning === undefined) throw new Error(`the README does not explain exit ${code}`);
    const gates = gatesOf(code).map((gate) => `\`${gate}\``);
    const gate = gates.length > 0 ? `Gates: ${gates.join(', ')}.` : '';
    return tagged(bold(String(code)), `${sentence(meaning)} ${gate}`);
  });
}

function gatesOf(code: number): readonly Gate[] {
  return (Object.keys(exitCodes) as Gate[]).filter((gate) => exitCodes[gate] === code);
}

function files(): readonly string[] {
  const places = Object.entries(inStateRoot).map(([key, describe]) =>
    tagged(italic(layout[key as keyof typeof layout]), describe),
  );
  const others = Object.entries(elsewhere).map(([file, text]) => tagged(italic(file), text));
  return [...others, subsection('In the state root', ...places)];
}

function reasons(): readonly string[] {
  const intro =
    'Every refusal and every finding names one of these. They are stable. `edged explain REASON` ' +
    'shows the same page on a device.';
  const gates = [...new Set(Object.values(failures).map(({ gate }) => gate))];
  const sections = gates.map((gate) => {
    const codes = (Object.keys(failures) as FailureCode[]).filter(
      (code) => failures[code].gate === gate,
    );
    const entries = codes.map((code) => {
      const { message, remedy, class: kind } = failures[code];
      const { meaning, repair } = explanations[code];
      const steps = repair.map((step, index) => `${index + 1}. ${step}`);
      return tagged(bold(code), `${message} (${kind})`, meaning, remedy, ...steps);
    });
    return subsection(`Gate ${gate}: exit ${exitCodes[gate]}`, ...entries);
  });
  return [paragraph(intro), ...sections];
}

function examplesOf(command: CommandDefinition): readonly string[] {
  return [
    ...command.examples.map(({ line, describe }) => example(line, describe)),
    ...command.commands.flatMap(examplesOf),
  ];
}

function table(rows: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(rows).map(([name, text]) => tagged(bold(name), text));
}
