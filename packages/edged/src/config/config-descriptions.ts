/**
 * What every key of the config is for, by its dotted path: the source of edged.toml(5) and of the
 * table in docs/reference/config.md. Loaded by no command. Type, range and default are not repeated
 * here: `config-reference.ts` reads them from the schema.
 */
export const configDescriptions: Readonly<Record<string, string>> = {
  schema: 'The form of the config.',
  'identity.edge_domain_id':
    'The name of this device; the `audience` of a manifest is held against it.',
  'identity.fleet_salt': 'A secret that the devices of a fleet share; never logged.',
  'storage.local_root': "Of the agent: the directory of the agent's own data.",
  'storage.disk_ceiling_bytes': 'Of the agent: the most bytes that it may keep on the disk.',
  'storage.eviction_threshold_fraction':
    'Of the agent: the part of the ceiling at which it begins to evict.',
  'assurance.mode': 'Of the agent: how much it does for durability.',
  'assurance.memory_ceiling_bytes': 'Of the agent: the most bytes of memory that it may take.',
  'transport.listen_addr': 'Of the agent: the address and port on which it listens.',
  'transport.cert_file': 'The certificate of this device: PEM; relative to the config file.',
  'transport.key_file':
    'The private key of that certificate, not encrypted: PEM; relative to the config file.',
  'transport.ca_file': 'The CA that issued the certificate: PEM; relative to the config file.',
  'transport.ca_key_file':
    'The key of the CA: PEM; relative to the config file. With it `precheck` issues a new ' +
    'certificate and key when the old one would warn or fail; `--rotate-certs` does so now.',
  'transport.handshake_timeout_seconds': 'Of the agent: how long a handshake may take.',
  'quota.max_active_peers': 'Of the agent: how many peers may be connected at once.',
  'quota.ingest_bytes_per_peer_per_window':
    'Of the agent: how many bytes it takes from one peer in one window.',
  'quota.window_seconds': 'Of the agent: the length of the window of that quota.',
  'retry.max_retry_count': 'Of the agent: how often something that failed is tried again.',
  'retry.backoff_base_seconds': 'Of the agent: the first pause before another try.',
  'retry.window_seconds': 'Of the agent: the time within which tries are counted.',
  'scheduler.max_concurrent_relays': 'Of the agent: how many relays run at once.',
  'scheduler.schedule_interval_seconds': 'Of the agent: the time between two scheduling rounds.',
  'scheduler.max_segments_per_scheduling_round':
    'Of the agent: how many segments one round hands out.',
  'scheduler.tie_break_comparator': 'Of the agent: which of two equal segments comes first.',
  'eviction.policy': 'Of the agent: what is evicted first.',
  'eviction.max_eviction_batch_size': 'Of the agent: how many segments are evicted at once.',
  'eviction.retention_window_seconds': 'Of the agent: how long a segment is kept at least.',
  'metrics.log_level': "The agent's; `precheck` obeys `--log-level` only.",
  'metrics.log_format': "The agent's; `precheck` obeys `--log-format` only.",
  'state_root.root': 'The state root, an absolute path; `EDGE_STATE_ROOT` overrides it.',
  'state_root.allow_root_filesystem':
    'If false, a state root in the tree that is mounted at `/` is refused, a bind mount of it ' +
    'included: an OS replacement would wipe it. Another subvolume is another tree.',
  'state_root.expected_uuid': 'The UUID of the filesystem that must be mounted there.',
  'state_root.expected_label': 'The label of the filesystem that must be mounted there.',
  'certificate.fail_within_days': 'Exit 3 when the certificate has no more than this left.',
  'certificate.warn_within_days': 'A warning when the certificate has no more than this left.',
  'trust.verify_key_digest':
    'BLAKE3 of `identity/manifest-verify.pub`, in lower case; another key is refused.',
  'trust.require_keyring': 'If true, nothing is reconstructed without a keyring.',
  'fingerprint.profile':
    '`image`: what the image itself states also counts: `roothash=`, `usrhash=` and a NixOS ' +
    '`init=` on the kernel command line, and the files below. For images that share os-release ' +
    'and kernel release. Turning it on is no OS replacement.',
  'fingerprint.files':
    'Files inside the image, 64 MiB each, that count for the fingerprint; with the profile ' +
    '`image` only.',
  'time.synchronized_marker':
    'A file that is there since a time service has set the clock; without the key ' +
    '`/run/systemd/timesync/synchronized`, which systemd-timesyncd alone makes. Where chrony or ' +
    'ntpd sets the clock, name a file that is made after `time-sync.target`: without it the ' +
    'clock counts as not synchronised, and a certificate that is not valid yet is never exit 3.',
};
