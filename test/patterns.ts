import { expect } from 'vitest';

// A pattern in what is expected stands for texts that fit it. Without this, `toMatchObject` takes every text for one.
expect.addEqualityTesters([
  (found: unknown, expected: unknown) =>
    expected instanceof RegExp && !(found instanceof RegExp)
      ? typeof found === 'string' && found.search(expected) >= 0
      : undefined,
]);
