/** Pages for the reasons of the certificate gate (exit 3). */
import type { certificateFailures } from '@edged/model/failures/certificate';
import { type Explanation, runAgain } from './explanation.ts';

export const certificateExplanations = {
  'certificate.unreadable': {
    meaning:
      'A PEM file of the section transport could not be read: `file` and `errno` say which ' +
      'and why (ENOENT missing, EACCES rights, EFBIG over 1 MiB). The agent could not talk to ' +
      'anybody. A relative path in the config counts from the directory of the config. ' +
      'Usually the file lay on the root filesystem and went with the old OS.',
    repair: [
      "See the paths: `grep -A6 '^transport' F`.",
      'Look: `ls -l FILE`, `findmnt -T FILE`.',
      'Put it back, best onto the persistent partition, in /data/edged/identity, and correct ' +
        'the path.',
      runAgain,
    ],
  },
  'certificate.malformed': {
    meaning:
      '`file` was read, but holds no certificate that can be used; `found` says why. It may ' +
      'be DER instead of PEM, the key in place of the certificate, or torn by a power cut ' +
      'while another program wrote it. A certificate whose end lies before its beginning is ' +
      'refused here too.',
    repair: [
      'Look: `head -c 100 FILE`, `openssl x509 -in FILE -noout -subject -dates`.',
      'Make PEM of DER: `openssl x509 -inform DER -in FILE -out FILE.pem`.',
      "Where transport.ca_key_file is configured and only the node's certificate is torn, " +
        'restore the old one first: a new one is issued from it.',
      runAgain,
    ],
  },
  'certificate.key_malformed': {
    meaning:
      '`file` was read, but holds no private key; `found` is what OpenSSL says of it. It may ' +
      'be DER instead of PEM, a public key or a certificate, or torn by a power cut.',
    repair: [
      'Look at its first line only: `head -1 FILE`. It must be `-----BEGIN … PRIVATE ' +
        'KEY-----`.',
      'Let OpenSSL judge it: `openssl pkey -in FILE -noout`.',
      'Make PEM of DER: `openssl pkey -inform DER -in FILE -out FILE.pem && chmod 600 ' +
        'FILE.pem`.',
      runAgain,
    ],
  },
  'certificate.key_encrypted': {
    meaning:
      '`file` holds a key that is locked with a passphrase. precheck and the agent start with ' +
      "nobody there to type it. Usually the key was made with the defaults of a CA's tool.",
    repair: [
      'Take the passphrase off, best where the key was made: `openssl pkey -in FILE -out ' +
        'FILE.new`.',
      'Keep it from others: `chmod 600 FILE.new && mv FILE.new FILE`.',
      'Where it must not lie on the disk in clear, hand it over as a systemd credential ' +
        '(LoadCredentialEncrypted=).',
      runAgain,
    ],
  },
  'certificate.key_mismatch': {
    meaning:
      'The key in `key` is not the one that the certificate in `cert` was issued for; every ' +
      'handshake of the agent would fail. Usually a renewal brought only one of the two ' +
      'files, or they are of two devices.',
    repair: [
      'Compare the two public keys: `openssl x509 -in CERT -noout -pubkey | sha256sum`, ' +
        '`openssl pkey -in KEY -pubout | sha256sum`.',
      'See which file is the newer one: `ls -l --time-style=full-iso CERT KEY`.',
      'Install the missing half of the pair.',
      runAgain,
    ],
  },
  'certificate.ca_mismatch': {
    meaning:
      'No certificate of the CA file (`ca`) has issued the one in `cert`, neither itself nor ' +
      'by the intermediates that stand in `cert`; `issuer` is whom the certificate names. ' +
      'Peers would not accept it. Usually an intermediate is missing, or the CA was replaced ' +
      'on one side only.',
    repair: [
      'Compare the names: `openssl x509 -in CERT -noout -issuer`, `openssl x509 -in CA -noout ' +
        '-subject`.',
      'Let OpenSSL judge the chain: `openssl verify -CAfile CA -untrusted CERT CERT`.',
      'Append the missing intermediate to CERT, or install the right CA.',
      runAgain,
    ],
  },
  'certificate.not_yet_valid': {
    meaning:
      'The clock was set by a time service in this boot (`time_verdict` is synchronised), and ' +
      "it shows `now`, which is before `not_before`. `subject` says whether it is the node's " +
      'certificate or one of its issuers. A clock that nobody has set gives only a warning. ' +
      'Usually the certificate was issued by a machine whose clock ran ahead.',
    repair: [
      'Look at both: `date -u`, `timedatectl`, `openssl x509 -in CERT -noout -subject -dates`.',
      'If the clock is wrong, see whom it is set by: `timedatectl timesync-status`.',
      'If the certificate begins later, wait until then, or install one that is valid now.',
      runAgain,
    ],
  },
  'certificate.expired': {
    meaning:
      '`not_after` lies before `now`; `time_verdict` says where that time comes from ' +
      '(floor: a clock that nobody has set, but that is plausible), and `subject` whether ' +
      "it is the node's certificate or one of its issuers. Peers would refuse it. Usually " +
      'nothing renews it, or the device lay in a store for long.',
    repair: [
      'Look at both: `date -u`, `openssl x509 -in CERT -noout -subject -dates`.',
      "If the clock is wrong (`time_verdict` is floor): `timedatectl set-time 'YYYY-MM-DD " +
        "hh:mm:ss'`.",
      'Install a new certificate and key, issuers included.',
      'To let precheck renew it in time: transport.ca_key_file in F, and the drop-in ' +
        'certificate-rotation.conf for the unit.',
      runAgain,
    ],
  },
  'certificate.expires_soon': {
    meaning:
      "The node's certificate ends at `not_after`, in `days_left` days: no more than " +
      'certificate.fail_within_days (`limit_days`), which is 7 where the config does not say; ' +
      'the message says 7 in any case. A device that is refused a week early can still be ' +
      'reached and repaired; one whose certificate has ended cannot. Usually the renewal ' +
      'that should have come did not.',
    repair: [
      'Look: `openssl x509 -in CERT -noout -dates`, `date -u`.',
      'Install a new certificate and key.',
      'To let precheck renew it in time: transport.ca_key_file in F, and the drop-in ' +
        'certificate-rotation.conf for the unit.',
      'To be warned earlier: certificate.warn_within_days in F.',
      runAgain,
    ],
  },
  'certificate.rotation_failed': {
    meaning:
      'A new certificate was asked for by --rotate-certs, or was due, and could not be issued ' +
      'or put in place; `found` says why, with the attributes of the cause. The new pair is ' +
      'judged before anything is written, and the old pair stands as it was. Usually the CA ' +
      'key is missing or of another CA, the CA itself is about to end, or the sandbox of the ' +
      'unit does not let precheck write where the certificate lies.',
    repair: [
      'Look when the CA ends: `openssl x509 -in CA -noout -subject -dates`.',
      'Compare it with its key: `openssl x509 -in CA -noout -pubkey | sha256sum`, `openssl ' +
        'pkey -in CA_KEY -pubout | sha256sum`.',
      'On EROFS, EACCES or EPERM under systemd let the unit write there: ' +
        '`systemctl edit --runtime edged-precheck`, with `ReadWritePaths=DIR` under `[Service]`; ' +
        'for good it is the drop-in certificate-rotation.conf.',
      'Rehearse: `edged precheck --config F --rotate-certs --dry-run`.',
      runAgain,
    ],
  },
} as const satisfies Record<keyof typeof certificateFailures, Explanation>;
