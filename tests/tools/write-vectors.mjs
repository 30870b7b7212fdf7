/**
 * Writes tests/vectors: `node tests/tools/write-vectors.mjs`. Deterministic; a vector that was found
 * elsewhere (by a fuzzer, on a device) is added by hand beside these and stays.
 *
 * The signature vectors are made by arithmetic on the curve: there is no other way to get a
 * signature whose R is a point of order 8.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as ed from '@noble/ed25519';

const top = fileURLToPath(new URL('../vectors', import.meta.url));
const sha512 = (...parts) => createHash('sha512').update(Buffer.concat(parts)).digest();
ed.hashes.sha512 = (message) => new Uint8Array(sha512(message));

const { Point } = ed;
const order = Point.CURVE().n;
const hex = (bytes) => Buffer.from(bytes).toString('hex');
const littleEndian = (bytes) => BigInt(`0x${hex(Buffer.from(bytes).toReversed())}`);
const scalarBytes = (scalar) =>
  Buffer.from(scalar.toString(16).padStart(64, '0'), 'hex').toReversed();
const seedOf = (n) => new Uint8Array(32).fill(n);
const keyOf = (n) => ed.getPublicKey(seedOf(n));
const sign = (message, n) => hex(ed.sign(Buffer.from(message), seedOf(n)));

function write(kind, name, head, body) {
  const lines = Object.entries(head).flatMap(([key, value]) =>
    (Array.isArray(value) ? value : [value]).map((each) => `${key}: ${each}`),
  );
  const text = Buffer.from(`${lines.join('\n')}\n\n`);
  fs.mkdirSync(path.join(top, kind), { recursive: true });
  fs.writeFileSync(path.join(top, kind, name), Buffer.concat([text, Buffer.from(body)]));
}

// --- signatures -------------------------------------------------------------------------------

const message = '{"version":"1","operations":[]}';
const bytes = Buffer.from(message);
const secret = (() => {
  const digest = Buffer.from(sha512(seedOf(1)).subarray(0, 32));
  digest[0] &= 248;
  digest[31] = (digest[31] & 127) | 64;
  return littleEndian(digest) % order;
})();
const publicKey = keyOf(1);
const honest = ed.sign(bytes, seedOf(1));
/** Points of order 8, 4, 2, 1 in their canonical encodings. */
const torsion = Point.fromHex(
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  true,
);
const orderFour = torsion.add(torsion);
const neutral = Point.ZERO;
const challenge = (r, a) => littleEndian(sha512(r, a, bytes)) % order;
/** A signature with this encoding of R = rB + extra, for the key with this secret. */
const forged = (rScalar, extra, keyBytes = publicKey, encode = (point) => point.toBytes()) => {
  const base = rScalar === 0n ? neutral : Point.BASE.multiply(rScalar);
  const r = encode(base.add(extra));
  const s = (rScalar + challenge(r, keyBytes) * secret) % order;
  return hex(Buffer.concat([r, scalarBytes(s)]));
};
const withS = (change) =>
  hex(Buffer.concat([honest.subarray(0, 32), change(littleEndian(honest.subarray(32)))]));
const flip = (signature, bit) => {
  const copy = Buffer.from(signature);
  copy[bit >> 3] ^= 1 << (bit & 7);
  return hex(copy);
};
const mixedKey = Point.BASE.multiply(secret).add(torsion).toBytes();
const nonCanonicalNeutral = Buffer.from(`ee${'ff'.repeat(30)}7f`, 'hex');
const zeros = (count) => '00'.repeat(count);
const good = hex(publicKey);
const refused = 'manifest.signature_invalid';
const badKey = 'manifest.verify_key_invalid';

