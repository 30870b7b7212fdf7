/**
 * A complete config (spec section 3). The `edge.toml` that holds YAML is a fact of the original.
 */
export function exampleConfig(stateRoot: string, certificates: string): string {
  return `schema: v1
identity:
  edge_domain_id: edge-001
  fleet_salt: "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
storage:
  local_root: ${stateRoot}/edge
  disk_ceiling_bytes: 1073741824
  eviction_threshold_fraction: 0.8
assurance:
  mode: baseline
  memory_ceiling_bytes: 268435456
transport:
  listen_addr: "127.0.0.1:8443"
  cert_file: ${certificates}/edge.crt
  key_file: ${certificates}/edge.key
  ca_file: ${certificates}/edge.crt
  handshake_timeout_seconds: 10
quota:
  max_active_peers: 64
  ingest_bytes_per_peer_per_window: 10485760
  window_seconds: 60
retry:
  max_retry_count: 5
  backoff_base_seconds: 2
  window_seconds: 300
scheduler:
  max_concurrent_relays: 4
  schedule_interval_seconds: 5
  max_segments_per_scheduling_round: 128
  tie_break_comparator: lex_segment_id
eviction:
  policy: lru_priority
  max_eviction_batch_size: 64
  retention_window_seconds: 86400
metrics:
  log_level: info
  log_format: json
state_root:
  root: ${stateRoot}
`;
}
