/**
 * The options that a boot may carry, as data: yargs reads them for help, suggestions and every
 * mistake, `boot-line.ts` reads the plain lines that systemd writes. One table, so that the two
 * cannot disagree on a name, a type, a choice or a default.
 */
import { defaults } from '../defaults.ts';

export interface Option {
  readonly type: 'string' | 'boolean' | 'number';
  readonly describe: string;
  readonly choices?: readonly string[];
  readonly default?: string | boolean | number;
  readonly demandOption?: true;
  readonly requiresArg?: true;
  /** Of a number: the least and the most. */
  readonly range?: readonly [number, number];
  /** Of a number: yargs shall leave its text alone, which `coerce` reads. */
  readonly string?: true;
  readonly coerce?: (text: unknown) => number;
}

/** yargs would read `""`, `0x10` and `" 5"` too. A default is a number already. */
const plainNumber = {
  type: 'number',
  string: true,
  coerce: (text: unknown): number => {
    if (typeof text === 'number') return text;
    return typeof text === 'string' && /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  },
} as const;

const aDay = 86_400;

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

const configOption = {
  type: 'string',
  requiresArg: true,
  describe: 'config file: YAML, TOML or JSON, whatever its name',
} as const satisfies Option;

export const precheckOptions = {
  output: outputOption,
  config: { ...configOption, demandOption: true },
  'rotate-certs': {
    type: 'boolean',
    default: false,
    describe: 'issue a new certificate and key from the CA (needs transport.ca_key_file)',
  },
  'rotation-valid-days': {
    ...plainNumber,
    default: defaults.rotationValidDays,
    range: [1, 3650],
    requiresArg: true,
    describe: 'days that a rotated certificate is valid',
  },
  'lock-wait-seconds': {
    ...plainNumber,
    default: defaults.lockWaitSeconds,
    range: [0, aDay],
    requiresArg: true,
    describe: 'how long to wait for another live precheck',
  },
  'dry-run': {
    type: 'boolean',
    default: false,
    describe: 'say what would be done; take no lock, write nothing',
  },
  plan: {
    type: 'boolean',
    default: false,
    describe: 'judge the next OS before rebooting into it; a dry run',
  },
  root: {
    type: 'string',
    requiresArg: true,
    describe: 'with --plan: where the next OS is mounted',
  },
  'os-release': {
    type: 'string',
    requiresArg: true,
    describe: 'with --plan: the os-release file of the next OS, where it is not mounted',
  },
  'kernel-release': {
    type: 'string',
    requiresArg: true,
    describe: 'with --plan: what `uname -r` will say [default: from ROOT/lib/modules]',
  },
  'metrics-textfile': {
    type: 'string',
    requiresArg: true,
    describe: "write metrics for the textfile collector of Prometheus' node_exporter",
  },
} as const satisfies Record<string, Option>;

const resultOption = {
  type: 'string',
  default: '/run/edged/precheck.json',
  requiresArg: true,
  describe: 'what the precheck of this boot has left',
} as const satisfies Option;

const seconds = (usual: number, describe: string, least = 0) =>
  ({
    ...plainNumber,
    default: usual,
    range: [least, aDay],
    requiresArg: true,
    describe,
  }) as const satisfies Option;

export const blessOptions = {
  config: precheckOptions.config,
  result: resultOption,
  'health-url': { type: 'string', requiresArg: true, describe: 'must answer a GET with 2xx' },
  'health-unit': {
    type: 'string',
    requiresArg: true,
    describe: 'must be active, without a restart [default: edged.service]',
  },
  'health-command': {
    type: 'string',
    requiresArg: true,
    describe: 'program that must exit with 0; absolute path, no arguments',
  },
  'window-seconds': seconds(30, 'how long the agent must be healthy without a break'),
  'interval-seconds': seconds(3, 'time between two looks', 0.01),
  'timeout-seconds': seconds(300, 'after this the agent counts as unhealthy'),
} as const satisfies Record<string, Option>;

export const failedOptions = {
  result: resultOption,
  'delay-seconds': seconds(10, 'time between saying so and rebooting'),
} as const satisfies Record<string, Option>;

export const lookOptions = {
  config: configOption,
  'state-root': {
    type: 'string',
    requiresArg: true,
    describe: 'where there is no config; default: EDGE_STATE_ROOT',
  },
  result: resultOption,
  output: outputOption,
} as const;

/** Of the commands that judge a runtime: on a device, or before there is one. */
export const runtimeOptions = {
  config: {
    ...configOption,
    describe: 'of the device; without it no key is pinned, and the audience is not judged',
  },
  'state-root': {
    type: 'string',
    requiresArg: true,
    describe: 'default: EDGE_STATE_ROOT, then what the config says',
  },
} as const satisfies Record<string, Option>;

export const audienceOptions = {
  ...runtimeOptions,
  'edge-domain-id': {
    type: 'string',
    requiresArg: true,
    describe: 'of the device, where there is no config',
  },
} as const satisfies Record<string, Option>;

export const doctorOptions = {
  ...lookOptions,
  fix: {
    type: 'boolean',
    default: false,
    describe: 'do what is safe: missing directories, rights of others, what a crash has left',
  },
} as const;

export function isWithin({ range }: Pick<Option, 'range'>, value: number): boolean {
  return range === undefined || (value >= range[0] && value <= range[1]);
}

/** Not for people: how the checks are run in a process of their own. */
export const workerCommand = 'run-checks';
