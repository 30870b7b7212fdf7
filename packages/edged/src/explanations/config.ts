/** Pages for the reasons of the config gate (exit 1). */
import type { configFailures } from '@edged/model/failures/config';
import { type Explanation, runAgain } from './explanation.ts';

export const configExplanations = {
  'config.usage': {
    meaning:
      'The arguments of the command were not understood; `problem` (or `found`) says which, ' +
      'and nothing was done. A command that guessed could start an agent on a device that ' +
      'nobody checked. On a device the usual cause is an edited unit, or a unit that is newer ' +
      'than the program.',
    repair: [
      'Read which options there are: `edged --help`, `edged precheck --help`.',
      'Look at the line that systemd runs: `systemctl cat edged-precheck`.',
      'See which program runs: `edged version`.',
      runAgain,
    ],
  },
  'config.unreadable': {
    meaning:
      'The file named by --config was not opened; the log line names it in `file` and the ' +
      'cause in `errno`. There are no defaults to fall back on: a device that lost its config ' +
      "would run with somebody else's. ENOENT is a wrong path or a partition that is not " +
      'mounted, EACCES the wrong user, EISDIR a directory.',
    repair: [
      'See which file the unit names: `systemctl cat edged-precheck | grep EDGED_CONFIG`.',
      'Look at it: `ls -l F`, and at the filesystem that it lies on: `findmnt -T F`.',
      "If it is gone, put it back from the fleet's records and check it: `edged precheck " +
        '--config F --dry-run`.',
      runAgain,
    ],
  },
  'config.too_large': {
    meaning:
      'The file is larger than 1 MiB (`size_bytes`, `limit_bytes`), and was not read. A ' +
      'config has a few kilobytes: --config names another file, or something was appended to ' +
      'it again and again.',
    repair: [
      'Look at what it is: `ls -l F`, `head -c 300 F`.',
      "Name the right file, or put the config back from the fleet's records.",
      runAgain,
    ],
  },
  'config.not_utf8': {
    meaning:
      'The bytes of `file` are no UTF-8 text. Reading them by guess could change a path or a ' +
      'secret. Editors of Windows save UTF-16 or an 8-bit code page; a file full of NUL bytes ' +
      'was torn by a power cut.',
    repair: [
      'Look at the bytes: `hexdump -C F | head`. `ff fe` at the start is UTF-16, only zeros ' +
        'are a torn file.',
      'Convert it: `iconv -f UTF-16 -t UTF-8 F > F.new && mv F.new F` (an 8-bit text: `-f ' +
        'LATIN1`).',
      "A torn file is put back from the fleet's records.",
      'Check it: `edged precheck --config F --dry-run`.',
      runAgain,
    ],
  },
  'config.syntax': {
    meaning:
      'The text is no YAML, TOML or JSON; `language` says as what it was read (the first line ' +
      'with content decides, never the name of the file) and `at` is line:column. A key that ' +
      'stands twice, with whatever else is wrong, and a text with over a hundred aliases, ' +
      'over 200 levels or 100,000 words and marks are refused here as well. Nothing of the ' +
      'text is quoted, for it holds a secret. ' +
      'Usual causes are a tab in the indentation of YAML and an unclosed quote.',
    repair: [
      "Look at the place: `sed -n 'LINEp' F | cat -A` (`^I` is a tab).",
      'If `language` is not the one that was meant, look at the first line that is no comment.',
      'Check it: `edged precheck --config F --dry-run`.',
      runAgain,
    ],
  },
  'config.invalid': {
    meaning:
      'The text parses, but keys are missing, unknown, of the wrong type or out of range. ' +
      'Each log line is one problem, all of them at once, up to fifty: `key` and `at` ' +
      '(line:column) say where, `problem` what was found, `allowed` what may stand there, ' +
      '`did_you_mean` what may have been meant. Usually a key is misspelt, ' +
      'or stands one level too deep.',
    repair: [
      'Correct every line; `man edged.toml` and docs/reference/config.md have an example.',
      'Check it: `edged precheck --config F --dry-run`.',
      runAgain,
    ],
  },
  'config.input_unusable': {
    meaning:
      'A file given to `edged sign` or `keys` cannot be used: it cannot be read (`errno`), it ' +
      'is too large (`size_bytes`, `limit_bytes`), or it is no private key (`found`, ' +
      '`expected`; of an Ed25519 key in PEM, `convert` makes one). Usually a key in PEM is ' +
      'given where the raw 32 bytes are asked for, or a path is mistyped.',
    repair: [
      'Look at it: `ls -l FILE`. A raw private key has 32 bytes, or 64 as Go writes it; a ' +
        'public one 32.',
      'Make a raw private key of an Ed25519 key in PEM, and of no other: `openssl pkey -in ' +
        'key.pem -outform DER | tail -c 32 > raw.key`.',
      'Or make a new pair: `edged keygen DIR`; devices must then get its public half.',
    ],
  },
  'config.output_unusable': {
    meaning:
      'What `edged sign`, `keygen`, `init` or `simulate` makes, or what a command prints, ' +
      'cannot be written: `file` says where, `errno` why. ENOENT is a directory that is not ' +
      'there, EACCES the wrong user, EROFS a mount that is read-only, ENOSPC a full disk. The ' +
      'verdict of a real precheck stands nonetheless: there it is only a warning. A dry run is ' +
      'run for what it prints: where its stdout cannot be written it exits 1.',
    repair: [
      'Look at the place: `ls -ld DIR`, `findmnt -T DIR`, `df -h DIR`.',
      'Name another one, or make room; `edged simulate` works below `$TMPDIR`.',
    ],
  },
  'config.output_exists': {
    meaning:
      '`file` is there already, and `edged keygen` never replaces a file. A private key that ' +
      'is overwritten is gone, and with it the way to sign for every device that holds its ' +
      'public half.',
    repair: [
      'Look at what is there: `ls -l FILE`.',
      'Make the pair elsewhere: `edged keygen DIR`.',
    ],
  },
} as const satisfies Record<keyof typeof configFailures, Explanation>;
