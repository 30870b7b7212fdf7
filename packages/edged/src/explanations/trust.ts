/**
 * Pages for the reasons of the reconstruction gate (exit 5) about the manifest and whose word
 * counts.
 */
import type { trustFailures } from '@edged/model/failures/trust';
import { type Explanation, runAgain } from './explanation.ts';

export const trustExplanations = {
  'manifest.verify_key_missing': {
    meaning:
      'The OS was replaced (or the fingerprint lost), no keyring is installed, and the key ' +
      "that the manifest must be signed with is not at `file`. Without it nobody's signature " +
      'means anything, so nothing is installed. The key is not needed at a matching boot: it ' +
      'may have been missing for months.',
    repair: [
      'Look: `ls -l /data/edged/identity /usr/lib/edged/keyring.d /etc/edged/keyring.d`.',
      "Bring the fleet's public key from its records, never from the place that the manifest " +
        'came from: `install -m 0644 manifest-verify.pub ' +
        '/data/edged/identity/manifest-verify.pub`.',
      'Check: `edged verify --state-root /data/edged`.',
      runAgain,
    ],
  },
  'manifest.verify_key_invalid': {
    meaning:
      'identity/manifest-verify.pub is no public key that an honest key generation makes; ' +
      '`found` says why (its length, no point of the curve, a point of small order). With ' +
      'such a key anybody could sign. Usually a PEM, base64 or hex text stands where the raw ' +
      '32 bytes belong, or the file was torn.',
    repair: [
      'Count its bytes, which must be 32: `wc -c /data/edged/identity/manifest-verify.pub`.',
      'Make raw bytes of a PEM key: `openssl pkey -pubin -in key.pem -outform DER | tail -c ' +
        '32 > manifest-verify.pub`.',
      'Install it: `install -m 0644 manifest-verify.pub ' +
        '/data/edged/identity/manifest-verify.pub`.',
      'Check: `edged verify --state-root /data/edged`.',
      runAgain,
    ],
  },
  'manifest.missing': {
    meaning:
      'The OS was replaced (or the fingerprint lost), and runtime/manifest.json is not there: ' +
      'nothing says what the runtime is made of. A first run needs no manifest, so a device ' +
      'can live without one until its first OS update. Usually the runtime was never shipped, ' +
      'or was shipped only in part.',
    repair: [
      'Look: `ls -l /data/edged/runtime /data/edged/runtime/binaries`.',
      'Ship the manifest, its signature and the files that it names into runtime/binaries.',
      'Check: `edged verify --state-root /data/edged`.',
      runAgain,
    ],
  },
  'manifest.unreadable': {
    meaning:
      'The manifest, a signature or the verify key is there but cannot be read: `file`, ' +
      '`failed_call` and `errno` say which and why. ELOOP is a symlink, which is never ' +
      'followed here; EACCES the rights; EIO the disk; another errno often a directory or ' +
      'device in its place.',
    repair: [
      'Look: `ls -l /data/edged/runtime /data/edged/identity`.',
      'Put a regular file in place of a symlink: `cp --remove-destination "$(readlink -f ' +
        'FILE)" FILE`.',
      'On EIO: `dmesg | tail -50`.',
      'Check: `edged verify --state-root /data/edged`.',
      runAgain,
    ],
  },
  'manifest.signature_missing': {
    meaning:
      'runtime/manifest.json is there, but `file` is not. runtime/manifest.json.sig must ' +
      'always be there, whatever other signatures lie beside it. Usually the two files were ' +
      'shipped one after the other, and the device rebooted in between.',
    repair: [
      'Look: `ls -l /data/edged/runtime`.',
      'Ship the signature that was made for these bytes, or sign where the key is: `edged ' +
        'sign manifest.json --key K`.',
      'Check: `edged verify --state-root /data/edged`.',
      runAgain,
    ],
  },
  'manifest.signature_invalid': {
    meaning:
      'The signature does not hold for the bytes of the manifest and the keys that this ' +
      'device trusts. Nothing of it was parsed or copied. With a keyring, `found` tells a ' +
      "revoked key, a key without the role, and a stranger's; without one, only a wrong " +
      'length. Usually the manifest was changed after signing (an editor, line ends, a ' +
      'formatter), or is signed with a key of another fleet; it can be an attack.',
    repair: [
      'Keep both files until that is known: `cp -a /data/edged/runtime/manifest.json* /tmp/`.',
      'See whom the device trusts: `edged keys list --state-root /data/edged`, and the id of ' +
        'the key that should have signed: `edged keys id manifest-verify.pub`.',
      'A raw signature has 64 bytes: `wc -c /data/edged/runtime/manifest.json.sig`.',
      'Sign where the key is, `edged sign manifest.json --key K`, and ship both files ' +
        'unchanged; check with `edged verify --state-root /data/edged`.',
      runAgain,
    ],
  },
  'manifest.invalid': {
    meaning:
      'The signature holds, but the manifest breaks the rules: each log line is one ' +
      '`problem`, with its place in `at`. A manifest over 1 MiB and a duplicate key are ' +
      'refused here too. All of it is refused before anything is touched. It was signed with ' +
      'this mistake, so `edged sign` has warned of it.',
    repair: [
      'Correct every problem; `man edged-manifest` and docs/reference/manifest.md list all keys.',
      'Sign and ship it again: `edged sign manifest.json --key K`.',
      'Check on the device, or against a copy of its state root: `edged verify --state-root ' +
        '/data/edged`.',
      runAgain,
    ],
  },
  'manifest.signatures_too_few': {
    meaning:
      '`signatures` keys of the keyring have signed (`signed_by`), and it asks for `needed`. ' +
      'One key counts once, however often it signed; revoked keys and keys without the role ' +
      "manifest do not count. Usually one signer's file was not shipped.",
    repair: [
      'See the keys and the number asked for: `edged keys list --state-root /data/edged`.',
      'See the signatures that are there: `ls -l /data/edged/runtime/manifest.json.sig*`.',
      'Let another key sign: `edged sign manifest.json --key K2 --signature ' +
        'manifest.json.sig.NAME`.',
      'Rehearse: `edged keys rehearse --state-root /data/edged`.',
      runAgain,
    ],
  },
  'manifest.rolled_back': {
    meaning:
      'The manifest has the `serial` shown, and `lowest_allowed` is higher; `from` says ' +
      'whether a manifest accepted earlier or the keyring asks for that. An old manifest is ' +
      'validly signed, and could bring back a runtime with known holes. Once a serial was ' +
      'accepted, a manifest without one is refused. Usually an old image or a backup was ' +
      'restored.',
    repair: [
      'See what the device remembers: `edged keys list --state-root /data/edged`.',
      'Ship the newest manifest; or give the older one a serial of at least `lowest_allowed` ' +
        'and sign it: `edged sign manifest.json --key K`.',
      'Rehearse: `edged keys rehearse --state-root /data/edged --manifest next.json`.',
      runAgain,
    ],
  },
  'manifest.expired': {
    meaning:
      '`not_after` of the manifest lies before `now`, a time that has passed for certain. Its ' +
      'signer did not want it installed after that. Files that are installed already stay. ' +
      'Usually the device lay in a store, or its clock is wrong.',
    repair: [
      'Look at the clock: `date -u`, `timedatectl`.',
      "If it is wrong: `timedatectl set-time 'YYYY-MM-DD hh:mm:ss'`.",
      'If it is right, sign a manifest with a later not_after and ship it: `edged sign ' +
        'manifest.json --key K`.',
      'Check: `edged verify --state-root /data/edged`.',
      runAgain,
    ],
  },
  'manifest.wrong_audience': {
    meaning:
      'The manifest is signed, but none of the patterns in `audience` fits the ' +
      '`edge_domain_id` of this device. It was made for others. Usually a manifest of another ' +
      'customer or stage was shipped, or the id in the config is wrong.',
    repair: [
      'See the id: `grep edge_domain_id F`.',
      'See the audience: `grep -A5 audience /data/edged/runtime/manifest.json`.',
      'Ship the right manifest, or correct the id. Rehearse with that id: `edged verify ' +
        '--state-root /data/edged --edge-domain-id ID`.',
      runAgain,
    ],
  },
  'manifest.stale': {
    meaning:
      'These bytes have served as often as their signer allows: `epochs` against ' +
      '`max_epochs`, or `boots` against `max_boots_since_accept`. "the count is lost" ' +
      'counts as used up: whoever deletes the count must not gain boots. What is installed ' +
      'stays; it is only not installed anew.',
    repair: [
      'See since when it serves: `edged keys list --state-root /data/edged`.',
      'Sign and ship a new manifest; any change of its bytes will do: `edged sign ' +
        'manifest.json --key K`.',
      'Check: `edged verify --state-root /data/edged`.',
      runAgain,
    ],
  },
  'trust.keyring_invalid': {
    meaning:
      'A keyring file (`file`, `at`, `problem`) cannot be read, breaks the rules, holds a key ' +
      'that is none, or lies in the state root by way of a symlink. One bad file refuses all: ' +
      'skipping it could skip a revocation.',
    repair: [
      'See which files there are: `ls -l /usr/lib/edged/keyring.d /etc/edged/keyring.d ' +
        '/data/edged/identity/keyring`.',
      'Correct the file; `man edged-manifest` and docs/reference/keyring.md list all keys.',
      'Hide a bad file of the image until the next one: `: > /etc/edged/keyring.d/NAME.json`, ' +
        'with the same name, if the other files hold the keys that are needed.',
      'Check: `edged keys list --state-root /data/edged`.',
      runAgain,
    ],
  },
  'trust.keyring_required': {
    meaning:
      'The config says `trust.require_keyring: true`, and there is no keyring in the ' +
      'directories of `looked_in`, nor as a systemd credential. The key in the state root ' +
      'does not count then. Usually the new OS image forgot the keyring, which went with the ' +
      'old one.',
    repair: [
      'Look: `ls -l /usr/lib/edged/keyring.d /etc/edged/keyring.d`, `systemctl cat ' +
        'edged-precheck | grep -i credential`.',
      "Install the fleet's keyring: `install -D -m 0644 fleet.json " +
        '/etc/edged/keyring.d/fleet.json`, and put it into the image.',
      'Check: `edged keys list --state-root /data/edged`.',
      runAgain,
    ],
  },
  'trust.verify_key_unexpected': {
    meaning:
      'identity/manifest-verify.pub is a good key, but its BLAKE3 (`found`) is not the one ' +
      'that the config pins in trust.verify_key_digest (`expected`). Whoever could write the ' +
      'state root may have put a key of their own there. It may also be a change of keys that ' +
      'reached only one of the two files.',
    repair: [
      'Look at the file: `ls -l --time-style=full-iso /data/edged/identity`, `b3sum ' +
        '/data/edged/identity/manifest-verify.pub`.',
      "Compare its id with the fleet's records: `edged keys id " +
        '/data/edged/identity/manifest-verify.pub`.',
      "A stranger's key: keep it as evidence, then install the fleet's. A change of keys: " +
        'correct trust.verify_key_digest in F.',
      'Check: `edged keys list --state-root /data/edged`.',
      runAgain,
    ],
  },
  'trust.update_refused': {
    meaning:
      'An update in identity/keyring (`file`) does not follow from the keyring before it; ' +
      '`found` says why: its version is not the next one, or too few keys of role keyring ' +
      'have signed, by the keyring before it or by its own. A missing N.json.sig is refused ' +
      'too. Usually an update in between was not shipped.',
    repair: [
      'See what is there: `ls -l /data/edged/identity/keyring`, and the version to begin from: ' +
        '`grep version /usr/lib/edged/keyring.d/*.json /etc/edged/keyring.d/*.json`.',
      'Put back what is missing. Versions follow each other without a gap.',
      'Let the missing key sign: `edged sign N.json --key K --signature N.json.sig.NAME`.',
      'Rehearse: `edged keys rehearse --state-root /data/edged --keyring-update N.json`.',
      runAgain,
    ],
  },
  'trust.rolled_back': {
    meaning:
      'The keyring has a lower `version` than the one that was `relied_on_before`; or there ' +
      'is none, where one was. Keys that were revoked since would count again. Usually the ' +
      'new OS image carries an older keyring, or none, and the updates in identity/keyring ' +
      'were removed.',
    repair: [
      'See what is there: `ls -l /data/edged/identity/keyring /usr/lib/edged/keyring.d ' +
        '/etc/edged/keyring.d`.',
      'Put every update back, or install a keyring of at least that version in ' +
        '/etc/edged/keyring.d.',
      'Check: `edged keys list --state-root /data/edged`.',
      runAgain,
    ],
  },
} as const satisfies Record<keyof typeof trustFailures, Explanation>;
