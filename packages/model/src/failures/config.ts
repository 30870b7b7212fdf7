/** Exit 1: the config, the command line, an input of a command. */
import type { FailureKind } from '../failure.ts';

export const configFailures = {
  'config.usage': {
    gate: 'config',
    class: 'permanent',
    message: 'precheck: command line not understood',
    remedy: 'Correct the command line; `edged --help` shows every command with examples.',
  },
  'config.unreadable': {
    gate: 'config',
    class: 'operator',
    message: 'precheck: config file cannot be read',
    remedy: 'Pass the path of an existing, readable file to --config.',
  },
  'config.too_large': {
    gate: 'config',
    class: 'permanent',
    message: 'precheck: config file is too large',
    remedy: 'A config is at most 1 MiB; check that --config names the right file.',
  },
  'config.not_utf8': {
    gate: 'config',
    class: 'permanent',
    message: 'precheck: config file is not UTF-8',
    remedy: 'Save the config as UTF-8 text (YAML, TOML or JSON).',
  },
  'config.syntax': {
    gate: 'config',
    class: 'permanent',
    message: 'precheck: config file does not parse',
    remedy: 'Correct the syntax at the line and column shown.',
  },
  'config.invalid': {
    gate: 'config',
    class: 'permanent',
    message: 'precheck: config is invalid',
    remedy: 'Correct every problem listed; `man edged.toml` or docs/reference/config.md shows how.',
  },
  'config.input_unusable': {
    gate: 'config',
    class: 'operator',
    message: 'edged: an input of this command cannot be used',
    remedy: 'Check the path and the content of the file named here.',
  },
  'config.output_unusable': {
    gate: 'config',
    class: 'operator',
    message: 'edged: an output of this command cannot be written',
    remedy: 'Check that the place named here is there, can be written and has room.',
  },
  'config.output_exists': {
    gate: 'config',
    class: 'operator',
    message: 'edged: the output exists already',
    remedy: 'Choose another path, or move the existing file away first.',
  },
} as const satisfies Record<string, FailureKind>;
