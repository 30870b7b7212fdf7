/** A device in a temporary directory lives through an OS replacement, all in this process. */
import { generateKeyPairSync } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { loadSigningSeed, publicKeyOf, signBytes } from '@edged/model/manifest-signature';
import { issueSelfSigned } from '@edged/precheck/certificate/certificate-issue';
import { bootstrap, detectOsUpdate, precheck, verifyManifest } from 'edged';

const top = fs.mkdtempSync(path.join(os.tmpdir(), 'edged-example-'));
const write = (name, content) => {
  fs.mkdirSync(path.dirname(path.join(top, name)), { recursive: true });
  fs.writeFileSync(path.join(top, name), content);
};

// A state root with its seven directories. A temporary directory is no persistent partition.
const stateRoot = path.join(top, 'state-root');
fs.mkdirSync(stateRoot);
const place = { stateRoot, skipMountCheck: true };
const { created } = await bootstrap(place);
console.log(`bootstrap: ${created.length} directories`);

// A key, a runtime, and a manifest signed with the key.
const { privateKey } = generateKeyPairSync('ed25519');
const seed = loadSigningSeed(Buffer.from(privateKey.export({ format: 'jwk' }).d, 'base64url'));
const agent = { op: 'copy_binary', src: 'runtime/binaries/agent', dst: 'runtime/bin/agent' };
const manifest = Buffer.from(JSON.stringify({ version: '1', operations: [agent] }));
write('state-root/identity/manifest-verify.pub', publicKeyOf(seed));
write('state-root/runtime/binaries/agent', '#!/bin/sh\necho the agent\n');
write('state-root/runtime/manifest.json', manifest);
write('state-root/runtime/manifest.json.sig', signBytes(manifest, seed));

// A certificate, which is its own CA.
const { certificatePem, keyPem } = await issueSelfSigned('edge-001', Date.now(), 90);
write('edge.crt', certificatePem);
write('edge.key', keyPem);
const file = (name) => path.join(top, name);
const [certFile, keyFile] = [file('edge.crt'), file('edge.key')];
const certificate = { certFile, keyFile, caFile: certFile };

// Two OS images: what each says of itself, and its kernel.
const image = (version, kernelRelease) => {
  write(`os-${version}/etc/os-release`, `ID=edgeos\nVERSION_ID=${version}\n`);
  return { osRoot: file(`os-${version}`), kernelRelease };
};
const [oldOs, newOs] = [image('1.0', '6.1.0-18'), image('2.0', '6.1.0-21')];

try {
  // The first boot.
  const first = await precheck({ ...place, ...oldOs, certificate });
  console.log(`first boot: ${first.decision}, epoch ${first.bootEpoch}`);

  // The OS is replaced. What would a precheck do, and would it accept the runtime?
  const found = await detectOsUpdate({ stateRoot, ...newOs });
  console.log(`found: ${found.decision}, changed ${found.changed.join(' and ')}`);
  const { operations } = await verifyManifest({ stateRoot, ...newOs });
  for (const { src, dst, sizeBytes } of operations) {
    console.log(`manifest: ${src} -> ${dst}, ${sizeBytes} bytes`);
  }

  // The boot that does it, and what it says meanwhile.
  const events = [];
  const report = (name) => events.push(name);
  const second = await precheck({ ...place, ...newOs, certificate, report });
  console.log(`second boot: ${second.decision}, epoch ${second.bootEpoch}`);
  console.log(`completed: ${events.includes('edge.os.reconstruction_completed')}`);

  // A refusal is an error with a stable code.
  write('state-root/runtime/manifest.json.sig', Buffer.alloc(64, 1));
  await verifyManifest({ stateRoot, ...newOs });
} catch (error) {
  if (error.code !== 'manifest.signature_invalid') throw error;
  console.log(`refused: ${error.code} (${error.class}). ${error.remedy}`);
} finally {
  fs.rmSync(top, { recursive: true });
}
