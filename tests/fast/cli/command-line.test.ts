/** What a person or a script sees of the command: help, streams, formats. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import {
  command,
  runCommand,
  shellLine,
  skipMountCheck,
} from '@edged/testkit/device/built-command';
import { withDevice } from '@edged/testkit/device/device';
import { testWith } from '@edged/testkit/needs';
import type { CommandDefinition } from 'edged/command-line/command-definitions';
import { commandDefinitions } from 'edged/command-line/command-line';

function definitionOf(words: readonly string[]): CommandDefinition {
  let found = commandDefinitions();
  for (const word of words) {
    const inner = found.commands.find(({ name }) => name === word);
    if (!inner) throw new Error(word);
    found = inner;
  }
  return found;
}

describe('help', () => {
  test('shows every command, examples, exit codes and the environment; exit 0 on stdout', () => {
    const { exitCode, stdout, stderr } = runCommand(['--help']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    for (const text of [
      'edged precheck',
      'edged init',
      'edged keygen',
      'edged sign',
      'edged verify',
      'edged fingerprint',
      'edged simulate',
      'edged version',
      'Examples:',
      'Exit codes: 0 clean',
      'EDGE_STATE_ROOT_SKIP_MOUNT_CHECK',
      'a oneshot has no use for it',
    ]) {
      expect(stdout.replaceAll(/\s+/g, ' ')).toContain(text);
    }
  });

  test.each([[[]], [['bless']], [['doctor']], [['keys']], [['keys', 'rehearse']], [['precheck']]])(
    'of %j breaks no word, and no example, at 80 columns',
    (words) => {
      const [usage, ...lines] = runCommand([...words, '--help']).stdout.split('\n');
      const { commands, options, examples, describe: what } = definitionOf(words);
      expect(usage).toMatch(/^edged/);
      expect(lines.filter((line) => line.length > 80 && line.trim().includes(' '))).toEqual([]);
      const flowing = lines.join(' ').replaceAll(/\s+/g, ' ');
      for (const { describe: text } of [...commands, ...options, { describe: what }]) {
        expect(flowing).toContain(text);
      }
      for (const { line } of examples) {
        expect(lines.some((shown) => shown.includes(`${line}  `) || shown.endsWith(line))).toBe(
          true,
        );
      }
    },
  );

  test('is English whatever LANG says', () => {
    const environment = { LANG: 'de_DE.UTF-8', LC_ALL: 'de_DE.UTF-8' };
    expect(runCommand(['--help'], { environment }).stdout).toBe(runCommand(['--help']).stdout);
  });

  test.each(['precheck', 'init', 'keygen', 'sign', 'verify', 'fingerprint', 'simulate', 'version'])(
    'of %s',
    (name) => {
      const { exitCode, stdout } = runCommand([name, '--help']);
      expect(exitCode).toBe(0);
      expect(stdout).toContain(`edged ${name}`);
    },
  );
});

test('global flags may stand before or after the command', () =>
  withDevice((device) => {
    const before = runCommand(['--log-format', 'json', 'precheck', '--config', device.config]);
    const after = runCommand(['precheck', '--config', device.config, '--log-format', 'json']);
    for (const { exitCode, stderr } of [before, after]) {
      expect(exitCode).toBe(0);
      const lines = stderr.trimEnd().split('\n');
      expect(lines.map((line) => (JSON.parse(line) as { level: string }).level)[0]).toBe('WARN');
    }
  }));

test('flags of the original that mean nothing here are accepted', () =>
  withDevice((device) => {
    const flags = ['--control-socket', '/run/x.sock', '--prometheus-addr', ':9090'];
    expect(device.precheck(flags).exitCode).toBe(0);
  }));

test('a flag given twice: the last one counts', () =>
  withDevice((device) => {
    expect(
      runCommand(['precheck', '--config', '/nowhere', '--config', device.config]).exitCode,
    ).toBe(0);
  }));

test('log lines are slog text: strings quoted, numbers bare, no time, nothing forged', () =>
  withDevice((device) => {
    device.precheck();
    device.editFingerprint({ composite_hash: 'a"b\nlevel=ERROR msg="forged"' });
    const { stderr } = device.precheck();
    expect(stderr).toContain('previous_hash="a\\"b\\nlevel=ERROR msg=\\"forged\\""');
    for (const line of stderr.trimEnd().split('\n')) {
      expect(line).toMatch(
        /^level=(?:DEBUG|INFO|WARN|ERROR) msg="[^"]+"(?: \w+=(?:"(?:[^"\\]|\\.)*"|[\d.]+|true|false))*$/,
      );
    }
  }));

test('--log-level error leaves only errors', () =>
  withDevice((device) => {
    expect(device.precheck(['--log-level', 'error']).stderr).toBe('');
  }));

test('lines carry the priority prefix when stderr is the journal, and only then', () =>
  withDevice((device) => {
    const log = `${device.directory}/log`;
    const fd = fs.openSync(log, 'w');
    const { dev, ino } = fs.fstatSync(fd);
    const run = (stream: string): string => {
      fs.ftruncateSync(fd);
      const env = { PATH: process.env['PATH'], ...skipMountCheck, JOURNAL_STREAM: stream };
      const [first, ...rest] = command;
      const args = [...rest, 'precheck', '--config', device.config];
      spawnSync(first, args, { env, stdio: ['ignore', 'ignore', fd] });
      return fs.readFileSync(log, 'utf8').replace(/^\0+/, '');
    };
    expect(run(`${dev}:${ino}`)).toMatch(/^<4>level=WARN msg="edge\.state_root/);
    expect(run('1:2')).toMatch(/^level=WARN/);
    fs.closeSync(fd);
  }));

test('--output json on refusal: the reason, the remedy, the exit code', () =>
  withDevice((device) => {
    fs.rmSync(`${device.directory}/edge.crt`);
    const { stdout, exitCode } = device.precheck(['--output', 'json']);
    expect(exitCode).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 'edged.precheck.v1',
      exit_code: 3,
      result: 'refused',
      gate: 'certificate',
      reason: 'certificate.unreadable',
    });
  }));

test('a closed stdout or stderr changes no exit code', () =>
  withDevice((device) => {
    const args = ['precheck', '--config', device.config, '--output', 'json'];
    const script = shellLine([...command, ...args]);
    const env = { PATH: process.env['PATH'], ...skipMountCheck };
    for (const redirection of ['>&-', '2>&-', '>/dev/full', '2>/dev/full', '>&- 2>&-']) {
      const { status } = spawnSync('sh', ['-c', `${script} ${redirection}`], { env });
      expect({ redirection, status }).toEqual({ redirection, status: 0 });
    }
  }));

test.each([
  [['version']],
  [['--help']],
  [['init', 'new']],
  [['keygen', 'new']],
  [['precheck', '--config', 'edge.toml', '--dry-run']],
])('a stdout that takes nothing is no defect: %j', (args) =>
  withDevice(({ directory }) => {
    const [first, ...rest] = command;
    const env = { PATH: process.env['PATH'], ...skipMountCheck };
    const full = fs.openSync('/dev/full', 'w');
    const { status, stderr } = spawnSync(first, [...rest, ...args], {
      env,
      cwd: directory,
      stdio: ['ignore', full, 'pipe'],
      encoding: 'utf8',
    });
    fs.closeSync(full);
    expect(stderr).toContain('reason="config.output_unusable" file="stdout" errno="ENOSPC"');
    expect(status).toBe(1);
  }),
);

// the runtime of the executable refuses to start there, before any of ours runs
testWith('the command on Node.js')('a removed working directory stops only what needs it', () =>
  withDevice((device) => {
    const directory = path.join(device.directory, 'gone');
    const leave = `fs.rmdirSync(${JSON.stringify(directory)});
      const [program, ...args] = process.argv.slice(1);
      process.exitCode = child_process.spawnSync(program, args, { stdio: 'inherit' }).status;`;
    const run = (...args: string[]) => {
      fs.mkdirSync(directory);
      return runCommand(args, { under: [process.execPath, '-e', leave, '--'], directory });
    };
    expect(run('version')).toMatchObject({ exitCode: 0, stderr: '' });
    expect(run('precheck', '--config', device.config, '--dry-run').exitCode).toBe(0);
    expect(run('doctor', '--config', device.config)).toMatchObject({ exitCode: 0, stderr: '' });
    const { exitCode, stderr } = run('verify', '--state-root', 'here');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('reason="config.input_unusable" file="." errno="ENOENT"');
  }),
);

test('keygen makes both halves, with their modes whatever the umask, or none', () =>
  withDevice(({ directory }) => {
    const keys = `${directory}/new`;
    const line = shellLine([...command, 'keygen', keys]);
    const made = spawnSync('sh', ['-c', `umask 077; exec ${line}`]);
    expect(made.status).toBe(0);
    const modeOf = (name: string): number => fs.statSync(`${keys}/${name}`).mode & 0o777;
    expect(modeOf('manifest-sign.key')).toBe(0o600);
    expect(modeOf('manifest-verify.pub')).toBe(0o644);
    fs.rmSync(`${keys}/manifest-sign.key`);
    const { exitCode, stderr } = runCommand(['keygen', keys]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`reason="config.output_exists" file="${keys}/manifest-verify.pub"`);
    expect(fs.readdirSync(keys)).toEqual(['manifest-verify.pub']);
  }));

testWith('openssl')('sign tells how a PEM key becomes one that it takes', () =>
  withDevice((device) => {
    const [pem, raw] = ['key.pem', 'raw.key'].map((name) => `${device.directory}/${name}`);
    spawnSync('openssl', ['genpkey', '-algorithm', 'ed25519', '-out', `${pem}`]);
    const manifest = device.inside('runtime/manifest.json');
    const { exitCode, stderr } = runCommand(['sign', manifest, '--key', `${pem}`]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`file="${pem}" found="PEM" expected="a raw Ed25519 private key`);
    const convert = /convert="(openssl [^"]+)"/.exec(stderr)?.[1]?.replace('PEM', `'${pem}'`);
    spawnSync('sh', ['-c', `${convert} > '${raw}'`]);
    expect(runCommand(['sign', manifest, '--key', `${raw}`]).exitCode).toBe(0);
    const der = ['pkey', '-in', `${pem}`, '-pubout', '-outform', 'DER'];
    fs.writeFileSync(
      device.inside('identity/manifest-verify.pub'),
      spawnSync('openssl', der).stdout.subarray(-32),
    );
    expect(runCommand(['verify', '--state-root', device.stateRoot]).exitCode).toBe(0);
  }),
);

const p256 = ['EC', '-pkeyopt', 'ec_paramgen_curve:P-256'];
testWith('openssl').each([
  ['ec', ['genpkey', '-algorithm', ...p256]],
  ['rsa', ['genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048']],
  ['x25519', ['genpkey', '-algorithm', 'X25519']],
])('sign has no advice for a PEM key of the type %s, and names it', (type, args) =>
  withDevice((device) => {
    const pem = `${device.directory}/key.pem`;
    spawnSync('openssl', [...args, '-out', pem]);
    const sign = ['sign', device.inside('runtime/manifest.json'), '--key', pem];
    const { exitCode, stderr } = runCommand(sign);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`found="PEM with a private key of the type ${type}" expected="`);
    expect(stderr).not.toContain('convert');
    fs.writeFileSync(pem, spawnSync('openssl', ['pkey', '-in', pem, '-pubout']).stdout);
    const ofPublic = runCommand(sign).stderr;
    expect(ofPublic).toContain('found="PEM without a private key that can be read"');
    expect(ofPublic).not.toContain('convert');
  }),
);

test('sign --help speaks of keyrings too', () => {
  expect(runCommand(['sign', '--help']).stdout).toContain('a manifest or keyring');
});

test('the file that cannot be written is named as it was given', () =>
  withDevice((device) => {
    const key = `${device.directory}/keys/manifest-sign.key`;
    const manifest = device.inside('runtime/manifest.json');
    const args = ['sign', manifest, '--key', key, '--signature', '/nowhere/x'];
    expect(runCommand(args).stderr).toContain('file="/nowhere/x" errno="ENOENT"');
  }));

test('simulate: every step as expected, nothing left behind, no colour in a pipe', () => {
  const environment = { FORCE_COLOR: '1' }; // which is none of ours
  const { exitCode, stdout, stderr } = runCommand(['simulate'], { environment });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout).toContain('exit 0, BootEpoch 0');
  expect(stdout).toContain('exit 0, BootEpoch 1');
  expect(stdout).toMatch(/(\d+) of \1 steps as expected\n$/);
  expect(stdout).not.toContain('\u001b');
  const directory = /A device in (\S+):/.exec(stdout)?.[1] ?? '/';
  expect(fs.existsSync(directory)).toBe(false);
});

test('version', () => {
  expect(runCommand(['version']).stdout).toMatch(/^edged \d+\.\d+\.\d+\n$/);
  expect(JSON.parse(runCommand(['version', '--output', 'json']).stdout)).toMatchObject({
    schema: 'edged.version.v1',
  });
});

test('--version is the command', () => {
  expect(runCommand(['--version'])).toMatchObject({
    exitCode: 0,
    stdout: runCommand(['version']).stdout,
  });
});

test.each([[['--bogus']], [['--', 'foo']], [['--lock-wait-seconds', 'abc']]])(
  'precheck with %j: exit 1, and the result that it leaves',
  (args) =>
    withDevice((device) => {
      const line = ['precheck', '--config', device.config, '--output', 'json', ...args];
      const environment = { ...skipMountCheck, RUNTIME_DIRECTORY: device.directory };
      const { exitCode, stdout, stderr } = runCommand(line, { environment });
      expect(stderr).toContain('reason="config.usage"');
      expect(exitCode).toBe(1);
      const expected = { result: 'refused', reason: 'config.usage', exit_code: 1 };
      expect(JSON.parse(stdout)).toMatchObject(expected);
      expect(device.readJson('precheck.json')).toMatchObject(expected);
    }),
);

test.each([
  [['explain', 'precheck', '--bogus'], false],
  [['--log-level', 'precheck', 'explain', '--bogus'], false],
  [['precheck', '--dry-run', '--bogus'], false],
  [['precheck', '--plan', '--root', '/next', '--bogus'], false],
  [['--log-level', 'debug', 'precheck', '--dry-run=false', '--bogus'], true],
])('%j, not understood: whether a result is left', (line, isLeft) =>
  withDevice((device) => {
    const environment = { RUNTIME_DIRECTORY: device.directory };
    const words = [...line, '--output', 'json'];
    const { exitCode, stdout } = runCommand(words, { environment });
    expect(exitCode).toBe(1);
    expect(device.exists('precheck.json')).toBe(isLeft);
    expect(stdout !== '').toBe(isLeft);
  }),
);

test.each([
  [['--output', 'json', '--output=text'], false],
  [['--output=text', '--output', 'json'], true],
])('of a precheck that is not understood %j counts', (words, isPrinted) => {
  expect(runCommand(['precheck', '--bogus', ...words]).stdout !== '').toBe(isPrinted);
});

test('init makes exactly the seven directories, fills in what is missing, touches nothing else', () =>
  withDevice((device) => {
    const made = `${device.directory}/new`;
    expect(runCommand(['init', made]).exitCode).toBe(0);
    const directories = fs
      .readdirSync(made, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => `${entry.parentPath}/${entry.name}`.slice(made.length + 1));
    expect(directories.sort()).toEqual([
      'bootstrap',
      'edge',
      'edge/relay',
      'edge/segments',
      'epoch',
      'identity',
      'runtime',
      'runtime/binaries',
    ]);
    fs.writeFileSync(`${made}/identity/README.md`, 'mine');
    fs.rmSync(`${made}/edge/relay`, { recursive: true });
    expect(runCommand(['init', made]).stdout).toContain('edge/relay');
    expect(fs.readFileSync(`${made}/identity/README.md`, 'utf8')).toBe('mine');
  }));

test('init makes nothing where precheck would refuse the place, nor in an unnamed one', () =>
  withDevice(({ directory }) => {
    const open = `${directory}/open`;
    fs.mkdirSync(open);
    fs.chmodSync(open, 0o777);
    for (const [name, exitCode, reason] of [
      [open, 2, 'state_root.world_writable'],
      ['/', 2, 'state_root.is_filesystem_root'],
      ['', 1, 'config.usage'],
    ] as const) {
      const result = runCommand(['init', name], { directory: open });
      expect(result).toMatchObject({ exitCode, stdout: '' });
      expect(result.stderr).toContain(`reason="${reason}"`);
    }
    expect(fs.readdirSync(open)).toEqual([]);
  }));

const forTerminals = testWith('script', '5 GB free in the temporary directory');
forTerminals('progress is for a terminal, and is gone when it is done', () =>
  withDevice((device) => {
    device.precheck();
    device.editFingerprint({ composite_hash: 'ffff0000' });
    const [large, size] = [device.inside('runtime/binaries/edge-agent'), 1.5 * 2 ** 30];
    fs.truncateSync(large, size);
    const line = shellLine([...command, 'precheck', '--config', device.config]);
    const env = { PATH: process.env['PATH'], TERM: 'xterm', ...skipMountCheck };
    const shown = spawnSync('script', ['-qec', line, '/dev/null'], { env, encoding: 'utf8' });
    expect(shown.status).toBe(0);
    const bars = shown.stdout.match(/\[Kcopying: \d+ % of 1611 MB, \d+ s/g) ?? [];
    if (/duration_seconds=(?:1\.[5-9]|[2-9])/.test(shown.stdout)) {
      expect(bars.length).toBeGreaterThan(0);
      expect(shown.stdout).toMatch(/\[K\r?level=INFO msg="edge.os.reconstruction_completed"/);
    }
    device.editFingerprint({ composite_hash: 'ffff0000' });
    expect(device.precheck().stderr).not.toContain('copying');
  }),
);

test('a program that does not even load is exit 5, and not a wrong config', () => {
  const lastResort = new URL('../../../packages/edged/dist/last-resort.js', import.meta.url).href;
  for (const failing of ["throw new TypeError('x')", "await Promise.reject(new Error('x'))"]) {
    const script = `await import(${JSON.stringify(lastResort)}); ${failing}`;
    const args = ['--input-type=module', '-e', script];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(status).toBe(5);
    expect(stderr).toContain('level=ERROR msg="edged: internal error" problem="');
  }
});

test.each([
  [['precheck', '--confg', 'edge.toml'], '--config'],
  [['precheck', '--config', 'edge.toml', '--dryrun'], '--dry-run'],
  [['doctor', '--fixx'], '--fix'],
])('an option that is nearly one is suggested: %j', (args, meant) => {
  const { exitCode, stderr } = runCommand(args);
  expect(exitCode).toBe(1);
  expect(stderr).toContain(`did_you_mean="${meant}"`);
});

test('what is far from every option suggests none', () => {
  const { stderr } = runCommand(['precheck', '--config', 'x', '--something-else-altogether']);
  expect(stderr).toContain('reason="config.usage"');
  expect(stderr).not.toContain('did_you_mean');
});

test.each([
  [
    ['precheck', '--config', 'c'],
    '--lock-wait-seconds',
    ['abc', 'Infinity', '-1', '1e9', '', '0x10', ' 5', '5 ', '+5', '.5', '5.', '1e1', '90000'],
    '0 to 86400',
  ],
  [
    ['precheck', '--config', 'c'],
    '--rotation-valid-days',
    ['abc', '-5', '0', '1e12', ''],
    '1 to 3650',
  ],
  [['precheck', '--config', 'c', '--plan'], '--lock-wait-seconds', ['abc'], '0 to 86400'],
  [['bless', '--config', 'c'], '--window-seconds', ['abc', '-1'], '0 to 86400'],
  [['bless', '--config', 'c'], '--interval-seconds', ['0', 'Infinity'], '0.01 to 86400'],
  [['bless', '--config', 'c'], '--timeout-seconds', ['x'], '0 to 86400'],
  [['failed'], '--delay-seconds', ['x', '-1'], '0 to 86400'],
])(
  '%j: %s refuses %j',
  (args, option, values, allowed) => {
    for (const value of values) {
      for (const words of [[`${option}=${value}`], [option, value]]) {
        const { exitCode, stderr } = runCommand([...args, ...words]);
        expect(stderr).toContain('reason="config.usage"');
        expect({ words, exitCode }).toEqual({ words, exitCode: 1 });
        if (words.length > 1) continue;
        expect(stderr).toContain(`problem="${option}: found `);
        expect(stderr).toContain(`allowed="a number from ${allowed}"`);
      }
    }
  },
  60_000,
);
