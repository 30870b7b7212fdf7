// Measures everything side by side in one run, the candidates taking turns, and writes the table
// into docs/performance.md. Timings are medians; what counts is the ratio within one run.
// BENCH_ROUNDS (default 40) is the number of turns on the match path, BENCH_SEGMENTS (default 100,000)
// the most files that lie in edge/.
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const top = fileURLToPath(new URL('../..', import.meta.url));
const rounds = Number(process.env.BENCH_ROUNDS ?? 40);
const mostSegments = Number(process.env.BENCH_SEGMENTS ?? 100_000);
const node = path.join(top, 'node_modules/.bin/node');
const executable = path.join(top, 'dist/edged');
const bundle = path.join(top, 'dist/edged.mjs');
const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edged-bench-'));
const file = (name) => path.join(directory, name);
const environment = { PATH: process.env.PATH, EDGE_STATE_ROOT_SKIP_MOUNT_CHECK: '1' };
const say = (text) => process.stderr.write(`${text}\n`);

function run([command, ...args]) {
  const started = performance.now();
  const { status, stderr } = spawnSync(command, args, { env: environment, encoding: 'utf8' });
  const milliseconds = performance.now() - started;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${status} ${stderr}`);
  return milliseconds;
}

const median = (values) => values.toSorted((one, other) => one - other)[values.length >> 1];

/** Medians by name; the candidates take turns, so that what disturbs one disturbs all. */
function measure(candidates, count, prepare = () => undefined) {
  const times = new Map(Object.keys(candidates).map((name) => [name, []]));
  for (let round = -2; round < count; round += 1) {
    for (const [name, command] of Object.entries(candidates)) {
      prepare();
      const time = run(command);
      if (round >= 0) times.get(name).push(time); // two rounds to warm up
    }
  }
  return new Map([...times].map(([name, values]) => [name, median(values)]));
}

function makeDevice() {
  const command = (...args) => execFileSync(executable, args, { env: environment });
  const simulated = execFileSync(executable, ['simulate', '--keep'], { encoding: 'utf8' });
  const kept = /\/\S*edged-simulate-\w+/.exec(simulated)[0].replace(/[.,]$/, '');
  for (const name of ['edge.crt', 'edge.key']) fs.copyFileSync(path.join(kept, name), file(name));
  const config = fs.readFileSync(path.join(kept, 'edge.toml'), 'utf8');
  fs.writeFileSync(file('edge.toml'), config.replaceAll(kept, directory));
  fs.rmSync(kept, { recursive: true });
  command('init', file('state-root'));
  command('keygen', file('keys'));
  fs.copyFileSync(
    file('keys/manifest-verify.pub'),
    file('state-root/identity/manifest-verify.pub'),
  );
}

function writeManifest(operations) {
  const manifest = file('state-root/runtime/manifest.json');
  fs.writeFileSync(manifest, JSON.stringify({ version: '1', operations }));
  execFileSync(executable, ['sign', manifest, '--key', file('keys/manifest-sign.key')]);
}

/** The next precheck sees another OS. */
function replaceOs() {
  const name = file('state-root/bootstrap/os_fingerprint.json');
  const stored = JSON.parse(fs.readFileSync(name, 'utf8'));
  fs.writeFileSync(name, JSON.stringify({ ...stored, composite_hash: 'ffff0000' }));
  execFileSync('sync');
}

/** The peer in Go, when there is a compiler; undefined otherwise. Its hash must be b3sum's. */
function buildPeer() {
  const peer = file('peer');
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=mod', GOCACHE: file('go-cache') };
  const build = ['build', '-trimpath', '-ldflags', '-s -w', '-o', peer, '.'];
  const cwd = path.join(top, 'tests/bench/peers');
  if (spawnSync('go', build, { cwd, env, stdio: 'ignore' }).status !== 0) {
    say('SKIPPED: the peer in Go: there is no compiler');
    return undefined;
  }
  const [ours, theirs] = [
    execFileSync(peer, ['hash', executable], { encoding: 'utf8' }),
    execFileSync('b3sum', ['--no-names', executable], { encoding: 'utf8' }),
  ];
  if (ours !== theirs) throw new Error('the peer in Go does not hash as b3sum does');
  return peer;
}

/** As at power-on: nothing of any file is in memory. Needs root. */
function dropCaches() {
  execFileSync('sync');
  fs.writeFileSync('/proc/sys/vm/drop_caches', '3');
}

const precheck = ['precheck', '--config', file('edge.toml'), '--log-level', 'error'];
const tables = [];
const addTable = (title, medians, base) => {
  const rows = [...medians].map(([name, time]) => {
    const ratio = (time / medians.get(base)).toFixed(2);
    return `| ${name} | ${time.toFixed(1)} | ${ratio} |`;
  });
  tables.push([`## ${title}`, '', `| | ms | to ${base} |`, '|---|---|---|', ...rows].join('\n'));
  say(`${title}\n${rows.join('\n')}`);
};

