/** Pages for the reasons of the slot gate (exit 5): committing and rolling back. */
import type { slotFailures } from '@edged/model/failures/slot';
import type { Explanation } from './explanation.ts';

export const slotExplanations = {
  'slot.precheck_not_passed': {
    meaning:
      '`edged bless` was to commit the running slot, but precheck has not passed in this ' +
      'boot: `found` says whether there is no result in `file`, one of another boot, another ' +
      'state root or a refusal, or records that are not as precheck leaves them. A slot whose ' +
      'runtime was not verified must not become the one to fall back to.',
    repair: [
      'See what precheck said: `journalctl -b -u edged-precheck`, `edged status`.',
      'Repair that; `edged explain REASON` says how.',
      'Then: `systemctl restart edged-precheck && systemctl start edged && systemctl restart ' +
        'edged-bless`.',
    ],
  },
  'slot.agent_unhealthy': {
    meaning:
      'The agent was not healthy for `window_seconds` without a break; after `waited_seconds` ' +
      'this was given up. `found` is the last problem seen: the state of the unit, the answer ' +
      'of the address, or the exit code of the program that was asked. A restart of the unit ' +
      'begins the window anew. In a trial boot the slot is taken back.',
    repair: [
      'See why: `journalctl -b -u edged`, `systemctl status edged`.',
      'See what is asked: `systemctl cat edged-bless | grep -E ' +
        "'ExecStart|EDGED_BLESS_OPTIONS'`.",
      'If the agent needs longer on this device, raise `--timeout-seconds` there, then ' +
        '`systemctl daemon-reload`.',
      'Then: `systemctl restart edged-bless`.',
    ],
  },
  'slot.not_marked': {
    meaning:
      'Precheck passed and the agent is healthy, but `command`, which tells the boot loader ' +
      'so, failed with what `found` says. The evidence is not committed either: both or none. ' +
      'Usually the boot partition is not mounted, is read-only to the unit, or the service of ' +
      'RAUC does not run.',
    repair: [
      'Run it by hand: `/usr/lib/systemd/systemd-bless-boot good`, or with RAUC `rauc status ' +
        'mark-good`.',
      'Look: `findmnt /efi`, `findmnt /boot`, `systemctl cat edged-bless | grep ' +
        'ReadWritePaths`, `systemctl status rauc`.',
      'Then: `systemctl restart edged-bless`.',
    ],
  },
  'slot.reboot_failed': {
    meaning:
      'A trial boot has failed, and the reboot that takes it back could not be started; ' +
      '`found` is what systemctl said. The agent does not run, and the device stays in the ' +
      'failed slot until somebody reboots it.',
    repair: [
      'See why it failed first: `journalctl -b -u edged-precheck -u edged-bless`.',
      'Reboot: `systemctl reboot`; if systemd does not answer, `systemctl reboot --force`.',
    ],
  },
} as const satisfies Record<keyof typeof slotFailures, Explanation>;
