/**
 * Every key of `edge.toml`, with its type and range (spec section 3). precheck uses
 * `identity.edge_domain_id`, `transport`, `state_root` and the optional sections at the end;
 * the rest is the agent's, and is checked because an agent that is started with
 * a broken config is a truck roll too.
 */
import * as v from 'valibot';
import { daysLeft, defaults } from '../defaults.ts';

const text = v.pipe(v.string('a text'), v.regex(/^\P{Cc}{1,4096}$/u, 'a text, not empty'));
const count = v.pipe(
  v.number('a whole number from 1'),
  v.safeInteger('a whole number from 1'),
  v.minValue(1, 'a whole number from 1'),
);
const countFromZero = v.pipe(
  v.number('a whole number from 0'),
  v.safeInteger('a whole number from 0'),
  v.minValue(0, 'a whole number from 0'),
);
const seconds = v.pipe(
  v.number('seconds, above 0'),
  v.finite('seconds, above 0'),
  v.gtValue(0, 'seconds, above 0'),
);
const days = v.pipe(
  v.number('days, from 0 to 3650'),
  v.minValue(daysLeft[0], 'days, from 0 to 3650'),
  v.maxValue(daysLeft[1], 'days, from 0 to 3650'),
);
const fraction = v.pipe(
  v.number('a number above 0, at most 1'),
  v.gtValue(0, 'a number above 0, at most 1'),
  v.maxValue(1, 'a number above 0, at most 1'),
);
const oneOf = <const Option extends string>(...options: Option[]) =>
  v.picklist(options, `one of: ${options.join(', ')}`);
const imageFile = v.pipe(
  v.string('an absolute path'),
  v.regex(/^(?:\/[^/\p{Cc}]+)+$/u, 'an absolute path'),
  v.maxLength(4096, 'an absolute path'),
);
/** Of the config and of the API. */
export const fingerprintProfile = oneOf('classic', 'image');
export const fingerprintFiles = v.pipe(v.array(imageFile, 'a list'), v.maxLength(64, 'at most 64'));
const listenAddress = v.pipe(
  v.string('HOST:PORT, such as 0.0.0.0:8443'),
  v.check(isListenAddress, 'HOST:PORT, such as 0.0.0.0:8443'),
);

export const configSchema = v.strictObject({
  schema: oneOf('v1'),
  identity: v.strictObject({
    edge_domain_id: text,
    fleet_salt: v.pipe(
      v.string('64 hexadecimal digits'),
      v.regex(/^[0-9a-f]{64}$/i, '64 hexadecimal digits'),
    ),
  }),
  storage: v.strictObject({
    local_root: text,
    disk_ceiling_bytes: count,
    eviction_threshold_fraction: fraction,
  }),
  assurance: v.strictObject({
    mode: oneOf('baseline', 'high_durability'),
    memory_ceiling_bytes: count,
  }),
  transport: v.strictObject({
    listen_addr: listenAddress,
    cert_file: text,
    key_file: text,
    ca_file: text,
    ca_key_file: v.optional(text),
    handshake_timeout_seconds: seconds,
  }),
  quota: v.strictObject({
    max_active_peers: count,
    ingest_bytes_per_peer_per_window: count,
    window_seconds: seconds,
  }),
  retry: v.strictObject({
    max_retry_count: countFromZero,
    backoff_base_seconds: seconds,
    window_seconds: seconds,
  }),
  scheduler: v.strictObject({
    max_concurrent_relays: count,
    schedule_interval_seconds: seconds,
    max_segments_per_scheduling_round: count,
    tie_break_comparator: oneOf('lex_segment_id'),
  }),
  eviction: v.strictObject({
    policy: oneOf('lru_priority'),
    max_eviction_batch_size: count,
    retention_window_seconds: seconds,
  }),
  metrics: v.strictObject({
    log_level: oneOf('debug', 'info', 'warn', 'error'),
    log_format: oneOf('text', 'json'),
  }),
  state_root: v.strictObject({
    root: text,
    allow_root_filesystem: v.optional(v.boolean('true or false'), false),
    expected_uuid: v.optional(text),
    expected_label: v.optional(text),
  }),
  certificate: v.optional(
    v.strictObject({
      fail_within_days: v.optional(days, defaults.failWithinDays),
      warn_within_days: v.optional(days),
    }),
  ),
  trust: v.optional(
    v.strictObject({
      verify_key_digest: v.optional(
        v.pipe(v.string('64 hexadecimal digits'), v.regex(/^[0-9a-f]{64}$/, '64 hex digits')),
      ),
      require_keyring: v.optional(v.boolean('true or false'), false),
    }),
  ),
  fingerprint: v.optional(
    v.strictObject({
      profile: v.optional(fingerprintProfile, 'classic'),
      files: v.optional(fingerprintFiles, []),
    }),
  ),
  time: v.optional(v.strictObject({ synchronized_marker: v.optional(text) })),
});

export type Config = v.InferOutput<typeof configSchema>;

/** Dotted paths whose value is never shown, logged or kept. */
export const secretKeys: ReadonlySet<string> = new Set(['identity.fleet_salt']);

function isListenAddress(address: string): boolean {
  const port = /^(?:\[[0-9a-f:.%]+\]|[^\s:[\]]*):(\d{1,5})$/i.exec(address)?.[1];
  return port !== undefined && Number(port) <= 65_535;
}
