/**
 * The command line, by yargs: parsing, help, suggestions. The one importer of `yargs`; a plain boot
 * does not come through here (`boot-line.ts`). Nothing happens before a command was understood.
 *
 * What the library does not do by itself, and what stands here instead:
 * - it ends the process with 1 on bad usage: `exitProcess(false)`, and a `PrecheckError` instead;
 * - a flag given twice becomes an array: the last one counts;
 * - a flag without its value becomes "": `requiresArg`;
 * - it speaks the language of LANG: English, always;
 * - it breaks words at the edge: lines are wrapped here.
 */
import { PrecheckError } from '@edged/model/failure';
import yargs, { type Argv } from 'yargs';
import type { CommandContext, LogArguments } from '../command-context.ts';
import { type CommandDefinition, recordCommands } from './command-definitions.ts';
import { completeWords, completionRequest } from './completion-words.ts';
import { shells } from './completion-scripts.ts';
import { success } from '@edged/model/exit-code';
import { refuseNumbers } from './option-range.ts';
import { leaveResult, refuseSurplus, withSuggestion } from './usage.ts';
import {
  audienceOptions,
  blessOptions,
  doctorOptions,
  failedOptions,
  globalOptions,
  lookOptions,
  outputOption,
  precheckOptions,
  runtimeOptions,
  workerCommand,
} from './options.ts';
import { readStandardInput } from '../files.ts';
import { withoutDirectory, workingDirectory } from './working-directory.ts';
import { wrapColumns } from '../output/wrap.ts';

/** Runs one command; its exit code. Throws what the command throws, and `config.usage`. */
export async function runCommandLine(
  argv: readonly string[],
  begin: (args: LogArguments) => CommandContext,
  print: (text: string) => void,
  columns: () => number,
): Promise<number> {
  if (argv[0] === completionRequest) {
    for (const line of completeWords(commandDefinitions(), argv.slice(1))) print(`${line}\n`);
    return success;
  }
  let exitCode: number = success;
  const run: Run = async (args, command) => {
    exitCode = await command(begin(args));
  };
  let understood = false;
  const runUnderstood: Run = (args, command) => {
    refuseSurplus({ ...args });
    refuseNumbers({ ...args });
    understood = true;
    return run(args, command);
  };
  try {
    // whoever asks so means the command
    const words = argv.length === 1 && argv[0] === '--version' ? ['version'] : [...argv];
    const started = yargs([], workingDirectory());
    await parser(started, runUnderstood).parseAsync(words, {}, (_error, _args, output) => {
      if (output) print(`${wrapColumns(output, columns())}\n`);
    });
  } catch (error) {
    if (understood) throw withoutDirectory(error);
    const refusal = withSuggestion(error, argv, commandDefinitions());
    await leaveResult(refusal, argv, begin);
    throw refusal;
  }
  return exitCode;
}

/** Every command and option, as `--help` shows them. */
export function commandDefinitions(): CommandDefinition {
  return recordCommands((recorder) => parser(recorder as Argv<unknown>, runNothing));
}

const runNothing: Run = () => Promise.reject(new Error('a definition was run'));

type Run = (
  args: LogArguments,
  command: (context: CommandContext) => number | Promise<number>,
) => Promise<void>;

function parser(bare: Argv<unknown>, run: Run): Argv<unknown> {
  const device = commandsOfASlot(commandsOfADevice(withGlobalOptions(bare), run), run);
  const operator = commandsOfAnOperator(device, run);
  return commandsOfAnEngineer(commandsOfASigner(operator, run), run);
}

type GlobalOptions = ReturnType<typeof withGlobalOptions>;

function commandsOfADevice(bare: GlobalOptions, run: Run): GlobalOptions {
  return bare
    .command(
      'precheck',
      'decide whether the OS was replaced, and reconstruct the runtime if so',
      (command) => command.options(precheckOptions),
      async (args) =>
        run(args, async (context) =>
          (await import('../commands/precheck.ts')).runPrecheck(args, context),
        ),
    )
    .command(
      'fingerprint',
      'print the composite hash of the running OS',
      (command) => command.option('output', outputOption),
      async (args) =>
        run(args, async (context) =>
          (await import('../commands/fingerprint.ts')).runFingerprint(args.output, context),
        ),
    )
    .command(
      'version',
      'print the version',
      (command) => command.option('output', outputOption),
      async (args) =>
        run(args, async (context) =>
          (await import('../commands/version.ts')).runVersion(args.output, context),
        ),
    );
}