try {
  makeDevice();
  run([executable, ...precheck]);
  const peer = buildPeer();
  const places = ['state-root', 'edge.crt', 'edge.key', 'edge.toml'].map(file);
  const matching = {
    'dist/edged': [executable, ...precheck],
    'dist/edged.mjs on Node.js': [node, bundle, ...precheck],
    'sources on Node.js': [node, path.join(top, 'packages/edged/bin/edged'), ...precheck],
    'node -e 0': [node, '-e', '0'],
    ...(peer ? { 'Go peer': [peer, 'match', ...places] } : {}),
  };
  addTable('A matching boot', measure(matching, rounds), 'node -e 0');
  if (process.geteuid() === 0) {
    const { 'sources on Node.js': _, ...cold } = matching;
    const few = Math.max(3, rounds >> 2);
    addTable(
      'A matching boot, nothing in the page cache',
      measure(cold, few, dropCaches),
      'node -e 0',
    );
  } else say('SKIPPED: the cold page cache needs root');

  const segments = new Map();
  for (const count of [0, 1000, mostSegments]) {
    for (let index = 0; index < count; index += 1) {
      fs.writeFileSync(file(`state-root/edge/segments/${index}`), '');
    }
    execFileSync('sync'); // what was written is not to be written while we measure
    const name = `${count} segments in edge/`;
    const medians = measure({ [name]: matching['dist/edged'] }, rounds >> 1);
    segments.set(name, medians.get(name));
  }
  addTable('The agent\u2019s data does not matter', segments, '0 segments in edge/');
  fs.rmSync(file('state-root/edge/segments'), { recursive: true });

  const source = file('state-root/runtime/binaries/large');
  fs.writeFileSync(source, Buffer.alloc(100 * 2 ** 20, 'not all zeros '));
  const hash = execFileSync('b3sum', ['--no-names', source], { encoding: 'utf8' }).trim();
  const large = {
    op: 'copy_binary',
    src: 'runtime/binaries/large',
    dst: 'runtime/bin/large',
    hash,
  };
  writeManifest([large]);
  const tools = `b3sum --num-threads 1 ${source} && cp ${source} ${file('copy')} && sync ${file('copy')}`;
  const reconstructing = {
    'dist/edged': [executable, ...precheck],
    'sources on Node.js': [node, path.join(top, 'packages/edged/bin/edged'), ...precheck],
    'b3sum + cp + sync': ['sh', '-c', tools],
    ...(peer
      ? { 'Go peer (BLAKE3 without SIMD)': [peer, 'copy', source, file('copy'), hash] }
      : {}),
  };
  const rounded = Math.max(3, rounds >> 2);
  addTable(
    'A reconstruction of one file of 100 MiB',
    measure(reconstructing, rounded, replaceOs),
    'b3sum + cp + sync',
  );

  const sizes = new Map();
  for (const megabytes of [1, 10, 100, 1000]) {
    fs.writeFileSync(source, Buffer.alloc(megabytes * 1e6, 'not all zeros '));
    writeManifest([{ ...large, hash: undefined }]);
    const name = `${megabytes} MB`;
    const medians = measure({ [name]: [executable, ...precheck] }, 3, replaceOs);
    sizes.set(name, medians.get(name));
  }
  addTable('Size of one file', sizes, '100 MB');
  fs.rmSync(source);

  const sweep = new Map();
  for (const count of [1, 10, 100, 1000]) {
    const operations = Array.from({ length: count }, (_, index) => {
      fs.writeFileSync(
        file(`state-root/runtime/binaries/small-${index}`),
        Buffer.alloc(1024, index),
      );
      const name = `small-${index}`;
      return { op: 'copy_binary', src: `runtime/binaries/${name}`, dst: `runtime/bin/${name}` };
    });
    writeManifest(operations);
    const name = `${count} operations of 1 KiB`;
    const medians = measure({ [name]: [executable, ...precheck] }, 5, replaceOs);
    sweep.set(name, medians.get(name));
  }
  addTable('Operations', sweep, '1 operations of 1 KiB');
} finally {
  fs.rmSync(directory, { recursive: true, force: true });
}

const page = [
  '# Performance',
  '',
  '`npm run bench` writes this page: whole processes, warm, the candidates taking turns, medians.',
  'Timings differ from machine to machine; compare the ratios.',
  '',
  `${os.cpus().length} × ${os.cpus()[0].model}, Linux ${os.release()}.`,
  '',
  tables.join('\n\n'),
  '',
];
fs.writeFileSync(path.join(top, 'docs/performance.md'), page.join('\n'));
