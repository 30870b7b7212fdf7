/** The operating system, the epochs, and the records that count them (spec I1, I2). */
import { decide, isPresent, present } from '@edged/model/decision';
import { sameEpoch } from '@edged/model/epoch-evidence';
import { type EpochHistory, epochHistoryToJson, newestEntry } from '@edged/model/epoch-history';
import { changedComponents, compositeHash, keyOf } from '@edged/model/os-fingerprint';
import { prettyNameOf } from '@edged/model/os-release';
import { type Check, ok, warning } from './check.ts';

export const osChecks: readonly Check[] = [
  {
    id: 'os.identity',
    gate: 'reconstruction',
    title: 'operating system',
    atBoot: true,
    codes: ['os.identity_missing', 'os.identity_unusable'],
    needs: ['config.file'],
    timeLimitSeconds: 15,
    async look(subject) {
      const identity = await subject.identity();
      const name = prettyNameOf(identity);
      const hash = compositeHash(identity);
      const facts = { name, uname_release: identity.kernelRelease, composite_hash: hash };
      return ok(`${name}, kernel ${identity.kernelRelease}`, facts);
    },
  },
  {
    id: 'os.change',
    gate: 'reconstruction',
    title: 'epoch',
    atBoot: true,
    codes: ['os.epoch_exhausted'],
    needs: ['os.identity', 'state_root.directory'],
    timeLimitSeconds: 15,
    async look(subject) {
      const identity = await subject.identity();
      const records = await subject.records();
      const decision = decide(keyOf(identity), records);
      const stored = present(records.fingerprint);
      const changed = stored ? changedComponents(stored, identity) : [];
      const began = newestEntry(present(records.history) ?? [])?.beganAt ?? stored?.capturedAt;
      const facts = {
        decision: decision.kind,
        boot_epoch: decision.bootEpoch,
        stored_epoch: stored?.bootEpoch,
        changed,
        began_at: began,
      };
      const { bootEpoch } = decision;
      const since = began?.slice(0, 10) ?? 'unknown';
      const known = decision.kind === 'os_replaced' ? decision.knownFrom : undefined;
      const back = known === undefined ? '' : `, back to that of epoch ${known}`;
      const what = changed.length > 0 ? changed.join(', ') : 'unknown';
      const summaries = {
        unchanged: `${bootEpoch}, since ${since}`,
        image_adopted: `${bootEpoch}; the image identity will be adopted`,
        first_run: 'none yet: the next precheck is the first run, epoch 0',
        evidence_damaged: `${bootEpoch}; its evidence will be repaired`,
        state_lost: `the fingerprint is lost: epoch ${bootEpoch} will begin`,
        os_replaced: `OS replaced (${what})${back}: epoch ${bootEpoch} will begin`,
      } as const satisfies Record<typeof decision.kind, string>;
      return ok(summaries[decision.kind], facts);
    },
  },
  {
    id: 'epoch.records',
    gate: 'reconstruction',
    title: 'records',
    atBoot: false,
    codes: ['inspection.records_disagree'],
    needs: ['state_root.directory'],
    timeLimitSeconds: 15,
    async look(subject) {
      const records = await subject.records();
      const { fingerprint, current, previous, history } = records;
      if (Object.values(records).every((record) => record === 'absent')) return ok('none yet');
      const details: { record: string; found: string }[] = [];
      const say = (record: string, found: string): void => void details.push({ record, found });
      for (const [record, found] of Object.entries({ fingerprint, current, history })) {
        if (!isPresent(found)) say(record, found);
      }
      if (previous === 'damaged') say('previous', previous);
      const stored = present(fingerprint);
      const evidence = present(current)?.osFingerprint;
      const before = present(previous)?.osFingerprint;
      const epochs = present(history) ?? [];
      if (stored && evidence && !sameEpoch(evidence, stored)) {
        const isOtherEpoch = evidence.bootEpoch !== stored.bootEpoch;
        const other = isOtherEpoch ? `epoch ${evidence.bootEpoch}` : 'another OS';
        say('current', `of ${other}; the fingerprint is of epoch ${stored.bootEpoch}`);
      }
      if (evidence && before && before.bootEpoch !== evidence.bootEpoch - 1) {
        say('previous', `of epoch ${before.bootEpoch}; current is of ${evidence.bootEpoch}`);
      }
      const isKnown = epochs.some(({ bootEpoch }) => bootEpoch === stored?.bootEpoch);
      if (stored && isPresent(history) && !isKnown) {
        say('history', `does not know epoch ${stored.bootEpoch}`);
      }
      const facts = { epochs: newestFirst(epochs) };
      if (details.length === 0) return ok('fingerprint, evidence and history agree', facts);
      const summary = details.map(({ record, found }) => `${record}: ${found}`).join('; ');
      return warning('inspection.records_disagree', summary, details, facts);
    },
  },
];

const epochsShown = 8;

function newestFirst(history: EpochHistory): object[] {
  return epochHistoryToJson(history.toReversed().slice(0, epochsShown)).map(
    ({ boot_epoch, began_at, kind, composite_hash }) => ({
      boot_epoch,
      began_at,
      ...(kind === undefined ? {} : { kind }),
      composite_hash,
    }),
  );
}
