/** edged-manifest(5): the fields as the parsers have them, and the rules around them; keyrings. */
import { manifestLimitBytes, manifestSchema } from '@edged/model/runtime-manifest';
import {
  type ManifestField,
  keyringFields,
  manifestFields,
  operationFields,
} from './manifest-fields.ts';
import {
  bold,
  italic,
  paragraph,
  references,
  section,
  subsection,
  tagged,
  verbatim,
} from './roff.ts';

/** Without a hash, whose 64 digits a line of a page has no room for. */
export const shownManifest = `{
  "version": "1",
  "binary_path": "edged",
  "serial": 7,
  "operations": [
    {
      "op": "copy_binary",
      "src": "runtime/binaries/edge-agent",
      "dst": "runtime/bin/edge-agent",
      "mode": "0755"
    },
    { "op": "verify_config", "src": "bootstrap/config.yaml" }
  ]
}
`;

/** The sections, as roff. */
export function manifestBody(): readonly string[] {
  const mebibytes = manifestLimitBytes / 1024 / 1024;
  return [
    section('NAME', 'edged\\-manifest \\- the runtime manifest of edged'),
    section(
      'SYNOPSIS',
      `${italic('STATE_ROOT/runtime/manifest.json')}\n.br`,
      italic('STATE_ROOT/runtime/manifest.json.sig'),
    ),
    section(
      'DESCRIPTION',
      paragraph(
        'The manifest says what puts the runtime back after the operating system was replaced. ' +
          `It is a JSON document, UTF-8, at most ${mebibytes} MiB, without duplicate keys. ` +
          'Unknown fields, unknown operations and values of another type are refused before ' +
          'anything is touched. All operations happen, or none.',
      ),
      paragraph(
        'The signature is that of Ed25519 over exactly these bytes, raw, 64 bytes long; ' +
          '`edged sign` makes it. Where a keyring asks for several signatures, the others are ' +
          '`manifest.json.sig.NAME`.',
      ),
    ),
    section('FIELDS', ...fieldEntries(manifestSchema.entries, manifestFields), paragraph(limits)),
    section('OPERATIONS', ...operations()),
    section('PATHS', ...paths.map(paragraph)),
    section(
      'KEYRINGS',
      ...keyrings.map(paragraph),
      ...Object.entries(keyringFields).map(([name, describe]) => tagged(bold(name), describe)),
    ),
    section('EXAMPLE', verbatim(shownManifest)),
    section('SEE ALSO', references(['edged', 8], ['edged.toml', 5], ['setfattr', 1])),
  ];
}

function operations(): readonly string[] {
  const known: Readonly<Record<string, Readonly<Record<string, ManifestField>>>> = operationFields;
  return manifestSchema.entries.operations.item.options.map(({ entries }) => {
    const name = entries.op.literal;
    return subsection(name, ...fieldEntries(entries, known[name] ?? {}));
  });
}

/** Throws where a field has no description. */
function fieldEntries(
  entries: Readonly<Record<string, { readonly type: string }>>,
  descriptions: Readonly<Record<string, ManifestField>>,
): readonly string[] {
  return Object.entries(entries).map(([name, { type }]) => {
    const described = descriptions[name];
    if (!described) throw new Error(`the field ${name} has no description`);
    const presence = type === 'optional' ? 'Optional.' : 'Required.';
    return tagged(bold(name), `${described.describe} ${presence}`);
  });
}

const limits =
  'Fields that limit a manifest keep an old or a stale one from being installed again; they stop ' +
  'no runtime that is already there. A matching boot past `max_boots_since_accept` says ' +
  '`edge.manifest.stale` and exits with 0. Any change of the bytes starts both counts afresh.';

const paths = [
  'Paths are absolute or relative to the state root. Symbolic links on the way are followed and ' +
    'must end inside. Shell metacharacters, quotes, control characters and what of Unicode is ' +
    'not seen are refused, as are names over 255 bytes and paths over 1024 bytes or 32 names. ' +
    'Names that a filesystem without case may take for one count as one.',
  'Reserved as dst, in any case: `identity/`, `bootstrap/`, `epoch/`, `edge/`, ' +
    '`runtime/manifest.json*`, `runtime/binaries/`, `.precheck.lock`. Missing parents of a dst ' +
    'are made with mode 0755.',
];

const keyrings = [
  'Without a keyring the raw key in `identity/manifest-verify.pub` signs manifests; with one it ' +
    'counts no more. Keyrings are JSON files outside the state root: ' +
    '`/usr/lib/edged/keyring.d/*.json`, `/etc/edged/keyring.d/*.json` (hides one of the same ' +
    'name in /usr/lib) and credentials of systemd called `edged.keyring*`.',
  '`identity/keyring/N.json`, signed as a manifest is, replaces version N-1, when enough keys of ' +
    'role `keyring` of both have signed it. `edged keys list` shows which keys count, `edged ' +
    'keys rehearse` whether a device would accept the next ones.',
];
