/** What systemd made of a boot, told by a unit of the test inside, read outside. */
import fs from 'node:fs';
import path from 'node:path';

export interface JournalLine {
  readonly unit: string;
  /** 0 to 7, as syslog(3) counts. */
  readonly priority: number;
  readonly message: string;
}

export interface BootReport {
  /** Properties by unit. */
  readonly units: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Empty when the boot did not come so far. */
  readonly journal: readonly JournalLine[];
}

const watched = ['edged-precheck', 'edged', 'edged-failure', 'edged-bless', 'data.mount'];
const properties = [
  'Id',
  'ActiveState',
  'SubState',
  'Result',
  'ExecMainStatus',
  'ExecMainStartTimestampMonotonic',
  'ActiveEnterTimestampMonotonic',
  'StatusText',
];

/**
 * Runs `act` from the same directory, waits until nothing of edged is left to start, reports into
 * the directory, and switches off.
 */
export function reportScript(directory: string): string {
  return `
sh ${directory}/act > ${directory}/act.out 2>&1
for i in $(seq 200); do
  systemctl list-jobs --no-legend | grep -q edged || break
  sleep 0.05
done
systemctl show --property=${properties.join(',')} ${watched.join(' ')} > ${directory}/units
journalctl --sync
journalctl -b -o json > ${directory}/journal
sync
systemctl poweroff --no-block
`;
}

/** Starts the script of that directory when everything of edged has had its turn. */
export function reportUnit(directory: string): string {
  return `[Unit]
After=edged-precheck.service edged.service edged-failure.service
[Service]
Type=oneshot
ExecStart=/bin/sh ${directory}/report
StandardOutput=null
[Install]
WantedBy=multi-user.target
`;
}

export function readReport(directory: string): BootReport {
  const read = (name: string): string => {
    const file = path.join(directory, name);
    return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
  };
  return { units: parseUnits(read('units')), journal: parseJournal(read('journal')) };
}

/** `active/running` and the like. */
export function stateOf({ units }: BootReport, unit: string): string {
  return `${units[unit]?.['ActiveState']}/${units[unit]?.['SubState']}`;
}

/** Of precheck. */
export function exitOf({ units }: BootReport): number {
  return Number(units['edged-precheck.service']?.['ExecMainStatus']);
}

/** Priority and message of every log line of precheck. */
export function linesOf({ journal }: BootReport): (readonly [number, string])[] {
  return journal
    .filter(
      ({ unit, message }) => unit === 'edged-precheck.service' && message.startsWith('level='),
    )
    .map(({ priority, message }) => [priority, /msg="([^"]*)"/.exec(message)?.[1] ?? message]);
}

/** What `edged failed` told the journal, and with it the console. */
export function toldOf({ journal }: BootReport): string {
  const told = journal.filter(({ unit }) => unit === 'edged-failure.service');
  return told.map(({ message }) => message).join('\n');
}

function parseUnits(text: string): Record<string, Record<string, string>> {
  const blocks = text.split('\n\n').map((block) =>
    Object.fromEntries(
      block
        .split('\n')
        .filter(Boolean)
        .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    ),
  );
  return Object.fromEntries(blocks.map((block) => [block['Id'] ?? '', block]));
}

function parseJournal(text: string): JournalLine[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, string>)
    .map((entry) => ({
      unit: entry['UNIT'] ?? entry['_SYSTEMD_UNIT'] ?? '',
      priority: Number(entry['PRIORITY']),
      message: String(entry['MESSAGE']),
    }));
}
