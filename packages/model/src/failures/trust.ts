/** Exit 5: the manifest, and whose word counts. */
import type { FailureKind } from '../failure.ts';

export const trustFailures = {
  'manifest.verify_key_missing': {
    gate: 'reconstruction',
    class: 'operator',
    message: 'precheck: manifest verify key missing on reconstruction path',
    remedy: 'Place the raw 32-byte Ed25519 public key at identity/manifest-verify.pub.',
  },
  'manifest.verify_key_invalid': {
    gate: 'reconstruction',
    class: 'operator',
    message: 'precheck: manifest verify key is not a usable Ed25519 public key',
    remedy: 'Restore identity/manifest-verify.pub: raw, exactly 32 bytes, a key you generated.',
  },
  'manifest.missing': {
    gate: 'reconstruction',
    class: 'operator',
    message: 'precheck: runtime manifest missing on reconstruction path',
    remedy: 'Ship runtime/manifest.json together with its signature.',
  },
  'manifest.unreadable': {
    gate: 'reconstruction',
    class: 'operator',
    message: 'precheck: runtime manifest, signature or key cannot be read',
    remedy: 'Make it a regular file of the expected size that edged may read.',
  },
  'manifest.signature_missing': {
    gate: 'reconstruction',
    class: 'operator',
    message: 'precheck: manifest signature missing on reconstruction path',
    remedy: 'Sign the manifest (`edged sign`) and ship runtime/manifest.json.sig beside it.',
  },
  'manifest.signature_invalid': {
    gate: 'reconstruction',
    class: 'permanent',
    message: 'precheck: manifest signature verification failed',
    remedy: 'Sign exactly these manifest bytes with the key whose public half is on the device.',
  },
  'manifest.invalid': {
    gate: 'reconstruction',
    class: 'permanent',
    message: 'precheck: runtime manifest is invalid',
    remedy: 'Correct the manifest as listed and sign it again (`edged verify` checks it).',
  },
  'manifest.signatures_too_few': {
    gate: 'reconstruction',
    class: 'permanent',
    message: 'precheck: fewer keys have signed the manifest than the keyring asks for',
    remedy: 'Let another key sign, and ship its signature as runtime/manifest.json.sig.NAME.',
  },
  'manifest.rolled_back': {
    gate: 'reconstruction',
    class: 'permanent',
    message: 'precheck: runtime manifest is older than one accepted before',
    remedy: 'Ship the newest manifest; to go back on purpose, sign the old one with a new serial.',
  },
  'manifest.expired': {
    gate: 'reconstruction',
    class: 'permanent',
    message: 'precheck: runtime manifest has expired',
    remedy: 'Sign the manifest again with a later not_after; check the clock.',
  },
  'manifest.wrong_audience': {
    gate: 'reconstruction',
    class: 'permanent',
    message: 'precheck: runtime manifest is for other devices',
    remedy: 'Ship a manifest whose audience names the edge_domain_id of this device.',
  },
  'manifest.stale': {
    gate: 'reconstruction',
    class: 'permanent',
    message: 'precheck: runtime manifest has served longer than its signer allows',
    remedy: 'Ship a newly signed manifest (any change of its bytes starts the count afresh).',
  },
  'trust.keyring_invalid': {
    gate: 'reconstruction',
    class: 'permanent',
    message: 'precheck: keyring cannot be used',
    remedy: 'Correct the keyring file; `edged keys list` shows what is read from where.',
  },
  'trust.keyring_required': {
    gate: 'reconstruction',
    class: 'operator',
    message: 'precheck: the config requires a keyring and none is installed',
    remedy: 'Install a keyring in /usr/lib/edged/keyring.d or /etc/edged/keyring.d.',
  },
  'trust.verify_key_unexpected': {
    gate: 'reconstruction',
    class: 'operator',
    message: 'precheck: manifest verify key is not the one that the config expects',
    remedy: 'Restore identity/manifest-verify.pub, or correct trust.verify_key_digest.',
  },
  'trust.update_refused': {
    gate: 'reconstruction',
    class: 'permanent',
    message: 'precheck: keyring update refused',
    remedy: 'Let enough keys of both keyrings sign it; try it first with `edged keys rehearse`.',
  },
  'trust.rolled_back': {
    gate: 'reconstruction',
    class: 'operator',
    message: 'precheck: keyring is older than one relied on before',
    remedy: 'Bring back the keyring of the image, and every version in identity/keyring/.',
  },
} as const satisfies Record<string, FailureKind>;
