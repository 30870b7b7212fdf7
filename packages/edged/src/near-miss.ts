/** What may have been meant by a word that nothing is called: `did you mean`. */
import { distance } from 'fastest-levenshtein';

/** Letters that may differ. */
const nearMiss = 3;

/** The nearest name, by all of it or the part behind its last dot; undefined when none is near. */
export function nearestTo(written: string, names: Iterable<string>): string | undefined {
  const far = (name: string): number => {
    const part = name.slice(name.lastIndexOf('.') + 1);
    return Math.min(distance(name, written), distance(part, written));
  };
  const [nearest] = [...names]
    .map((name) => [name, far(name)] as const)
    .toSorted(([, one], [, other]) => one - other);
  return nearest && nearest[1] <= nearMiss ? nearest[0] : undefined;
}
