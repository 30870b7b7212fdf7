/** What a reader of YAML, TOML or JSON gives: values and places, or what is wrong with the text. */

export type ConfigPath = readonly (string | number)[];

/** In words of our own: what a library says may quote the text, and the text holds a secret. */
export interface SyntaxProblem {
  /** `line:column`, from 1. */
  readonly at: string;
  readonly problem: string;
  /** Of a key that stands twice; the document can be read all the same. */
  readonly path?: ConfigPath;
  readonly allowed?: string;
}

/** What one language has to say of a text. */
export interface ConfigReading {
  readonly problems: readonly SyntaxProblem[];
  /** Undefined when the problems leave none. */
  readonly document?: ConfigDocument;
}

export interface ConfigDocument {
  readonly value: unknown;
  /** `line:column` of the key, or of the nearest parent that stands in the text. From 1. */
  readonly placeOf: (path: ConfigPath) => string;
}

export function duplicateKey(path: ConfigPath, at: string, first: string): SyntaxProblem {
  return { at, problem: 'duplicate key', path, allowed: `each key once; it stands at ${first}` };
}

/** Where keys stand: the first of each path. */
export class Places<Place> {
  readonly #places = new Map<string, Place>();

  /** Where it stands already; undefined when it is new. */
  add(path: ConfigPath, place: Place): Place | undefined {
    const name = path.join('\0');
    const first = this.#places.get(name);
    if (first === undefined) this.#places.set(name, place);
    return first;
  }

  /** Of the key, or of the nearest parent. */
  nearest(path: ConfigPath): Place | undefined {
    for (let length = path.length; length > 0; length -= 1) {
      const place = this.#places.get(path.slice(0, length).join('\0'));
      if (place !== undefined) return place;
    }
    return undefined;
  }
}
