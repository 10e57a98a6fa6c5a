import { tokenize, type Token } from './label-lexer.ts';
import { invalidSelector, type LabelOperator, type LabelRequirement } from './label-syntax.ts';

const exactOperators: Readonly<Record<string, LabelOperator>> = {
  '=': 'In',
  '==': 'In',
  '!=': 'NotIn',
  '>': 'Gt',
  '<': 'Lt',
};
const setOperators: Readonly<Record<string, LabelOperator>> = { in: 'In', notin: 'NotIn' };

/** A cursor over the tokens of one selector. */
class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokenize(text);
  }

  requirements(): readonly LabelRequirement[] {
    const found: LabelRequirement[] = [];
    if (this.#peek().kind === 'end') return found;
    do found.push(this.#requirement());
    while (this.#accept(','));
    if (this.#peek().kind !== 'end') throw this.#unexpected("',' or the end");
    return found;
  }

  #requirement(): LabelRequirement {
    if (this.#accept('!')) return { key: this.#word('a key'), operator: 'DoesNotExist', values: [] };
    const key = this.#word('a key');
    const { kind, text } = this.#peek();
    if (kind === 'end' || (kind === 'symbol' && text === ',')) return { key, operator: 'Exists', values: [] };
    const exact = kind === 'symbol' ? exactOperators[text] : undefined;
    const set = kind === 'word' ? setOperators[text] : undefined;
    this.#at += 1;
    if (exact !== undefined) return { key, operator: exact, values: [this.#exactValue()] };
    if (set !== undefined) return { key, operator: set, values: this.#values() };
    this.#at -= 1;
    throw this.#unexpected('an operator');
  }

  /** A word, or nothing, which is the empty value. */
  #exactValue(): string {
    const { kind, text } = this.#peek();
    return kind === 'end' || (kind === 'symbol' && text === ',') ? '' : this.#word('a value');
  }

  /** `(a,b)`; a value left out is the empty one. */
  #values(): readonly string[] {
    if (!this.#accept('(')) throw this.#unexpected("'('");
    const values: string[] = [];
    do values.push(this.#peek().kind === 'word' ? this.#word('a value') : '');
    while (this.#accept(','));
    if (!this.#accept(')')) throw this.#unexpected("',' or ')'");
    return values;
  }

  #word(what: string): string {
    const { kind, text } = this.#peek();
    if (kind !== 'word') throw this.#unexpected(what);
    this.#at += 1;
    return text;
  }

  #accept(symbol: string): boolean {
    const { kind, text } = this.#peek();
    if (kind !== 'symbol' || text !== symbol) return false;
    this.#at += 1;
    return true;
  }

  #peek(): Token {
    return this.#tokens[this.#at] ?? { kind: 'end', text: '' };
  }

  #unexpected(expected: string): Error {
    const { kind, text } = this.#peek();
    const found = kind === 'end' ? 'the end' : `'${text}'`;
    return invalidSelector(this.#text, `found ${found}, expected ${expected}`);
  }
}

/** The requirements as written: neither checked nor sorted. Throws `Invalid` on a syntax error. */
export function parseRequirements(text: string): readonly LabelRequirement[] {
  return new Parser(text).requirements();
}
