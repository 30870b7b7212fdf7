/**
 * What is not given to the YAML library at all. It composes recursively, and ends in the stack
 * where brackets, dashes or indentation go deep; it notes every problem of a text that is nothing
 * but problems; it obeys `%YAML 1.1`, where `yes` is true. Its lexer is neither recursive nor slow,
 * and its words are enough to tell.
 */
import { CST, Lexer } from 'yaml';

/** Columns of indentation, open brackets and dashes of one line, taken together. */
const mostNesting = 200;
/** Blanks, line ends, comments and escapes among them; a config has some hundreds. */
const mostTokens = 100_000;
/** More than any config needs; what they grow to is another guard, against anchor bombs. */
export const mostAliases = 100;

export interface Excess {
  readonly offset: number;
  readonly problem: string;
}

/** The first of them; undefined when the library may read the text. */
export function findExcess(text: string): Excess | undefined {
  let offset = 0;
  let tokens = 0;
  let aliases = 0;
  const nesting = new Nesting();
  for (const { kind, source } of tokensOf(text)) {
    tokens += kind === 'double-quoted-scalar' ? source.split('\\').length : 1; // escapes
    if (kind === 'alias') aliases += 1;
    if (tokens > mostTokens) return { offset, problem: `more than ${mostTokens} words and marks` };
    if (aliases > mostAliases) return { offset, problem: `more than ${mostAliases} aliases` };
    if (kind === 'directive-line' && !/^%YAML[ \t]+1\.2(?:[ \t]|$)/.test(source)) {
      return { offset, problem: 'a directive; the only one allowed is %YAML 1.2' };
    }
    if (nesting.after(kind, source) > mostNesting) {
      return { offset, problem: `nested too deeply, or indented by over ${mostNesting} columns` };
    }
    offset += source.length;
  }
  return undefined;
}

type Kind = CST.TokenType | null;

/** Those in the text. The lexer also gives marks that are not: one says that a scalar follows. */
function* tokensOf(text: string): Generator<{ kind: Kind; source: string }> {
  let isScalar = false;
  for (const source of new Lexer().lex(text)) {
    const kind: Kind = isScalar ? null : CST.tokenType(source);
    isScalar = kind === 'scalar';
    if (isScalar || kind === 'doc-mode' || kind === 'flow-error-end') continue;
    yield { kind, source };
  }
}

class Nesting {
  #brackets = 0;
  #onLine = 0;
  #isLineStart = true;

  after(kind: Kind, source: string): number {
    const isBlank = kind === 'space' || kind === 'newline';
    if (kind === 'newline') this.#onLine = 0;
    else if (kind === 'space' && this.#isLineStart) this.#onLine = source.length;
    else if (kind === 'seq-item-ind' || kind === 'explicit-key-ind') this.#onLine += 1;
    else if (kind === 'flow-seq-start' || kind === 'flow-map-start') this.#brackets += 1;
    else if (kind === 'flow-seq-end' || kind === 'flow-map-end') this.#brackets -= 1;
    this.#isLineStart = kind === 'newline';
    this.#brackets = Math.max(0, this.#brackets);
    return this.#brackets + (isBlank || kind === 'comment' ? 0 : this.#onLine);
  }
}
