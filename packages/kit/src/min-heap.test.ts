import { fc, test as property } from '@fast-check/vitest';
import { expect, it } from 'vitest';
import { createMinHeap } from './min-heap.ts';

const numbers = fc.array(fc.integer());

property.prop([numbers])('gives items in their order', (items) => {
  const heap = createMinHeap<number>((a, b) => a < b, items);
  expect(heap.size).toBe(items.length);
  expect(items.map(() => heap.pop())).toEqual(items.toSorted((a, b) => a - b));
  expect([heap.size, heap.pop()]).toEqual([0, undefined]);
});

/** A number comes in; undefined: the least goes out. */
const moves = fc.array(fc.option(fc.integer(), { nil: undefined }));

property.prop([moves])('knows its least at any time', (steps) => {
  const heap = createMinHeap<number>((a, b) => a < b);
  const model: number[] = [];
  for (const step of steps) {
    if (step === undefined) expect(heap.pop()).toBe(model.shift());
    else {
      heap.push(step);
      model.splice(model.findLastIndex((one) => one <= step) + 1, 0, step);
    }
    expect([heap.peek(), heap.size]).toEqual([model[0], model.length]);
  }
});

it('orders what only the caller can compare', () => {
  const heap = createMinHeap<{ readonly due: number }>((a, b) => a.due < b.due);
  for (const due of [3, 1, 2]) heap.push({ due });
  expect([heap.pop(), heap.pop(), heap.pop()]).toEqual([{ due: 1 }, { due: 2 }, { due: 3 }]);
});
