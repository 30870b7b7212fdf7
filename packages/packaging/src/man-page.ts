/** edged(1), made of what `--help` says, so that the two cannot disagree. */
import { execFileSync } from 'node:child_process';

const commands = [
  ['precheck'],
  ['keys'],
  ['keys', 'rehearse'],
  ['verify'],
  ['sign'],
  ['keygen'],
  ['init'],
  ['fingerprint'],
  ['simulate'],
  ['version'],
] as const;

/** The page as roff. `executable` is asked for its help; `date` is RFC 3339. */
export function manPage(executable: string, version: string, date: string): string {
  const help = (...words: readonly string[]): string =>
    execFileSync(executable, [...words, '--help'], { encoding: 'utf8' }).trimEnd();
  const sections = commands.map((words) => {
    const title = `edged ${words.join(' ')}`;
    return [`.SS ${title}`, verbatim(help(...words))].join('\n');
  });
  return [
    `.TH EDGED 1 "${date.slice(0, 10)}" "edged ${version}" "User Commands"`,
    '.SH NAME',
    'edged \\- OS-replacement precheck and runtime reconstruction',
    '.SH SYNOPSIS',
    '.B edged',
    '.I COMMAND',
    '[\\fIOPTIONS\\fR]',
    '.SH DESCRIPTION',
    'An edge device wipes its root filesystem at every OS update; one persistent partition, the',
    'state root, survives. At every boot, before the agent starts, systemd runs',
    '.B edged precheck',
    'once. If the operating system was replaced it verifies the signed runtime manifest, puts the',
    'runtime back, counts the new system in BootEpoch and leaves evidence that no crash can lose.',
    'If anything is wrong the agent does not start, and the operator reads why.',
    '.SH OVERVIEW',
    verbatim(help()),
    '.SH COMMANDS',
    ...sections,
    '.SH SEE ALSO',
    '.BR systemd.service (5),',
    '.BR systemd\\-analyze (1)',
    '',
  ].join('\n');
}

function verbatim(text: string): string {
  const lines = text.split('\n').map((line) => {
    const escaped = line.replaceAll('\\', '\\e').replaceAll('-', '\\-');
    return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
  });
  return ['.nf', ...lines, '.fi'].join('\n');
}
