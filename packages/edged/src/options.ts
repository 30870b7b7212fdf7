/**
 * The options that a boot may carry, as data: yargs reads them for help, suggestions and every
 * mistake, `boot-line.ts` reads the plain lines that systemd writes. One table, so that the two
 * cannot disagree on a name, a type, a choice or a default.
 */

export interface Option {
  readonly type: 'string' | 'boolean' | 'number';
  readonly describe: string;
  readonly choices?: readonly string[];
  readonly default?: string | boolean | number;
  readonly demandOption?: true;
  readonly requiresArg?: true;
}

const unused = 'accepted for compatibility; a oneshot has no use for it';

export const globalOptions = {
  'log-level': {
    type: 'string',
    choices: ['debug', 'info', 'warn', 'error'],
    default: 'info',
    requiresArg: true,
    describe: 'least level on stderr',
  },
  'log-format': {
    type: 'string',
    choices: ['text', 'json'],
    default: 'text',
    requiresArg: true,
    describe: 'form of the lines on stderr',
  },
  'control-socket': { type: 'string', requiresArg: true, describe: unused },
  'prometheus-addr': { type: 'string', requiresArg: true, describe: unused },
} as const satisfies Record<string, Option>;

export const outputOption = {
  type: 'string',
  choices: ['text', 'json'],
  default: 'text',
  requiresArg: true,
  describe: 'form of the result on stdout',
} as const satisfies Option;

export const precheckOptions = {
  output: outputOption,
  config: {
    type: 'string',
    demandOption: true,
    requiresArg: true,
    describe: 'config file: YAML, TOML or JSON, whatever its name',
  },
  'rotate-certs': {
    type: 'boolean',
    default: false,
    describe: 'issue a new certificate and key from the CA (needs transport.ca_key_file)',
  },
  'rotation-valid-days': {
    type: 'number',
    default: 365,
    requiresArg: true,
    describe: 'days that a rotated certificate is valid',
  },
  'lock-wait-seconds': {
    type: 'number',
    default: 10,
    requiresArg: true,
    describe: 'how long to wait for another live precheck',
  },
  'dry-run': {
    type: 'boolean',
    default: false,
    describe: 'say what would be done; take no lock, write nothing',
  },
} as const satisfies Record<string, Option>;
