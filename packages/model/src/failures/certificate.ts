/** Exit 3: certificate, key and CA. */
import type { FailureKind } from '../failure.ts';

export const certificateFailures = {
  'certificate.unreadable': {
    gate: 'certificate',
    class: 'operator',
    message: 'precheck: certificate file cannot be read',
    remedy: 'Check transport.cert_file, key_file and ca_file: path and permissions.',
  },
  'certificate.malformed': {
    gate: 'certificate',
    class: 'operator',
    message: 'precheck: certificate file holds no usable certificate',
    remedy: 'Replace the file by a PEM-encoded X.509 certificate.',
  },
  'certificate.key_malformed': {
    gate: 'certificate',
    class: 'operator',
    message: 'precheck: private key file holds no usable key',
    remedy: 'Replace the file by a PEM-encoded private key (PKCS#8, PKCS#1 or SEC1).',
  },
  'certificate.key_encrypted': {
    gate: 'certificate',
    class: 'operator',
    message: 'precheck: private key is encrypted',
    remedy: 'Store the key unencrypted (mode 0600); nobody can type a passphrase at boot.',
  },
  'certificate.key_mismatch': {
    gate: 'certificate',
    class: 'operator',
    message: 'precheck: private key does not belong to the certificate',
    remedy: 'Install the key that the certificate was issued for, or a new pair of both.',
  },
  'certificate.ca_mismatch': {
    gate: 'certificate',
    class: 'operator',
    message: 'precheck: certificate was not issued by the configured CA',
    remedy: 'Install the issuing CA as transport.ca_file, or a certificate of that CA.',
  },
  'certificate.not_yet_valid': {
    gate: 'certificate',
    class: 'transient',
    message: 'precheck: certificate is not yet valid',
    remedy: 'Set the clock, or install a certificate whose validity has begun.',
  },
  'certificate.expired': {
    gate: 'certificate',
    class: 'operator',
    message: 'precheck: certificate has expired',
    remedy: 'Install a new certificate; check the clock if it should still be valid.',
  },
  'certificate.expires_soon': {
    gate: 'certificate',
    class: 'operator',
    message: 'precheck: certificate expires within 7 days',
    remedy: 'Renew the certificate now.',
  },
  'certificate.rotation_failed': {
    gate: 'certificate',
    class: 'operator',
    message: 'precheck: certificate rotation failed',
    remedy: 'Check transport.ca_key_file and ca_file; the old pair is as it was.',
  },
} as const satisfies Record<string, FailureKind>;
