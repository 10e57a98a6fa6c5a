import { SelvedgeError } from '@selvedge/kit';
import { describe, expect, it } from 'vitest';
import { withLast } from './attempt.ts';

const errorOf = (message: string): SelvedgeError => new SelvedgeError(message, { code: 'DeadlineExceeded' });

describe('a node that took too long', () => {
  const missing = 'it has no tunnel session';

  it('is told with what was missing', () => {
    const late = withLast(errorOf('shop-1 took longer than 300000 ms'), missing);
    expect(late).toMatchObject({
      code: 'DeadlineExceeded',
      message: `shop-1 took longer than 300000 ms: ${missing}`,
    });
  });

  it('is told as it is where that says so, nothing was said, or it failed otherwise', () => {
    const told = errorOf(`timed out waiting for shop-1: ${missing}`);
    const other = new SelvedgeError('containers restarted', { code: 'Conflict' });
    expect([withLast(told, missing), withLast(told, undefined), withLast(other, missing)]).toEqual([
      told,
      told,
      other,
    ]);
  });
});
