import { describe, expect, it } from 'vitest';
import { SelvedgeError, explain, hasCode, isAbort, messageOf, systemCode } from './errors.ts';
import { aborted } from './scope.ts';

describe('SelvedgeError', () => {
  it('keeps code, hint, cause and details', () => {
    const cause = new Error('connect ECONNREFUSED');
    const error = new SelvedgeError('API server a:6443 is unreachable', {
      code: 'Unavailable',
      hint: 'check the uplink',
      cause,
      details: { attempts: 3 },
    });
    expect(error).toMatchObject({
      code: 'Unavailable',
      hint: 'check the uplink',
      cause,
      details: { attempts: 3 },
    });
  });

  it('never carries a secret', () => {
    const error = new SelvedgeError('token abcdef.0123456789abcdef was refused', {
      code: 'Unauthenticated',
      hint: 'https://user:pass@proxy:3128 answered 407',
    });
    expect(`${error.message} ${error.hint}`).not.toMatch(/0123456789abcdef|pass/);
  });
});

describe('error helpers', () => {
  it('matches only the codes asked for', () => {
    const gone = new SelvedgeError('too old', { code: 'Gone' });
    expect(hasCode(gone, 'NotFound', 'Gone')).toBe(true);
    expect(hasCode(gone, 'NotFound')).toBe(false);
    expect(hasCode(new Error('Gone'), 'Gone')).toBe(false);
  });

  it('tells an abort from a failure', () => {
    const controller = new AbortController();
    controller.abort('why');
    expect(isAbort('why', controller.signal)).toBe(true);
    expect(isAbort(aborted('loop'))).toBe(true);
    expect(isAbort(new DOMException('x', 'AbortError'))).toBe(true);
    expect(isAbort(new Error('boom'), controller.signal)).toBe(false);
  });

  it('explains the chain of causes once each, with the hint last', () => {
    const root = new Error('connect ECONNREFUSED');
    const middle = new Error('dial failed', { cause: root });
    const top = new SelvedgeError('no API server', { code: 'Unavailable', cause: middle, hint: 'try again' });
    expect(explain(top)).toBe('no API server: dial failed: connect ECONNREFUSED (try again)');
    const behind = new SelvedgeError('no tunnel', { code: 'Unavailable', cause: top });
    expect(explain(behind)).toMatch(/^no tunnel: no API server: .* \(try again\)$/);
    expect(explain(new Error('same', { cause: new Error('same') }))).toBe('same');
  });

  it('ends on a cycle of causes', () => {
    const a = new Error('a');
    a.cause = a;
    expect(explain(a)).toBe('a');
  });

  it('reads what is not an error', () => {
    expect(messageOf('Bearer aaaaaaaaaaaaaaaa')).toBe('Bearer [redacted]');
    expect(systemCode(Object.assign(new Error('x'), { code: 'ENOENT' }))).toBe('ENOENT');
    expect(systemCode({ code: 7 })).toBeUndefined();
    expect(systemCode(undefined)).toBeUndefined();
  });
});
