import { SelvedgeError } from '@selvedge/kit';
import { expect, test } from 'vitest';
import { isFinal } from './outcomes.ts';

test('what is too large stays so, a server that has too much to do does not', () => {
  const answered = (status: number) =>
    new SelvedgeError('answered', { code: 'ResourceExhausted', details: { status } });
  expect([413, 429].map((status) => isFinal(answered(status)))).toEqual([true, false]);
});
