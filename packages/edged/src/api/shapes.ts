/** What an argument of the API must be made of, where its type alone says too little. */
import { isObject } from '@edged/model/json-reader';
import * as v from 'valibot';
import { fingerprintFiles, fingerprintProfile } from '../config/config-schema.ts';

export interface Shape {
  readonly allowed: string;
  readonly fits: (value: unknown) => boolean;
}

const captured = v.object({
  compositeHash: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  osRelease: v.string(),
  unameRelease: v.string(),
  image: v.optional(v.record(v.string(), v.string())),
});

const partsOfHost = ['clock', 'system'];
const methodsOfHost = [
  'readFile',
  'listDirectory',
  'inspectDirectory',
  'readLink',
  'fileMode',
  'openDisk',
];
const methodsToWrite = ['prepareToWrite', 'tryLock', 'isLocked'];

export const shapes: ReadonlyMap<string, Shape> = new Map([
  ['profile', { allowed: 'classic or image', fits: (value) => v.is(fingerprintProfile, value) }],
  [
    'files',
    {
      allowed: 'a list of at most 64 absolute paths',
      fits: (value) => v.is(fingerprintFiles, value),
    },
  ],
  [
    'fingerprint',
    { allowed: 'what captureFingerprint gave', fits: (value) => v.is(captured, value) },
  ],
  ['host', { allowed: 'a Host of @edged/host/host', fits: isHost }],
]);

/** Its parts are there; what they do is not asked. */
function isHost(value: unknown): boolean {
  if (!isObject(value)) return false;
  return (
    partsOfHost.every((name) => isObject(value[name])) &&
    [...methodsOfHost, ...methodsToWrite].every((name) => typeof value[name] === 'function')
  );
}
