/** Gate `config`. */
import fs from 'node:fs';
import { type Scenes, config } from './scene.ts';

export const configScenes: Scenes = {
  'config.usage': [
    { name: 'no --config', command: () => ['precheck'] },
    { name: '--config without value', command: () => ['precheck', '--config'] },
    { name: 'unknown flag', args: ['--bogus'] },
    { name: 'unknown level', args: ['--log-level', 'loud'] },
    { name: 'unknown command', command: () => ['prechek'] },
    { name: 'no command', command: () => [] },
  ],
  'config.unreadable': [
    { name: 'absent', command: () => ['precheck', '--config', '/nowhere/edge.toml'] },
    { name: 'a directory', command: (device) => ['precheck', '--config', device.directory] },
  ],
  'config.too_large': [{ name: 'over 1 MiB', ...config((text) => text + '#'.repeat(1_048_576)) }],
  'config.not_utf8': [
    {
      name: 'latin-1',
      arrange: (device) => fs.appendFileSync(device.config, Buffer.from('# gr\u00fcn\n', 'latin1')),
    },
  ],
  'config.syntax': [
    { name: 'duplicate key', ...config((text) => `${text}schema: v1\n`) },
    { name: 'broken YAML', ...config((text) => text.replace('identity:', 'identity: [')) },
    { name: 'unknown tag', ...config((text) => text.replace('schema: v1', 'schema: !x v1')) },
    { name: 'broken TOML', ...config(() => '[identity\nedge_domain_id = "x"\n') },
    {
      name: 'anchors bomb',
      ...config(() =>
        ['a0: &a0 [x, x]']
          .concat(Array.from({ length: 30 }, (_, n) => `a${n + 1}: &a${n + 1} [*a${n}, *a${n}]`))
          .join('\n'),
      ),
    },
  ],
  'config.invalid': [
    { name: 'missing section', ...config((text) => text.replace(/quota:\n(?: {2}.*\n)*/, '')) },
    { name: 'missing key', ...config((text) => text.replace(/ {2}listen_addr:.*\n/, '')) },
    { name: 'unknown key', ...config((text) => text.replace('mode:', 'moode:')) },
    {
      name: 'wrong type',
      ...config((text) => text.replace(/window_seconds: 60/, 'window_seconds: "60"')),
    },
    { name: 'out of range', ...config((text) => text.replace('fraction: 0.8', 'fraction: 1.5')) },
    { name: 'short salt', ...config((text) => text.replace(/fleet_salt: .*/, 'fleet_salt: abcd')) },
    { name: 'empty file', ...config(() => '') },
    { name: 'a list', ...config(() => '- 1\n') },
  ],
  'config.input_unusable': [
    {
      name: 'sign with a key of the wrong size',
      arrange: (device) => device.write('bad.key', 'short'),
      command: (device) => [
        'sign',
        device.inside('runtime/manifest.json'),
        '--key',
        `${device.directory}/bad.key`,
      ],
    },
    { name: 'sign without a manifest', command: () => ['sign', '/nowhere', '--key', '/nowhere'] },
  ],
  'config.output_unusable': [
    { name: 'keygen below a file', command: (device) => ['keygen', `${device.config}/keys`] },
    {
      name: 'a signature into no directory',
      command: (device) => [
        'sign',
        device.inside('runtime/manifest.json'),
        '--key',
        `${device.directory}/keys/manifest-sign.key`,
        '--signature',
        '/nowhere/x',
      ],
    },
    {
      name: 'a simulation without a temporary directory',
      command: () => ['simulate'],
      options: { environment: { TMPDIR: '/nowhere' } },
    },
  ],
  'config.output_exists': [
    { name: 'keygen over a key', command: (device) => ['keygen', `${device.directory}/keys`] },
  ],
};
