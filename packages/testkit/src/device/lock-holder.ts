/** Another process that is inside a state root, with the lock, until it is killed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { layout } from '@edged/model/layout';

const module = new URL('../../../host/dist/linux-lock.js', import.meta.url).href;
const script = `
  import { tryLinuxLock } from ${JSON.stringify(module)};
  const held = tryLinuxLock(process.argv[1], ${JSON.stringify(layout.lock)});
  process.stdout.write(held ? 'held' : 'refused');
  setInterval(() => undefined, 60_000);`;

export interface LockHolder {
  /** The visible lock stays, as after the OOM killer. */
  readonly kill: () => Promise<void>;
}

/** Throws when it cannot have the lock. */
export async function holdLock(stateRoot: string): Promise<LockHolder> {
  const args = ['--input-type=module', '-e', script, stateRoot];
  const holder = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(holder, 'exit');
  const kill = async (): Promise<void> => {
    holder.kill('SIGKILL');
    await ended;
  };
  const [said] = (await Promise.race([once(holder.stdout, 'data'), ended])) as [unknown];
  if (String(said) === 'held') return { kill };
  await kill();
  throw new Error(`the lock of ${stateRoot} was not given`);
}
