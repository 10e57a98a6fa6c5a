import { type Question, keyOfQuestion } from './questions.ts';

interface Kept {
  readonly question: Question;
  holders: number;
}

/** Questions whose yes somebody goes on using. As many as there are open watches, whose number has a cap of its own. */
export class KeptQuestions {
  readonly #kept = new Map<string, Kept>();

  values(): readonly Question[] {
    return Array.from(this.#kept.values(), ({ question }) => question);
  }

  has(key: string): boolean {
    return this.#kept.has(key);
  }

  hold(question: Question): Disposable {
    const key = keyOfQuestion(question);
    const kept = this.#kept.get(key) ?? { question, holders: 0 };
    kept.holders += 1;
    this.#kept.set(key, kept);
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        kept.holders -= 1;
        if (kept.holders === 0 && this.#kept.get(key) === kept) this.#kept.delete(key);
      },
    };
  }

  /** All its holders have been told that it is a no now. */
  drop(key: string): void {
    this.#kept.delete(key);
  }
}
