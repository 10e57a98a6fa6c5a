import { createTaskGroup, type Clock } from '@selvedge/kit';

/** Keys with the time at which they are due, and one timer for the earliest of them. */
export class Delays {
  readonly #due = new Map<string, number>();
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

  add(key: string, ms: number): void {
    const due = this.#clock.monotonicMs() + ms;
    this.#due.set(key, Math.min(due, this.#due.get(key) ?? Infinity));
    this.#arm(due);
  }

  delete(key: string): void {
    this.#due.delete(key);
  }

  async clear(): Promise<void> {
    this.#due.clear();
    this.#disarm.abort();
    await this.#tasks.stop();
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
    let next = Infinity;
    for (const [key, due] of this.#due) {
      if (due > now) {
        next = Math.min(next, due);
        continue;
      }
      this.#due.delete(key);
      this.#onDue(key);
    }
    this.#arm(next);
  }
}