const signatures = {
  honest: ['accepted', good, hex(honest), 'as RFC 8032 makes it'],
  'bit-of-r': [refused, good, flip(honest, 3), 'one bit of R'],
  'bit-of-s': [refused, good, flip(honest, 300), 'one bit of S'],
  'sign-bit-of-r': [refused, good, flip(honest, 255), 'R with the other sign of x'],
  's-plus-order': [refused, good, withS((s) => scalarBytes(s + order)), 'S + L: malleable'],
  's-plus-eight-orders': [refused, good, withS((s) => scalarBytes(s + 8n * order)), 'S + 8 L'],
  's-all-ones': [refused, good, withS(() => Buffer.alloc(32, 0xff)), 'S = 2^256 - 1'],
  'zero-signature': [refused, good, zeros(64), 'R and S all zero, a good key'],
  'r-neutral': [refused, good, forged(0n, neutral), 'R is the neutral element; S = kA still fits'],
  'r-order-4': [refused, good, forged(0n, orderFour), 'R of order 4, S = k a'],
  'r-order-8': [refused, good, forged(0n, torsion), 'R of order 8, S = k a'],
  'r-mixed-order': [
    refused,
    good,
    forged(5n, torsion),
    'R = rB + T: holds only times the cofactor',
  ],
  'r-neutral-not-canonical': [
    refused,
    good,
    forged(0n, neutral, publicKey, () => nonCanonicalNeutral),
    'R is the neutral element, y encoded as p + 1',
  ],
  'key-zero-signature-zero': [badKey, zeros(32), zeros(64), 'what a power cut leaves of both'],
  'key-neutral': [badKey, `01${zeros(31)}`, `01${zeros(63)}`, 'A is the neutral element'],
  'key-neutral-negative-zero': [badKey, `01${zeros(30)}80`, `01${zeros(63)}`, 'x = 0 with a sign'],
  'key-order-2': [badKey, `ec${'ff'.repeat(30)}7f`, zeros(64), 'A of order 2'],
  'key-order-4': [badKey, hex(orderFour.toBytes()), zeros(64), 'A of order 4'],
  'key-order-8': [badKey, hex(torsion.toBytes()), zeros(64), 'A of order 8'],
  'key-not-canonical': [badKey, hex(nonCanonicalNeutral), `01${zeros(63)}`, 'y of A is p + 1'],
  'key-mixed-order': [badKey, hex(mixedKey), forged(7n, neutral, mixedKey), 'A = aB + T'],
  'key-no-point': [badKey, `02${zeros(31)}`, zeros(64), 'no x for this y'],
};
for (const [name, [expect, key, signature, comment]] of Object.entries(signatures)) {
  write('signature', name, { expect, comment, key, signature }, bytes);
}

// --- manifests and paths ----------------------------------------------------------------------

const copy = { op: 'copy_binary', src: 'runtime/binaries/agent', dst: 'runtime/bin/agent' };
const manifestOf = (operations, more = {}) => JSON.stringify({ version: '1', operations, ...more });
const invalid = 'manifest.invalid';
const manifests = {
  'no-operations': ['accepted', manifestOf([])],
  'every-field': [
    'accepted',
    manifestOf([{ ...copy, hash: `blake3:${'ab'.repeat(32)}`, mode: '0755', executable: true }], {
      binary_path: 'edged',
      serial: 7,
      issued_at: '2027-01-01T00:00:00Z',
      not_after: '2028-01-01T00:00:00Z',
      audience: ['edge-001', 'press-*'],
      max_boots_since_accept: 100,
      max_epochs: 3,
    }),
  ],
  'verify-config': [
    'accepted',
    manifestOf([{ op: 'verify_config', src: 'bootstrap/config.yaml' }]),
  ],
  'binary-path-from-the-state-root': [
    'accepted',
    manifestOf([], { binary_path: 'runtime/binaries/edged' }),
  ],
  'binary-path-of-2000-bytes': [invalid, manifestOf([], { binary_path: 'x/'.repeat(999) + 'xx' })],
  'binary-path-name-of-256-bytes': [invalid, manifestOf([], { binary_path: 'x'.repeat(256) })],
  'serial-negative': [invalid, manifestOf([], { serial: -1 })],
  'serial-over-2-53': [invalid, '{"version":"1","operations":[],"serial":9007199254740993}'],
  'serial-as-text': [invalid, manifestOf([], { serial: '7' })],
  'not-after-without-zone': [invalid, manifestOf([], { not_after: '2027-01-01T00:00:00' })],
  'not-after-february-30': [invalid, manifestOf([], { not_after: '2027-02-30T00:00:00Z' })],
  'audience-empty': [invalid, manifestOf([], { audience: [] })],
  'max-boots-zero': [invalid, manifestOf([], { max_boots_since_accept: 0 })],
  'unknown-field': [invalid, manifestOf([], { comment: 'x' })],
  'unknown-operation': [invalid, manifestOf([{ op: 'exec', src: 'x' }])],
  'duplicate-key': [invalid, '{"version":"1","operations":[],"operations":[]}'],
  'duplicate-key-escaped': [invalid, '{"version":"1","operations":[],"\\u006fperations":[]}'],
  'duplicate-key-in-operation': [
    invalid,
    `{"version":"1","operations":[{"op":"copy_binary","src":"a","src":"b","dst":"c"}]}`,
  ],
  'proto-key': [invalid, '{"version":"1","operations":[],"__proto__":{"x":1}}'],
  'byte-order-mark': [invalid, Buffer.concat([Buffer.from('efbbbf', 'hex'), bytes])],
  'not-utf-8': [
    invalid,
    Buffer.concat([bytes.subarray(0, 30), Buffer.from([0xff]), Buffer.from('}')]),
  ],
  'trailing-zero-bytes': [invalid, Buffer.concat([bytes, Buffer.alloc(512)])],
  truncated: [invalid, bytes.subarray(0, 20)],
  empty: [invalid, ''],
  'mode-setuid': [invalid, manifestOf([{ ...copy, mode: '4755' }])],
  'xattr-capability': [invalid, manifestOf([{ ...copy, xattrs: { 'security.capability': '00' } }])],
};
for (const [name, [expect, body]] of Object.entries(manifests)) {
  write('manifest', name, { expect }, body);
}

