/**
 * Pages for the reasons of the inspection gate (exit 5), which `edged doctor`, `edged status` and a
 * preflight give.
 */
import type { inspectionFailures } from '@edged/model/failures/inspection';
import type { Explanation } from './explanation.ts';

export const inspectionExplanations = {
  'inspection.timed_out': {
    meaning:
      'A check of `edged doctor` was given up because it did not end. A disk, a mount or a ' +
      'tool that does not answer is a finding of its own, and the other checks have gone on ' +
      'without it.',
    repair: [
      'Look for a disk that hangs: `dmesg | tail -50`.',
      "Look for processes that wait for it (state D): `ps axo pid,stat,wchan,args | grep ' " +
        "D'`.",
      'Look once more: `edged doctor --config F`.',
    ],
  },
  'inspection.directory_missing': {
    meaning:
      'One of the seven directories of the state root is not there. The next change makes it ' +
      'by itself, but the agent may need it now, and somebody has removed it. A whole tree ' +
      'that is missing points to a partition that is not mounted.',
    repair: [
      'See what is mounted: `findmnt -T /data/edged`, and what is there: `ls -l /data/edged`.',
      'Make it: `edged doctor --config F --fix`, or `edged init /data/edged`.',
    ],
  },
  'inspection.mode_too_open': {
    meaning:
      'A key, a secret or a directory of the state root may be read or written by users who ' +
      'should not. precheck looks at the state root itself only. Usually it was copied ' +
      'without its modes, or somebody ran chmod -R.',
    repair: [
      'Look: `ls -la /data/edged /data/edged/identity`.',
      'Take the rights away: `edged doctor --config F --fix`.',
      'A private key that others could read should be replaced: for a certificate where the ' +
        'CA key is configured, `edged precheck --config F --rotate-certs`.',
    ],
  },
  'inspection.directory_closed': {
    meaning:
      'An installed file (`dst`) may be read or run by everybody, but on the way to it lies a ' +
      'directory that only its owner may pass (`directory`, relative to the state root, with its ' +
      '`mode`). An agent that runs as another user (`User=` in its unit) cannot start. edged ' +
      'makes its directories with mode 0755 whatever the umask; an earlier version left what ' +
      '`UMask=0077` of the unit made of it. precheck changes the mode of no directory that it ' +
      'finds: it may be meant.',
    repair: [
      'Look at the whole way: `namei -l /data/edged/DST`.',
      'See as whom the agent runs: `systemctl show -p User edged`.',
      'Open it: `chmod 755 /data/edged/DIRECTORY`.',
    ],
  },
  'inspection.lock_without_owner': {
    meaning:
      'The visible lock (.precheck.lock) is there, but no process holds the real one, which ' +
      'the kernel frees with the process. It was left by a kill or a power cut and delays ' +
      'nobody.',
    repair: [
      'To see why it was cut off: `journalctl -b -1 -u edged-precheck`, `last -x | head`.',
      'To take it away now: `edged doctor --config F --fix`.',
    ],
  },
  'inspection.unfinished_work': {
    meaning:
      'A journal or a directory of an earlier precheck is there: it was cut off. Before its ' +
      'promise was durable nothing has happened; after it the next precheck carries it to its ' +
      'end, with the same epoch.',
    repair: [
      'To finish it now: `edged doctor --config F --fix`, or `systemctl restart ' +
        'edged-precheck`.',
      'If it comes back after every boot, look at what cuts it off: `journalctl -u ' +
        'edged-precheck`, `dmesg | tail -50`.',
    ],
  },
  'inspection.records_disagree': {
    meaning:
      'Fingerprint, evidence and history do not speak of the same epoch, or one of them is ' +
      'damaged. No epoch is lost as long as one of them is whole: the next precheck takes the ' +
      'highest. Usually a file was edited or restored from a backup.',
    repair: [
      'See what they say: `grep -r boot_epoch /data/edged/bootstrap /data/edged/epoch`.',
      'See what the next precheck would do: `edged precheck --config F --dry-run`.',
      'Let it repair them: `systemctl restart edged-precheck`.',
    ],
  },
  'inspection.installed_missing': {
    meaning:
      'The signed manifest installs a file that is not there any more. Precheck installs only ' +
      'when the OS was replaced, so it does not come back by itself, and the agent may not ' +
      'start.',
    repair: [
      'Look: `ls -l /data/edged/runtime/bin`, and who was logged in: `last -x | head`.',
      'Check that the source is good: `edged verify --state-root /data/edged`.',
      'Copy it: `install -m MODE /data/edged/SRC /data/edged/DST`, with src, dst and mode as ' +
        'found; then `systemctl restart edged`.',
    ],
  },
  'inspection.installed_differs': {
    meaning:
      'An installed file has other bytes than its source in runtime/binaries, which the ' +
      'signed manifest names, or another mode (`found_mode`). Precheck judges it only when ' +
      'the OS is replaced. Usually somebody patched it on the device; it may be an attack; or ' +
      'a new runtime was shipped and waits for the next OS.',
    repair: [
      'Keep it: `cp -a /data/edged/DST /tmp/`.',
      'Check that the source is good: `edged verify --state-root /data/edged`.',
      'Copy it: `install -m MODE /data/edged/SRC /data/edged/DST`, with src, dst and mode as ' +
        'found; then `systemctl restart edged`.',
    ],
  },
  'inspection.binary_changed': {
    meaning:
      'The file that the manifest calls binary_path has another hash than the one in the ' +
      'evidence of this epoch. A runtime that was shipped since then looks just like this; so ' +
      'does a file that somebody has changed.',
    repair: [
      'See what was recorded: `grep binary_hash /data/edged/epoch/current/evidence.json`, and ' +
        'what is there: `b3sum /data/edged/runtime/binaries/edged`.',
      'Check it against the signed manifest: `edged verify --state-root /data/edged`.',
      'If nobody shipped it, keep it as evidence and restore it from the release.',
    ],
  },
  'inspection.library_missing': {
    meaning:
      'A program of the runtime needs an ELF interpreter or C library that the OS does not ' +
      'bring. It would be installed without complaint and then not start, with the message ' +
      '"not found" for a file that is there. Usually a build for glibc meets an image with ' +
      'musl, or the other way round.',
    repair: [
      'See what it asks for: `readelf -l /data/edged/SRC | grep interpreter`, and what there ' +
        'is: `ls /lib/ld-* /lib64/ld-*`.',
      'Ship a build for that C library, or a static one, with a manifest signed for it.',
      'Before the next image: `edged precheck --config F --root DIR --plan`.',
    ],
  },
  'inspection.clock_implausible': {
    meaning:
      'Nobody has set the clock in this boot. With `floor`, it is before the build, a record of ' +
      "a synchronised clock or systemd's clock file, or years after them: precheck then uses " +
      'the latest time that has passed for certain; good certificates are not refused, but one ' +
      'that has ended since then may pass. With `recorded`, it is before a record whose own ' +
      'clock nobody had set: now or then it was wrong, and precheck believes what it shows. ' +
      'Usually the battery of the clock is empty, or there is none.',
    repair: [
      'Look: `date -u`, `timedatectl`, `hwclock --show`.',
      "Set it: `timedatectl set-time 'YYYY-MM-DD hh:mm:ss'`, or let a time service do so: " +
        '`timedatectl set-ntp true`.',
      'Keep it over a reboot: `hwclock --systohc`.',
    ],
  },
  'inspection.certificate_expires': {
    meaning:
      "The node's certificate is still good, but will be refused by precheck before long. An " +
      'agent that was not renewed in time does not start at the next boot.',
    repair: [
      'Look: `openssl x509 -in CERT -noout -dates`.',
      'Install a new pair; or where transport.ca_key_file is configured: `edged precheck ' +
        '--config F --rotate-certs`.',
      'Let precheck do so by itself: transport.ca_key_file in F, and the drop-in ' +
        'certificate-rotation.conf for the unit.',
    ],
  },
  'inspection.no_verdict': {
    meaning:
      'No precheck of this boot has left a result: it was not started, was held up by a unit ' +
      'before it, or was cut off before its end. Nobody can say whether the agent may run.',
    repair: [
      'See what systemd says: `systemctl status edged-precheck`, `journalctl -b -u ' +
        'edged-precheck`.',
      'See what it waits for: `systemctl list-jobs`, `systemctl --failed`.',
      'Start it: `systemctl start edged-precheck && systemctl start edged`.',
    ],
  },
  'inspection.unit_missing': {
    meaning:
      'systemd does not know one of the units that keep the agent from starting without a ' +
      'precheck. Usually they lay in /etc of the old OS and are not part of the new image.',
    repair: [
      "Look: `systemctl list-unit-files 'edged*'`.",
      'Install the package, or from a checkout: `sh systemd/install --prefix /usr ' +
        '--state-root /data/edged`; best in the image.',
      'Then: `systemctl daemon-reload`.',
    ],
  },
  'inspection.unit_disabled': {
    meaning:
      'The unit is installed, but nothing starts it at boot. Usually a new image brings the ' +
      'unit without its preset.',
    repair: [
      'Look: `systemctl is-enabled edged-precheck edged`.',
      'Enable it: `systemctl enable UNIT`, and in the image by a preset: `systemctl preset ' +
        'UNIT`.',
    ],
  },
} as const satisfies Record<keyof typeof inspectionFailures, Explanation>;
