// Measures everything side by side in one run, the candidates taking turns, and writes the tables
// and the plot into docs/. Timings are medians; what counts is the ratio within one run.
// BENCH_ROUNDS (default 40) is the number of turns on the match path, BENCH_SEGMENTS (default
// 1,000,000) the most files that lie in edge/.
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeExecutable } from '../../packages/packaging/dist/executable.js';
import { dropCaches, measure, measureMemory, run, say } from './measure.mjs';
import { plot } from './plot.mjs';

const top = fileURLToPath(new URL('../..', import.meta.url));
const rounds = Number(process.env.BENCH_ROUNDS ?? 40);
const few = Math.max(3, rounds >> 2);
const mostSegments = Number(process.env.BENCH_SEGMENTS ?? 1_000_000);
const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edged-bench-'));
const file = (name) => path.join(directory, name);
const bundle = path.join(top, 'dist/node/edged.cjs');
// Both copied alike: how a file was written decides how it lies in the page cache, a tenth of a
// start; and what this process has mapped itself could not be dropped from there.
const executable = copyOf(path.join(top, 'dist/edged'), 'edged');
const node = copyOf(process.execPath, 'node');

function copyOf(program, name) {
  fs.copyFileSync(program, file(name));
  fs.chmodSync(file(name), 0o755);
  return file(name);
}

function makeDevice() {
  const command = (...args) => execFileSync(executable, args, { stdio: 'pipe' });
  const simulated = execFileSync(executable, ['simulate', '--keep'], { encoding: 'utf8' });
  const kept = /\/\S*edged-simulate-\w+/.exec(simulated)[0].replace(/[.,]$/, '');
  for (const name of ['edge.crt', 'edge.key']) fs.copyFileSync(path.join(kept, name), file(name));
  const config = fs.readFileSync(path.join(kept, 'edge.toml'), 'utf8');
  fs.writeFileSync(file('edge.toml'), config.replaceAll(kept, directory));
  fs.rmSync(kept, { recursive: true });
  command('init', file('state-root'));
  command('keygen', file('keys'));
  const key = 'manifest-verify.pub';
  fs.copyFileSync(file(`keys/${key}`), file(`state-root/identity/${key}`));
}

const manifest = file('state-root/runtime/manifest.json');