const dst = (to) => manifestOf([{ ...copy, dst: to }]);
const src = (from) => manifestOf([{ ...copy, src: from }]);
const [outside, taken, bad] = [
  'operation.dst_outside',
  'operation.dst_protected',
  'operation.path_forbidden',
];
const paths = {
  plain: ['accepted', dst('runtime/bin/agent')],
  absolute: ['accepted', dst('/data/edged/runtime/bin/agent')],
  'dots-that-stay-inside': ['accepted', dst('runtime/./x/../bin//agent')],
  'name-of-255-bytes': ['accepted', dst(`runtime/${'n'.repeat(255)}`)],
  'name-of-256-bytes': [bad, dst(`runtime/${'n'.repeat(256)}`)],
  'dots-that-lead-out': [outside, dst('runtime/../../agent')],
  'absolute-outside': [outside, dst('/usr/bin/agent')],
  'a-prefix-of-the-root': [outside, dst('/data/edged-evil/agent')],
  identity: [taken, dst('identity/manifest-verify.pub')],
  'identity-in-capitals': [taken, dst('Identity/x')],
  'identity-full-width': [taken, dst('\uff49dentity/x')],
  'in-the-way-of-epoch': [taken, dst('epoch')],
  'signature-of-the-manifest': [taken, dst('runtime/manifest.json.sig.other')],
  'state-root-itself': [taken, dst('/data/edged')],
  semicolon: [bad, dst('runtime/bin/a;b')],
  newline: [bad, dst('runtime/bin/a\nb')],
  nul: [bad, dst('runtime/bin/a\0b')],
  'next-line': [bad, dst('runtime/bin/a\u0085b')],
  'right-to-left-override': [bad, dst('runtime/bin/\u202egpj.sh')],
  'zero-width-joiner': [bad, dst('runtime/bin/a\u200db')],
  'lone-surrogate': [bad, dst('runtime/bin/\ud800')],
  'forty-names': [bad, dst(`runtime/${'d/'.repeat(40)}x`)],
  'src-outside-binaries': ['operation.src_outside', src('runtime/manifest.json')],
  'src-dots': ['operation.src_outside', src('runtime/binaries/../../identity/x')],
};
for (const [name, [expect, body]] of Object.entries(paths)) {
  write('path', name, { expect, 'state-root': '/data/edged' }, body);
}

// --- keyrings and their updates ---------------------------------------------------------------

const both = ['manifest', 'keyring'];
const entry = (n, roles = ['manifest']) => ({ public_key: hex(keyOf(n)), roles });
const ringOf = (keys, more = {}) => JSON.stringify({ schema: 'edged.keyring.v1', keys, ...more });
const badRing = 'trust.keyring_invalid';
const keyrings = {
  'one-key': ['accepted', ringOf([entry(1)])],
  'no-keys': ['accepted', ringOf([])],
  'two-of-three': [
    'accepted',
    ringOf([entry(1), entry(2), entry(3)], { thresholds: { manifest: 2 }, minimum_serial: 4 }),
  ],
  'threshold-zero': [badRing, ringOf([entry(1)], { thresholds: { manifest: 0 } })],
  'version-zero': [badRing, ringOf([entry(1)], { version: 0 })],
  'unknown-role': [badRing, ringOf([entry(1, ['root'])])],
  'no-role': [badRing, ringOf([entry(1, [])])],
  'key-in-capitals': [badRing, ringOf([{ public_key: hex(keyOf(1)).toUpperCase() }])],
  'key-of-small-order': [badRing, ringOf([{ public_key: zeros(32) }])],
  'revoked-by-name': [badRing, ringOf([entry(1)], { revoked: ['release'] })],
  'other-schema': [badRing, '{"schema":"edged.keyring.v2","keys":[]}'],
  'duplicate-key': [badRing, '{"schema":"edged.keyring.v1","keys":[],"keys":[]}'],
};
for (const [name, [expect, body]] of Object.entries(keyrings)) {
  write('keyring', name, { expect }, body);
}

