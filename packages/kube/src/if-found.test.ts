import { SelvedgeError } from '@selvedge/kit';
import { expect, test } from 'vitest';
import { ifFound } from './if-found.ts';

test('what is not there is undefined, what is there is given, and any other error rises', async () => {
  const gone = new SelvedgeError('gone', { code: 'NotFound' });
  const away = new SelvedgeError('away', { code: 'Unavailable' });
  expect(await ifFound(Promise.reject(gone))).toBeUndefined();
  expect(await ifFound(Promise.resolve(7))).toBe(7);
  await expect(ifFound(Promise.reject(away))).rejects.toBe(away);
});
