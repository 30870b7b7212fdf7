/** A machine with a boot loader that says what the test says, and tools that do what it says. */
import { DiskError, type Host, type ToolResult, type Tools } from '@edged/host/host';

const loader = '4a67b082-0a4c-41cf-b6c7-440b29bb8c4f';

export interface Loader {
  /** `countPath` without it: systemd-boot that does not count this entry. */
  readonly systemdBoot?: { readonly entry: string; readonly countPath?: string };
  readonly commandLine?: string;
  /** `bootloader=` in RAUC's system.conf. */
  readonly raucBootloader?: string;
  /** The firmware's variables cannot be read. */
  readonly brokenFirmware?: boolean;
  /** Files of the boot partition, by directory. */
  readonly bootFiles?: Readonly<Record<string, readonly string[]>>;
}

/** The host with this boot loader; nothing else of it changes. */
export function withLoader(host: Host, how: Loader): Host {
  const { systemdBoot, commandLine = '', bootFiles, raucBootloader } = how;
  const variables: Readonly<Record<string, string | undefined>> = systemdBoot
    ? {
        LoaderInfo: 'systemd-boot 252.39',
        LoaderEntrySelected: systemdBoot.entry,
        LoaderBootCountPath: systemdBoot.countPath,
      }
    : {};
  return {
    ...host,
    readFile: (path, limitBytes) =>
      raucBootloader !== undefined && path === '/etc/rauc/system.conf'
        ? Buffer.from(`[system]\nbootloader=${raucBootloader}\n`)
        : host.readFile(path, limitBytes),
    listDirectory: (path) => bootFiles?.[path] ?? host.listDirectory(path),
    system: {
      ...host.system,
      kernelCommandLine: () => commandLine,
      efiVariable: (name) => {
        if (how.brokenFirmware) throw new DiskError('read', name, 'EIO');
        return variables[name.replace(`-${loader}`, '')];
      },
    },
  };
}

/** Tools that answer by the first words of the command; the others cannot be started. */
export class FakeTools implements Tools {
  readonly commands: string[] = [];
  readonly #answers: Readonly<Record<string, Partial<ToolResult>>>;
  readonly #httpStatus: () => number | string;

  constructor(
    answers: Readonly<Record<string, Partial<ToolResult>>>,
    httpStatus: () => number | string = () => 'refused',
  ) {
    this.#answers = answers;
    this.#httpStatus = httpStatus;
  }

  async run(command: string, args: readonly string[]): Promise<ToolResult> {
    const line = [command, ...args].join(' ');
    this.commands.push(line);
    const answer = Object.entries(this.#answers).find(([words]) => line.startsWith(words))?.[1];
    if (!answer) return { exitCode: undefined, stdout: '', problem: `no ${command} here` };
    return { exitCode: 0, stdout: '', problem: '', ...answer };
  }

  async httpStatus(url: string): Promise<number | string> {
    this.commands.push(`GET ${url}`);
    return this.#httpStatus();
  }
}