const refusedUpdate = 'trust.update_refused';
const anchor = ringOf([entry(1, both), entry(2, both)], { thresholds: { keyring: 2 } });
const next = ringOf([entry(3, both)], { version: 2 });
const skip = ringOf([entry(3, both)], { version: 3 });
const same = ringOf([entry(3, both)], { version: 1 });
const weaker = ringOf([entry(3, ['manifest'])], { version: 2 });
const update = (name, expect, body, signers, comment) =>
  write(
    'keyring-update',
    name,
    { expect, comment, anchor, signature: signers.map((n) => sign(body, n)) },
    body,
  );
update('both-and-its-own', 'accepted', next, [1, 2, 3], 'two old keys and the new one');
update('one-old-key', refusedUpdate, next, [1, 3], 'one of two');
update('one-old-key-twice', refusedUpdate, next, [1, 1, 3], 'a key counts once');
update('not-its-own', refusedUpdate, next, [1, 2], 'nobody has shown the new key');
update('only-its-own', refusedUpdate, next, [3], 'what an attacker would do');
update('a-version-left-out', refusedUpdate, skip, [1, 2, 3], 'version 3 after 1');
update('the-same-version', refusedUpdate, same, [1, 2, 3], 'version 1 after 1');
update('no-key-for-the-next', refusedUpdate, weaker, [1, 2, 3], 'no own key of role keyring');

// --- acceptance: rollback, expiry, audience, freshness ----------------------------------------

const hash = 'ab'.repeat(32);
const memory = { manifest_hash: 'cd'.repeat(32), accepted_epoch: 1, highest_serial: 7 };
const now = '2027-06-01T00:00:00Z';
const plain = { manifest_hash: hash, boot_epoch: 4, edge_domain_id: 'edge-001', now };
const acceptance = (name, expect, more, at = {}) =>
  write(
    'acceptance',
    name,
    { expect, circumstances: JSON.stringify({ ...plain, ...at }) },
    manifestOf([], more),
  );
acceptance('nothing-remembered', 'accepted', {});
acceptance('same-serial', 'accepted', { serial: 7 }, { memory });
acceptance('higher-serial', 'accepted', { serial: 8 }, { memory });
acceptance('lower-serial', 'manifest.rolled_back', { serial: 6 }, { memory });
acceptance('serial-left-out', 'manifest.rolled_back', {}, { memory });
acceptance(
  'below-the-keyring',
  'manifest.rolled_back',
  { serial: 8 },
  { memory, minimum_serial: 9 },
);
acceptance('not-yet-expired', 'accepted', { not_after: now });
acceptance('expired', 'manifest.expired', { not_after: '2027-05-31T23:59:59Z' });
acceptance('audience-named', 'accepted', { audience: ['edge-001'] });
acceptance('audience-glob', 'accepted', { audience: ['press-*', 'edge-0?1'] });
acceptance('audience-other', 'manifest.wrong_audience', { audience: ['edge-002'] });
acceptance('audience-prefix', 'manifest.wrong_audience', { audience: ['edge-00'] });
acceptance('audience-case', 'manifest.wrong_audience', { audience: ['EDGE-001'] });
const again = { memory: { manifest_hash: hash, accepted_epoch: 3 } };
acceptance('second-of-two-epochs', 'accepted', { max_epochs: 2 }, again);
acceptance('third-of-two-epochs', 'manifest.stale', { max_epochs: 2 }, { ...again, boot_epoch: 5 });
acceptance('last-boot', 'accepted', { max_boots_since_accept: 5 }, { ...again, boots: 5 });
acceptance(
  'one-boot-more',
  'manifest.stale',
  { max_boots_since_accept: 5 },
  { ...again, boots: 6 },
);
acceptance('count-of-boots-lost', 'manifest.stale', { max_boots_since_accept: 5 }, again);
acceptance(
  'another-manifest-before',
  'accepted',
  { max_epochs: 1 },
  { memory: { ...memory, highest_serial: undefined } },
);
