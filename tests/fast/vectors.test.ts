/** tests/vectors, each by the module that has to judge it. */
import { createPublicKey, verify as verifyByNode } from 'node:crypto';
import fs from 'node:fs';
import { afterAll, describe, expect, test } from '@jest/globals';
import { acceptanceFromJson, requireAcceptable, type Circumstances } from '@edged/model/acceptance';
import { PrecheckError } from '@edged/model/failure';
import { checkOperationPaths } from '@edged/model/install-operation';
import { applyUpdate, parseKeyring } from '@edged/model/keyring';
import { loadVerifyKey, signatureHolds } from '@edged/model/manifest-signature';
import { parseRuntimeManifest } from '@edged/model/runtime-manifest';
import { HostileCount, noteHostileRow } from '@edged/testkit/hostile/hostile-table';
import { type Vector, readVectors, valueOf } from '@edged/testkit/hostile/vectors';
import * as ed from '@noble/ed25519';

const hex = (text: string): Uint8Array => Buffer.from(text, 'hex');
const optional = (value: unknown): number | undefined =>
  typeof value === 'number' ? value : undefined;

/** Throws the refusal. */
const judges: Readonly<Record<string, (vector: Vector) => void>> = {
  signature(vector) {
    const key = loadVerifyKey(hex(valueOf(vector, 'key')));
    if (signatureHolds(hex(valueOf(vector, 'signature')), vector.body, key)) return;
    throw new PrecheckError('manifest.signature_invalid');
  },
  manifest: ({ body }) => void parseRuntimeManifest(body),
  path(vector) {
    const { operations } = parseRuntimeManifest(vector.body);
    for (const [index, operation] of operations.entries()) {
      checkOperationPaths(operation, index, [valueOf(vector, 'state-root')]);
    }
  },
  keyring: ({ name, body }) => void parseKeyring(body, name),
  'keyring-update'(vector) {
    const anchor = parseKeyring(Buffer.from(valueOf(vector, 'anchor')), 'anchor');
    const signatures = (vector.head.get('signature') ?? []).map(hex);
    applyUpdate(anchor, { file: vector.name, bytes: vector.body, signatures });
  },
  acceptance(vector) {
    const given = JSON.parse(valueOf(vector, 'circumstances')) as Record<string, unknown>;
    const circumstances: Circumstances = {
      memory: acceptanceFromJson(given['memory']),
      manifestHash: String(given['manifest_hash']),
      bootEpoch: Number(given['boot_epoch']),
      boots: optional(given['boots']),
      edgeDomainId: String(given['edge_domain_id']),
      nowMilliseconds: Date.parse(String(given['now'])),
      minimumSerial: optional(given['minimum_serial']),
    };
    requireAcceptable(parseRuntimeManifest(vector.body), circumstances);
  },
};

const count = new HostileCount('vectors');
afterAll(() => noteHostileRow(count.row, process.env['HOSTILE_TABLE']));

function verdictOf(judge: (vector: Vector) => void, vector: Vector): string {
  try {
    judge(vector);
    return 'accepted';
  } catch (error) {
    if (error instanceof PrecheckError) return error.code;
    count.crashed(vector.name);
    throw error;
  }
}

describe.each(Object.entries(judges))('%s', (kind, judge) => {
  test.each(readVectors(kind).map((vector) => [vector.name, vector] as const))(
    '%s',
    (_, vector) => {
      count.tried();
      const verdict = verdictOf(judge, vector);
      if (verdict === 'accepted' && vector.expect !== 'accepted')
        count.acceptedWrongly(vector.name);
      expect(verdict).toBe(vector.expect);
    },
  );
});

test('every directory of vectors has its judge', () => {
  const directories = fs
    .readdirSync('tests/vectors', { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  expect(directories.sort()).toEqual(Object.keys(judges).sort());
});

const anyVerdict: unknown = expect.stringMatching(/^(?:accepts|refuses)$/);

describe('where implementations differ, as docs/security.md has it', () => {
  const page = fs.readFileSync('docs/security.md', 'utf8');

  test.each(readVectors('signature').map((vector) => [vector.name, vector] as const))(
    '%s',
    (name, vector) => {
      const [key, signature] = [hex(valueOf(vector, 'key')), hex(valueOf(vector, 'signature'))];
      const node = (): boolean => {
        const spki = Buffer.concat([hex('302a300506032b6570032100'), key]);
        const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' });
        return verifyByNode(null, vector.body, publicKey, signature);
      };
      const verdicts = [
        vector.expect === 'accepted',
        accepts(() => ed.verify(signature, vector.body, key, { zip215: false })),
        accepts(node),
        accepts(() => ed.verify(signature, vector.body, key)),
      ].map((accepted) => (accepted ? 'accepts' : 'refuses'));
      const row = page.split('\n').find((line) => line.startsWith(`| \`${name}\` |`)) ?? '';
      const [, comment, ...said] = row.split(' | ').map((cell) => cell.replace(/ \|$/, ''));
      expect(comment).toBe(valueOf(vector, 'comment'));
      expect(verdicts).toEqual(
        said.map((cell) => (cell.startsWith('depends') ? anyVerdict : cell)),
      );
    },
  );
});

function accepts(verify: () => boolean): boolean {
  try {
    return verify();
  } catch {
    return false; // what the libraries throw for bytes that are no point, no scalar, no key
  }
}