function commandsOfASlot(bare: GlobalOptions, run: Run): GlobalOptions {
  return bare
    .command(
      'bless',
      'commit the running slot of an A/B system once the agent has proved healthy',
      (command) => command.options(blessOptions),
      async (args) =>
        run(args, async (context) =>
          (await import('../commands/bless.ts')).runBless(args, context),
        ),
    )
    .command(
      'failed',
      'say why the agent does not start; take a trial boot back (for OnFailure=)',
      (command) => command.options(failedOptions),
      async (args) =>
        run(args, async (context) =>
          (await import('../commands/failed.ts')).runFailed(args, context),
        ),
    );
}

function commandsOfAnOperator(bare: GlobalOptions, run: Run): GlobalOptions {
  return bare
    .command(
      'status',
      'one screen: OS, epoch, last precheck, manifest, certificate, state root; changes nothing',
      (command) =>
        command
          .options(lookOptions)
          .example('$0 status --config /etc/edged/edge.toml', 'on a device')
          .example('EDGE_STATE_ROOT=/data/edged $0 status', 'where the config is lost'),
      async (args) =>
        run(args, async (context) =>
          (await import('../commands/status.ts')).runStatus(args, context),
        ),
    )
    .command(
      'doctor',
      'every check there is, each with its reason and what to do',
      (command) =>
        command
          .options(doctorOptions)
          .example('$0 doctor --config /etc/edged/edge.toml', 'what is wrong, and what to do')
          .example('$0 doctor --config /etc/edged/edge.toml --fix', 'do what is safe'),
      async (args) =>
        run(args, async (context) =>
          (await import('../commands/doctor.ts')).runDoctor(args, context),
        ),
    )
    .command(
      'explain [reason]',
      'what a reason, an exit code or an event means, and what to do; needs no network',
      (command) =>
        command
          .positional('reason', {
            type: 'string',
            describe: 'or a part of one, an exit code, an event [default: a list of all]',
          })
          .option('output', outputOption)
          .example('$0 explain manifest.signature_invalid', 'what to do about a reason')
          .example('$0 explain 5', 'which reasons end with an exit code'),
      async (args) =>
        run(args, async (context) =>
          (await import('../commands/explain.ts')).runExplain(args.reason, args.output, context),
        ),
    )
    .command(
      workerCommand,
      false,
      (command) => command,
      async (args) =>
        run(args, async ({ settings, terminal }) => {
          const { runChecks } = await import('../checks/inspection.ts');
          await runChecks(readStandardInput(), settings, (text) => terminal.out(text));
          return success;
        }),
    );
}

function commandsOfASigner(bare: GlobalOptions, run: Run): GlobalOptions {
  return bare
    .command(
      'keygen [directory]',
      'make an Ed25519 key pair (raw bytes; private key 0600); never replaces a file',
      (command) => command.positional('directory', { type: 'string', default: '.' }),
      async (args) =>
        run(args, async (context) =>
          (await import('../commands/keygen.ts')).runKeygen(args.directory, context),
        ),
    )
    .command(
      'sign <file>',
      'sign the exact bytes of a manifest or keyring',
      (command) =>
        command
          .positional('file', {
            type: 'string',
            demandOption: true,
            describe: 'a manifest, a keyring or an update of one',
          })
          .option('key', {
            type: 'string',
            demandOption: true,
            requiresArg: true,
            describe: 'raw private key, not PEM: 32 bytes, or 64 as Go writes it',
          })
          .option('signature', {
            type: 'string',
            requiresArg: true,
            describe: 'where to write the signature [default: FILE.sig]',
          }),
      async (args) =>
        run(args, async (context) => {
          const { file, key, signature } = args;
          return (await import('../commands/sign.ts')).runSign({ file, key, signature }, context);
        }),
    )
    .command(
      'verify',
      'check signature, operation rules and contents as a device would; changes nothing',
      (command) => command.options(audienceOptions),
      async (args) =>
        run(args, async (context) =>
          (await import('../commands/verify.ts')).runVerify(args, context),
        ),
    )
    .command(
      'keys <command>',
      'whose word counts on a device; rehearse the next keyring or manifest',
      (command) => commandsOfKeys(command, run),
      () => undefined,
    );
}

