import { expect, test } from '@jest/globals';
import { showProgress } from 'edged/output/progress';

function progressAt(seconds: readonly number[]): { shown: string[]; at: (share: number) => void } {
  const shown: string[] = [];
  const times = [0, ...seconds].values();
  const clock = {
    wallMilliseconds: () => 0,
    monotonicNanoseconds: () => BigInt((times.next().value ?? 0) * 1000) * 1_000_000n,
    sleep: () => undefined,
  };
  const terminal = {
    out: () => undefined,
    error: () => undefined,
    status: (text: string) => shown.push(text),
  };
  const progress = showProgress(terminal, clock);
  return { shown, at: (share) => progress(share * 2e9, 2e9) };
}

test('nothing in the first second, then ten times a second at most, gone at the end', () => {
  const { shown, at } = progressAt([0.5, 1.5, 1.55, 2.5]);
  for (const share of [0.1, 0.3, 0.31, 0.5, 1]) at(share);
  expect(shown).toEqual(['copying: 30 % of 2000 MB, 1 s', 'copying: 50 % of 2000 MB, 2 s', '']);
});
