// Runs commands in turns and keeps the medians. All times are in milliseconds.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';

const environment = { PATH: process.env.PATH, EDGE_STATE_ROOT_SKIP_MOUNT_CHECK: '1' };

export const say = (text) => process.stderr.write(`${text}\n`);

export function run([command, ...args]) {
  const started = performance.now();
  const { status, stderr } = spawnSync(command, args, { env: environment, encoding: 'utf8' });
  const milliseconds = performance.now() - started;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${status} ${stderr}`);
  return milliseconds;
}

const median = (values) => values.toSorted((one, other) => one - other)[values.length >> 1];

/** Medians by name; the candidates take turns, so that what disturbs one disturbs all. */
export function measure(candidates, count, prepare = () => undefined) {
  const times = new Map(Object.keys(candidates).map((name) => [name, []]));
  for (let round = -2; round < count; round += 1) {
    for (const [name, command] of Object.entries(candidates)) {
      prepare(name);
      const time = run(command);
      if (round >= 0) times.get(name).push(time); // two rounds to warm up
    }
  }
  return new Map([...times].map(([name, values]) => [name, median(values)]));
}

/** Peak resident memory in megabytes by name, as GNU time tells it. */
export function measureMemory(candidates, prepare = () => undefined) {
  const peaks = new Map();
  for (const [name, command] of Object.entries(candidates)) {
    prepare();
    const args = ['-f', '%M', ...command];
    const { status, stderr } = spawnSync('/usr/bin/time', args, {
      env: environment,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${command.join(' ')}: ${status} ${stderr}`);
    peaks.set(name, (Number(stderr.trim().split('\n').at(-1)) * 1024) / 1e6);
  }
  return peaks;
}

/** As at power-on: nothing of any file is in memory. Needs root. */
export function dropCaches() {
  spawnSync('sync');
  fs.writeFileSync('/proc/sys/vm/drop_caches', '3');
}
