/** What an order says where nothing special is asked for: the tutorial's classic device. */
import type { PrecheckOrder } from '@edged/precheck/precheck';

export const plainTrust: Pick<PrecheckOrder, 'trust' | 'time'> = {
  trust: {
    edgeDomainId: 'edge-001',
    verifyKeyDigest: undefined,
    requireKeyring: false,
    credentialsDirectory: undefined,
  },
  time: { builtAt: '2026-01-01T00:00:00Z', synchronizedMarker: '/nowhere' },
};

export const noRotation = {
  caKeyFile: undefined,
  failWithinDays: 7,
  warnWithinDays: undefined,
  rotate: false,
  rotationValidDays: 365,
} as const;
