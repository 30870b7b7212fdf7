/** Completion: the definitions it is made of, what is answered, and the scripts in real shells. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { commandDefinitions } from 'edged/command-line/command-line';
import type { CommandDefinition } from 'edged/command-line/command-definitions';
import { completeWords, directoryOptions, textOptions } from 'edged/command-line/completion-words';
import { shells } from 'edged/command-line/completion-scripts';
import { command, runCommand, shellLine } from '@edged/testkit/device/built-command';
import { testWith } from '@edged/testkit/needs';
import { testDirectory } from '@edged/testkit/test-directory';

const program = commandDefinitions();
const withWords = (
  definition: CommandDefinition,
  words: readonly string[] = [],
): [string, CommandDefinition][] => [
  [words.join(' '), definition],
  ...definition.commands.flatMap((inner) => withWords(inner, [...words, inner.name])),
];
const everyCommand = withWords(program);

describe('the definitions are those of --help', () => {
  test('there are some', () => expect(everyCommand.length).toBeGreaterThan(12));

  test.each(everyCommand)('edged %s', (words, { commands, options }) => {
    const line = words === '' ? [] : words.split(' ');
    const stdout = runCommand([...line, '--help']).stdout.split('\nExamples:')[0] ?? '';
    const optionsShown = [...stdout.matchAll(/^ +(?:-\w, )?--([\w-]+) /gm)].map(([, name]) => name);
    const all = words === '' ? options : [...options, ...program.options];
    expect(optionsShown).toHaveLength(all.length);
    expect(new Set(optionsShown)).toEqual(new Set(all.map(({ name }) => name)));
    const prefix = ['edged', ...line].join(' ');
    const [, section = ''] = /^Commands:\n([^]*?)\n\n/m.exec(stdout) ?? [];
    const start = new RegExp(`^  ${prefix} (\\w+)`, 'gm');
    const commandsShown = [...section.matchAll(start)].map(([, name]) => name);
    expect(commandsShown).toEqual(commands.map(({ name }) => name));
  });
});

describe('what is answered', () => {
  const words = (...line: string[]): string[] =>
    completeWords(program, line).map((answer) => answer.split('\t')[0] ?? '');

  test.each<[string[], string[]]>([
    [['pre'], ['precheck']],
    [['--log-level', 'error', 'pre'], ['precheck']],
    [
      ['precheck', '--log-level', ''],
      ['debug', 'info', 'warn', 'error'],
    ],
    [['precheck', '--log-level=d'], ['--log-level=debug']],
    [['precheck', '--config', ''], [':files']],
    [['precheck', '--config=/et'], [':files']],
    [['verify', '--state-root', '/d'], [':directories']],
    [['bless', '--health-url', ''], []],
    [['bless', '--window-seconds', ''], []],
    [['keys', 're'], ['rehearse']],
    [['keys', 'id', 'one.pub', 'two'], [':files']],
    [['init', ''], [':directories']],
    [['init', 'here', ''], words('version', '').filter((word) => word !== '--output')],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [
      ['precheck', '--con'],
      ['--config', '--control-socket'],
    ],
    [['precheck', '--config', 'x', '--con'], ['--control-socket']],
    [
      ['keys', 'rehearse', '--keyring-update', 'x', '--keyring'],
      ['--keyring', '--keyring-update'],
    ],
    [['precheck', '--', '--con'], []],
    [['--no-such', 'precheck', '--dry'], ['--dry-run']],
    [['nothing-like-it', ''], program.commands.map(({ name }) => name)],
  ])('%j', (line, expected) => expect(words(...line)).toEqual(expected));

  test('a command that is asked about is not run', () => {
    const directory = path.join(os.tmpdir(), 'edged-completion-must-not-make-this');
    const { exitCode, stdout } = runCommand(['--get-completions', 'init', directory, '']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('--log-level\tleast level on stderr\n');
    expect(fs.existsSync(directory)).toBe(false);
  });

  test('the options that are no file are options', () => {
    const names = new Set(
      everyCommand.flatMap(([, { options }]) => options.map(({ name }) => name)),
    );
    const strangers = [...textOptions, ...directoryOptions].filter((name) => !names.has(name));
    expect(strangers).toEqual([]);
  });
});

describe('edged completion', () => {
  test.each(shells)('%s, by name and by SHELL', (shell) => {
    const named = runCommand(['completion', shell]);
    expect(named).toMatchObject({ exitCode: 0, stderr: '' });
    expect(named.stdout).toContain(`${shell} completion for edged`);
    expect(runCommand(['completion'], { environment: { SHELL: `/usr/bin/${shell}` } })).toEqual(
      named,
    );
  });

  test.each<Record<string, string>>([{ SHELL: '/bin/tcsh' }, {}])(
    '%j is refused',
    (environment) => {
      const { exitCode, stdout, stderr } = runCommand(['completion'], { environment });
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
      expect(stderr).toContain('edged completion bash|zsh|fish');
    },
  );
});

describe('in the shell itself', () => {
  const directory = testDirectory('completion');
  const file = (name: string): string => path.join(directory, name);
  const run = (tool: string, args: readonly string[]): string =>
    execFileSync(tool, args, {
      cwd: file('here'),
      env: { PATH: `${directory}:${process.env['PATH']}`, HOME: directory, TERM: 'vt100' },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });

  beforeAll(() => {
    fs.writeFileSync(file('edged'), `#!/bin/sh\nexec ${shellLine(command)} "$@"\n`, {
      mode: 0o755,
    });
    for (const shell of shells) {
      fs.writeFileSync(file(`script.${shell}`), runCommand(['completion', shell]).stdout);
    }
    fs.mkdirSync(file('here/a directory'), { recursive: true });
    fs.writeFileSync(file('here/a file'), '');
  });

  testWith('bash').each<[string[], string[]]>([
    [['pre'], ['precheck']],
    [
      ['precheck', '--output', ''],
      ['text', 'json'],
    ],
    [['precheck', '--output', '=', 'j'], ['json']],
    [
      ['precheck', '--output', '='],
      ['text', 'json'],
    ],
    [
      ['precheck', '--config', 'a'],
      ['a directory', 'a file'],
    ],
    [['init', 'a'], ['a directory']],
    [['bless', '--health-url', 'a'], []],
  ])('bash: %j', (words, expected) => {
    const ask = `source '${file('script.bash')}'; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _edged
      (( \${#COMPREPLY[@]} == 0 )) || printf '%s\\n' "\${COMPREPLY[@]}" | sort`;
    const answer = run('bash', ['--norc', '-c', ask, 'bash', 'edged', ...words]);
    expect(answer.split('\n').slice(0, -1)).toEqual([...expected].sort());
  });

  testWith('fish').each<[string, string[]]>([
    ['edged pre', ['precheck']],
    ['edged precheck --output ', ['json', 'text']],
    ['edged precheck --output=j', ['--output=json']],
    ['edged precheck --config ', ['a directory/', 'a file']],
    ['edged precheck --config=a', ['--config=a directory/', '--config=a file']],
    ['edged init ', ['a directory/']],
    ['edged bless --health-url ', []],
  ])('fish: %s', (line, expected) => {
    const ask = `source '${file('script.fish')}'; complete -C '${line}'`;
    const answers = run('fish', ['--no-config', '-c', ask]).split('\n').slice(0, -1);
    expect(answers).toHaveLength(expected.length);
    expect(new Set(answers.map((answer) => answer.split('\t')[0]))).toEqual(new Set(expected));
  });

  // the line editor itself completes, on a terminal of script(1), and writes what has become of it
  testWith('zsh', 'script')('zsh', () => {
    const lines: readonly [string, string][] = [
      ['edged pre', 'edged precheck '],
      ['edged precheck --output=j', 'edged precheck --output=json '],
      ['edged precheck --output j', 'edged precheck --output json '],
      ['edged precheck --rotate', 'edged precheck --rotate-certs '],
      ['edged precheck --config a\\ f', 'edged precheck --config a\\ file '],
      ['edged precheck --config=a\\ f', 'edged precheck --config=a\\ file '],
      ['edged init a', 'edged init a\\ directory/'],
      ['edged keys li', 'edged keys list '],
      ['edged bless --health-url a', 'edged bless --health-url a'],
    ];
    fs.renameSync(file('script.zsh'), file('_edged'));
    fs.writeFileSync(file('lines'), lines.map(([line]) => `${line}\n`).join(''));
    fs.writeFileSync(file('.zshrc'), zshThatCompletes(directory));
    run('script', ['-qec', `ZDOTDIR='${directory}' zsh -di`, '/dev/null']);
    const expected = lines.map(([, line]) => `${line}\n`).join('');
    expect(fs.readFileSync(file('completed'), 'utf8')).toBe(expected);
  });
});

function zshThatCompletes(directory: string): string {
  return `fpath=('${directory}' $fpath)
autoload -Uz compinit
compinit -u -D
lines=("\${(@f)$(<'${directory}'/lines)}")
complete-next() {
  if (( $#lines == 0 )); then
    BUFFER=exit
  else
    BUFFER=$lines[1] CURSOR=$#lines[1]
    shift lines
    zle complete-word
    print -r -- "$BUFFER" >>'${directory}'/completed
    BUFFER=''
  fi
  zle accept-line
}
zle -N zle-line-init complete-next
`;
}