function writeManifest(operations) {
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

/** A peer by name, when there is a compiler. Its hash must be b3sum's. */
function buildPeer(name, command, args, options) {
  const built = spawnSync(command, args, { stdio: 'ignore', ...options });
  if (built.status !== 0) {
    say(`SKIPPED: the peer in ${name}: ${command} did not build it`);
    return undefined;
  }
  const peer = file(`peer-${name}`);
  const ours = execFileSync(peer, ['hash', executable], { encoding: 'utf8' });
  const theirs = execFileSync('b3sum', ['--no-names', executable], { encoding: 'utf8' });
  if (ours !== theirs) throw new Error(`the peer in ${name} does not hash as b3sum does`);
  return peer;
}

function buildPeers() {
  const peers = path.join(top, 'tests/bench/peers');
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=mod', GOCACHE: file('go-cache') };
  const go = ['build', '-trimpath', '-ldflags', '-s -w', '-o', file('peer-Go'), '.'];
  const c = ['-O3', '-o', file('peer-C'), path.join(peers, 'c/peer.c'), '-lcrypto'];
  return {
    go: buildPeer('Go', 'go', go, { cwd: path.join(peers, 'go'), env }),
    c: buildPeer('C', 'cc', c, {}),
  };
}

const tables = [];
function addTable(title, values, base, unit = 'ms') {
  const rows = [...values].map(([name, value]) => ({
    name,
    value,
    ratio: (value / values.get(base)).toFixed(2),
  }));
  tables.push({ title, rows, base, unit });
  say(
    `${title}\n${rows.map((row) => `  ${row.name}: ${row.value.toFixed(1)} ${row.ratio}`).join('\n')}`,
  );
}

const precheck = ['precheck', '--config', file('edge.toml'), '--log-level', 'error'];
const ours = {
  edged: [executable, ...precheck],
  'edged, bundle on Node.js': [node, bundle, ...precheck],
  'edged, sources on Node.js': [node, path.join(top, 'packages/edged/bin/edged'), ...precheck],
};

function benchMatch(peers) {
  const places = ['state-root', 'edge.crt', 'edge.key', 'edge.toml'].map(file);
  const x509 = file('x509.cjs');
  fs.writeFileSync(
    x509,
    `const { X509Certificate, createPrivateKey } = require('crypto'), fs = require('fs');
     const leaf = new X509Certificate(fs.readFileSync('${file('edge.crt')}'));
     leaf.checkPrivateKey(createPrivateKey(fs.readFileSync('${file('edge.key')}')));
     leaf.verify(leaf.publicKey);`,
  );
  const empty = file('empty');
  fs.writeFileSync(`${empty}.mjs`, '');
  makeExecutable(`${empty}.mjs`, empty, process.arch);
  const matching = {
    ...ours,
    'an empty executable': [empty],
    'node -e 0': [node, '-e', '0'],
    'Node.js, the certificate alone': [node, x509],
    ...(peers.go ? { 'Go peer': [peers.go, 'match', ...places] } : {}),
    ...(peers.c ? { 'C peer': [peers.c, 'match', ...places] } : {}),
  };
  addTable('A matching boot', measure(matching, rounds), 'node -e 0');
  if (fs.existsSync('/usr/bin/time')) {
    const peaks = measureMemory(matching);
    addTable('A matching boot, peak memory', peaks, 'node -e 0', 'MB');
  } else say('SKIPPED: the peak memory needs GNU time');
  if (process.geteuid() === 0) {
    const { 'edged, sources on Node.js': _, ...cold } = matching;
    const title = 'A matching boot, nothing in the page cache';
    addTable(title, measure(cold, few, dropCaches), 'node -e 0');
  } else say('SKIPPED: the cold page cache needs root');
}

function benchSegments() {
  const place = file('state-root/edge/segments');
  fs.rmSync(place, { recursive: true });
  const nameOf = (count) => `edged, ${count} segments in edge/`;
  const devices = new Map();
  for (const count of [0, 1000, mostSegments]) {
    const segments = file(`segments-${count}`);
    fs.mkdirSync(segments);
    for (let each = 0; each < count; each += 1)
      fs.writeFileSync(path.join(segments, `${each}`), '');
    devices.set(nameOf(count), segments);
  }
  execFileSync('sync'); // what was written is not to be written while we measure
  let there;
  const putThere = (name) => {
    if (there) fs.renameSync(place, there);
    there = devices.get(name);
    fs.renameSync(there, place);
  };
  const candidates = Object.fromEntries([...devices.keys()].map((name) => [name, ours.edged]));
  const times = measure(candidates, rounds >> 1, putThere);
  addTable('The agent’s data does not matter', times, nameOf(0));
  for (const segments of [place, ...devices.values()]) {
    fs.rmSync(segments, { recursive: true, force: true });
  }
}

function benchLarge(peers) {
  const source = file('state-root/runtime/binaries/large');
  fs.writeFileSync(source, Buffer.alloc(100 * 2 ** 20, 'not all zeros '));
  const hash = execFileSync('b3sum', ['--no-names', source], { encoding: 'utf8' }).trim();
  const names = { src: 'runtime/binaries/large', dst: 'runtime/bin/large' };
  const large = { op: 'copy_binary', ...names, hash };
  writeManifest([large]);
  const copy = file('copy');
  const pem = file('manifest-verify.pem');
  const der = [
    '302a300506032b6570032100',
    fs.readFileSync(file('keys/manifest-verify.pub'), 'hex'),
  ];
  const key = Buffer.from(der.join(''), 'hex').toString('base64');
  fs.writeFileSync(pem, `-----BEGIN PUBLIC KEY-----\n${key}\n-----END PUBLIC KEY-----\n`);
  const hashing = ['b3sum', '--num-threads', '1', source];
  const openssl = ['openssl', 'pkeyutl', '-verify', '-rawin', '-pubin', '-inkey', pem];
  const reconstructing = {
    ...ours,
    'b3sum, cp, sync': ['sh', '-c', `${hashing.join(' ')} && cp ${source} ${copy} && sync ${copy}`],
    'b3sum alone': hashing,
    'cp alone': ['cp', source, copy],
    'openssl pkeyutl -verify alone': [...openssl, '-in', manifest, '-sigfile', `${manifest}.sig`],
    ...(peers.go ? { 'Go peer (no SIMD)': [peers.go, 'copy', source, copy, hash] } : {}),
    ...(peers.c ? { 'C peer (no SIMD)': [peers.c, 'copy', source, copy, hash] } : {}),
  };
  const title = 'A reconstruction of one file of 100 MiB';
  addTable(title, measure(reconstructing, few, replaceOs), 'b3sum, cp, sync');

  const sizes = new Map();
  for (const megabytes of [1, 10, 100, 1000]) {
    fs.writeFileSync(source, Buffer.alloc(megabytes * 1e6, 'not all zeros '));
    writeManifest([{ op: 'copy_binary', ...names }]);
    const name = `edged, ${megabytes} MB`;
    sizes.set(name, measure({ [name]: ours.edged }, 3, replaceOs).get(name));
  }
  addTable('Size of one file', sizes, 'edged, 100 MB');
  fs.rmSync(source);
}

function benchOperations(peers) {
  const sweep = new Map();
  const small = (index) => file(`state-root/runtime/binaries/small-${index}`);
  const copies = [file('state-root/runtime/binaries/small'), file('small')];
  for (const count of [1, 10, 100, 1000]) {
    const operations = Array.from({ length: count }, (_, index) => {
      fs.writeFileSync(small(index), Buffer.alloc(1024, index));
      const name = `small-${index}`;
      return { op: 'copy_binary', src: `runtime/binaries/${name}`, dst: `runtime/bin/${name}` };
    });
    writeManifest(operations);
    const measured = measure(
      {
        [`edged, ${count} of 1 KiB`]: ours.edged,
        ...(peers.c
          ? { [`C peer, ${count}: copy, fsync`]: [peers.c, 'copies', ...copies, count] }
          : {}),
      },
      5,
      replaceOs,
    );
    for (const [name, time] of measured) sweep.set(name, time);
  }
  addTable('Operations', sweep, 'edged, 1 of 1 KiB');
}

try {
  makeDevice();
  run(ours.edged);
  const peers = buildPeers();
  benchMatch(peers);
  benchSegments();
  benchLarge(peers);
  benchOperations(peers);
} finally {
  fs.rmSync(directory, { recursive: true, force: true });
}

const page = tables.map(({ title, rows, base, unit }) => {
  const lines = rows.map(
    ({ name, value, ratio }) => `| ${name} | ${value.toFixed(1)} | ${ratio} |`,
  );
  return [`## ${title}`, '', `| | ${unit} | to ${base} |`, '|---|---|---|', ...lines].join('\n');
});
const docs = path.join(top, 'docs');
const head = fs.readFileSync(path.join(top, 'tests/bench/head.md'), 'utf8');
const machine = `${os.cpus().length} × ${os.cpus()[0].model}, Linux ${os.release()}, Node.js ${process.version}.`;
fs.writeFileSync(path.join(docs, 'performance.svg'), plot(tables.slice(0, 6)));
fs.writeFileSync(
  path.join(docs, 'performance.md'),
  `${head}\n${machine}\n\n${page.join('\n\n')}\n`,
);
