/** edged.toml(5), from the schema of the config and its descriptions. */
import { configKeys, optionalSections } from 'edged/config/config-reference';
import { exampleConfig } from 'edged/simulation/example-config';
import { bold, paragraph, references, section, sentence, tagged, verbatim } from './roff.ts';

/** A complete config in YAML. The salt is folded: a line of a page has 80 columns. */
export function shownConfig(): string {
  const config = exampleConfig('/data/edged', '/data/edged/identity');
  return config.replace(/(fleet_salt: "[0-9a-f]{32})([0-9a-f]{32}")/, '$1\\\n    $2');
}

/** The sections, as roff. */
export function configBody(): readonly string[] {
  const names = optionalSections().map((name) => `\`${name}\``);
  const sections = `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
  return [
    section('NAME', 'edged.toml \\- the config of edged'),
    section('SYNOPSIS', `${bold('edged precheck --config')} \\fIFILE\\fR`),
    section(
      'DESCRIPTION',
      paragraph(
        'One file in YAML 1.2, TOML or JSON; its content decides which, not its name. It is ' +
          'usually `/etc/edged/edge.toml`, and its usual content is YAML. At most 1 MiB, UTF-8.',
      ),
      paragraph(
        'Every key is required unless it says otherwise; the sections ' +
          `${sections} may be left out as a whole. Unknown and duplicate keys are refused. Every ` +
          'problem is reported at once, with its line and column, and `edged precheck` exits ' +
          'with 1. Keys of the agent are checked, too: an agent that starts with a broken config ' +
          'does not help either.',
      ),
    ),
    section('KEYS', ...configKeys().map(keyEntry)),
    section('EXAMPLE', verbatim(shownConfig())),
    section('SEE ALSO', references(['edged', 8], ['edged-manifest', 5])),
  ];
}

function keyEntry(key: ReturnType<typeof configKeys>[number]): string {
  const { path, allowed, isRequired, default: value, describe } = key;
  const presence = isRequired ? '' : ' Optional.';
  const standIn = value === undefined ? '' : ` Default: \`${value}\`.`;
  return tagged(bold(path), describe, `${sentence(allowed)}${presence}${standIn}`);
}
