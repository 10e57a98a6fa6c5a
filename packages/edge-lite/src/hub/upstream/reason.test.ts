import { SelvedgeError } from '@selvedge/kit';
import { describe, expect, it } from 'vitest';
import { isUntrusted, reasonOf, reasonOfAll } from './reason.ts';

const system = (code: string): Error => Object.assign(new Error(`connect ${code}`), { code });
const dialled = (cause: unknown): SelvedgeError =>
  new SelvedgeError('cannot connect to a:6443', { code: 'Unavailable', cause, details: { unsent: true } });

describe('the reason of a failure', () => {
  it.each<[unknown, string]>([
    [dialled(system('ECONNREFUSED')), 'refused'],
    [dialled(system('ENETUNREACH')), 'no route'],
    [dialled(system('EAI_AGAIN')), 'its name cannot be looked up'],
    [dialled(new AggregateError([system('EHOSTUNREACH'), system('ECONNREFUSED')])), 'no route'],
    [
      dialled(system('SELF_SIGNED_CERT_IN_CHAIN')),
      'its certificate is not trusted (SELF_SIGNED_CERT_IN_CHAIN)',
    ],
    [
      dialled(system('UNABLE_TO_VERIFY_LEAF_SIGNATURE')),
      'its certificate is not trusted (UNABLE_TO_VERIFY_LEAF_SIGNATURE)',
    ],
    [
      dialled(system('ERR_TLS_CERT_ALTNAME_INVALID')),
      'its certificate is not trusted (ERR_TLS_CERT_ALTNAME_INVALID)',
    ],
    [dialled(system('ERR_SSL_WRONG_VERSION_NUMBER')), 'it does not speak TLS (ERR_SSL_WRONG_VERSION_NUMBER)'],
    [
      new SelvedgeError('cannot connect', {
        code: 'DeadlineExceeded',
        cause: new SelvedgeError('slow', { code: 'DeadlineExceeded' }),
      }),
      'no answer',
    ],
    [
      dialled(
        new SelvedgeError('the proxy p:3128 answered 407', {
          code: 'Unavailable',
          details: { proxyStatus: 407 },
        }),
      ),
      'the proxy p:3128 answered 407',
    ],
    [new SelvedgeError('not ready (500)', { code: 'Unavailable' }), 'not ready (500)'],
    [dialled(new Error('closed before it was established')), 'closed before it was established'],
    ['nonsense', 'nonsense'],
  ])('%s is %s', (error, reason) => {
    expect(reasonOf(error)).toBe(reason);
  });

  it('tells who is there but is no API server of this cluster', () => {
    expect(isUntrusted(reasonOf(dialled(system('CERT_HAS_EXPIRED'))))).toBe(true);
    expect(isUntrusted(reasonOf(dialled(system('ERR_SSL_WRONG_VERSION_NUMBER'))))).toBe(true);
    expect(isUntrusted(reasonOf(dialled(system('ECONNREFUSED'))))).toBe(false);
  });

  it('is said once where all servers agree, else for each', () => {
    const [one, two] = [dialled(system('ECONNREFUSED')), dialled(system('ENETUNREACH'))];
    expect(reasonOfAll(['a', 'b'], [one, one])).toBe('refused');
    expect(reasonOfAll(['a', 'b'], [one, two])).toBe('a: refused, b: no route');
  });
});
