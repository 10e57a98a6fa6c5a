import { createMinHeap, createTaskGroup, type Clock, type MinHeap } from '@selvedge/kit';

interface Delayed {
  readonly key: string;
  readonly due: number;
}

const isSooner = (a: Delayed, b: Delayed): boolean => a.due < b.due;
/** Entries that count no more are tolerated up to the number of those that do, and this. */
const tolerated = 64;

/** Keys with the time at which they are due, and one timer for the earliest of them. */
export class Delays {
  readonly #due = new Map<string, number>();
  /** An entry counts if its key is due at that very time. */
  #order: MinHeap<Delayed> = createMinHeap<Delayed>(isSooner);
  readonly #clock: Clock;
  readonly #onDue: (key: string) => void;
  readonly #tasks = createTaskGroup({ name: 'delays' }, { onFailure: () => undefined });
  #armedFor = Infinity;
  #disarm = new AbortController();

  constructor(clock: Clock, onDue: (key: string) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  get size(): number {
    return this.#due.size;
  }

  has(key: string): boolean {
    return this.#due.has(key);
  }

  /** The earlier time of the same key stands. */
  add(key: string, ms: number): void {
    const due = this.#clock.monotonicMs() + ms;
    if (due >= (this.#due.get(key) ?? Infinity)) return;
    this.#due.set(key, due);
    this.#order.push({ key, due });
    if (this.#order.size > 2 * this.#due.size + tolerated) this.#tidy();
    this.#arm(due);
  }

  delete(key: string): void {
    this.#due.delete(key);
  }

  async clear(): Promise<void> {
    this.#due.clear();
    this.#tidy();
    this.#disarm.abort();
    await this.#tasks.stop();
  }

  #tidy(): void {
    this.#order = createMinHeap<Delayed>(
      isSooner,
      Array.from(this.#due, ([key, due]) => ({ key, due })),
    );
  }

  #arm(due: number): void {
    if (due >= this.#armedFor) return;
    this.#disarm.abort();
    this.#armedFor = due;
    const { signal } = (this.#disarm = new AbortController());
    this.#tasks.run('delay', async () => {
      await this.#clock.sleep(due - this.#clock.monotonicMs(), signal).catch(() => undefined);
      if (!signal.aborted) this.#fire();
    });
  }

  #fire(): void {
    const now = this.#clock.monotonicMs();
    this.#armedFor = Infinity;
    for (let next = this.#order.peek(); next !== undefined; next = this.#order.peek()) {
      const counts = this.#due.get(next.key) === next.due;
      if (counts && next.due > now) return this.#arm(next.due);
      this.#order.pop();
      if (!counts) continue;
      this.#due.delete(next.key);
      this.#onDue(next.key);
    }
  }
}