function commandsOfKeys(bare: GlobalOptions, run: Run) {
  return bare
    .command(
      'id <files..>',
      'the ids of raw public keys',
      (command) =>
        command
          .parserConfiguration({ 'duplicate-arguments-array': true })
          .positional('files', { type: 'string', array: true, demandOption: true }),
      async (args) =>
        run(args, async (context) =>
          (await import('../commands/keys.ts')).runKeysId(args.files, context),
        ),
    )
    .command(
      'list',
      'the keys that count, from where, and what the device remembers',
      (command) => command.options(runtimeOptions),
      async (args) =>
        run(args, async (context) =>
          (await import('../commands/keys.ts')).runKeysList(args, context),
        ),
    )
    .command(
      'rehearse',
      'would this device accept the next manifest or keyring? changes nothing',
      (command) => rehearsalOptions(command.options(audienceOptions)),
      async (args) =>
        run(args, async (context) =>
          (await import('../commands/keys.ts')).runKeysRehearse(args, context),
        ),
    )
    .example('$0 keys id identity/manifest-verify.pub', 'the id to revoke it by')
    .example('$0 keys rehearse --state-root /data/edged --manifest next.json', 'before publishing')
    .demandCommand(1, 'no command given');
}

function rehearsalOptions<Options>(command: Argv<Options>) {
  return command.options({
    manifest: {
      type: 'string',
      requiresArg: true,
      describe: 'the next manifest, FILE.sig and FILE.sig.* beside it',
    },
    keyring: {
      type: 'string',
      requiresArg: true,
      describe: 'a keyring file that the next OS image shall bring',
    },
    'keyring-update': {
      type: 'string',
      array: true,
      default: [] as string[],
      requiresArg: true,
      describe: 'a signed update for identity/keyring/, its signatures beside it',
    },
  });
}

function commandsOfAnEngineer(bare: GlobalOptions, run: Run): GlobalOptions {
  return bare
    .command(
      'init <directory>',
      'make a state root, or fill in what one is missing',
      (command) => command.positional('directory', { type: 'string', demandOption: true }),
      async (args) =>
        run(args, async (context) =>
          (await import('../commands/init.ts')).runInit(args.directory, context),
        ),
    )
    .command(
      'simulate',
      'live through an OS replacement in a temporary state root, step by step',
      (command) =>
        command.option('keep', {
          type: 'boolean',
          default: false,
          describe: 'keep the temporary directory',
        }),
      async (args) =>
        run(args, async (context) =>
          (await import('../commands/simulate.ts')).runSimulate(args.keep, context),
        ),
    )
    .command(
      'completion [shell]',
      'print the completion script for a shell [default: the one that SHELL names]',
      (command) => command.positional('shell', { choices: shells }),
      async (args) =>
        run(args, async (context) =>
          (await import('../commands/completion.ts')).runCompletion(args.shell, context),
        ),
    );
}

function withGlobalOptions(bare: Argv<unknown>) {
  return bare
    .scriptName('edged')
    .usage('$0 COMMAND [OPTIONS]\n\nOS-replacement precheck and runtime reconstruction.')
    .example('$0 precheck --config /etc/edged/edge.toml', 'what systemd runs at boot')
    .example('$0 precheck --config edge.toml --dry-run', 'what a boot would do')
    .example('$0 init /data/edged', 'prepare the persistent partition')
    .example('$0 sign runtime/manifest.json --key manifest-sign.key', 'ship a runtime')
    .example('$0 status --config /etc/edged/edge.toml', 'what is, on one screen')
    .example('$0 doctor --config /etc/edged/edge.toml', 'what is wrong, and what to do')
    .options(globalOptions)
    .epilogue(
      'Exit codes: 0 clean, 1 config or usage, 2 state root, 3 certificate, ' +
        '5 reconstruction failed or internal error (the agent must not start).\n' +
        'Environment: EDGE_STATE_ROOT overrides state_root.root; ' +
        'EDGE_STATE_ROOT_SKIP_MOUNT_CHECK=1 skips the mount check.',
    )
    .parserConfiguration({ 'duplicate-arguments-array': false })
    .locale('en')
    .wrap(null)
    .strict()
    .demandCommand(1, 'no command given')
    .recommendCommands()
    .version(false)
    .help()
    .alias('help', 'h')
    .exitProcess(false)
    .fail((message, error) => {
      if (error && error.name !== 'YError') throw error;
      throw new PrecheckError('config.usage', { problem: message ?? error.message });
    });
}
