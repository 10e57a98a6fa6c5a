/** Takes out the least first, in logarithmic time. Those that are equal come in any order. */
export interface MinHeap<T> {
  readonly size: number;
  /** The least, which stays in it. */
  peek(): T | undefined;
  push(item: T): void;
  pop(): T | undefined;
}

class BinaryHeap<T> implements MinHeap<T> {
  readonly #isLess: (a: T, b: T) => boolean;
  /** None is less than the one at half its place, counted from 1. */
  readonly #items: T[];

  constructor(isLess: (a: T, b: T) => boolean, items: Iterable<T>) {
    this.#isLess = isLess;
    this.#items = [];
    for (const item of items) this.push(item);
  }

  get size(): number {
    return this.#items.length;
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    this.#items.push(item);
    this.#rise(item, this.#items.length - 1);
  }

  pop(): T | undefined {
    const [least] = this.#items;
    const last = this.#items.pop();
    if (last !== undefined && this.#items.length > 0) this.#sink(last);
    return least;
  }

  #rise(item: T, from: number): void {
    let at = from;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = this.#items[above];
      if (parent === undefined || !this.#isLess(item, parent)) break;
      this.#items[at] = parent;
      at = above;
    }
    this.#items[at] = item;
  }

  /** From the top. */
  #sink(item: T): void {
    let at = 0;
    for (;;) {
      const below = this.#lesserBelow(at);
      const child = this.#items[below];
      if (child === undefined || !this.#isLess(child, item)) break;
      this.#items[at] = child;
      at = below;
    }
    this.#items[at] = item;
  }

  #lesserBelow(at: number): number {
    const [left, right] = [this.#items[2 * at + 1], this.#items[2 * at + 2]];
    const isRight = left !== undefined && right !== undefined && this.#isLess(right, left);
    return 2 * at + (isRight ? 2 : 1);
  }
}

/** `undefined` is no item. */
export function createMinHeap<T extends object | string | number>(
  isLess: (a: T, b: T) => boolean,
  items: Iterable<T> = [],
): MinHeap<T> {
  return new BinaryHeap(isLess, items);
}
