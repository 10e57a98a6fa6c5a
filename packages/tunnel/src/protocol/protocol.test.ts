import { constants } from 'node:http2';
import { fc, it } from '@fast-check/vitest';
import { SelvedgeError, aborted, type ErrorCode } from '@selvedge/kit';
import { describe, expect } from 'vitest';
import { errorOfAnswer, refusalOf } from './answers.ts';
import { errorOfReset, resetOf } from './resets.ts';
import { nameOf, namesOf, protocolOf } from './versions.ts';

describe('the versions', () => {
  it('are the names of ALPN', () => {
    expect(namesOf('reverse')).toEqual(['selvedge-reverse/1']);
    expect(protocolOf('selvedge-forward/1')).toEqual({ direction: 'forward', version: 1 });
  });

  it.prop([fc.anything()])('are nothing else', (name) => {
    const protocol = protocolOf(name);
    if (protocol !== undefined) expect(nameOf(protocol)).toBe(name);
  });
});

describe('the answer to a CONNECT', () => {
  it.each<[ErrorCode, number]>([
    ['Invalid', 400],
    ['Forbidden', 403],
    ['NotFound', 404],
    ['ResourceExhausted', 429],
    ['Unsupported', 501],
    ['Unavailable', 502],
    ['DeadlineExceeded', 504],
    ['Internal', 500],
  ])('keeps the code %s of an error as %i, and its words', (code, status) => {
    const head = refusalOf(new SelvedgeError('not für you', { code }));
    expect(head[':status']).toBe(status);
    const error = errorOfAnswer('a:1', head);
    expect([error.code, error.message]).toEqual([code, 'a:1: not für you']);
  });

  it.prop([fc.record({ ':status': fc.integer(), 'selvedge-reason': fc.anything() })])(
    'is an error whatever comes',
    (head) => {
      expect(errorOfAnswer('a:1', head)).toBeInstanceOf(SelvedgeError);
    },
  );
});

describe('a reset', () => {
  const econnreset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
  it.each([
    ['nobody wants it any more', undefined, constants.NGHTTP2_CANCEL, 'Aborted'],
    ['who asked gave up', aborted('it'), constants.NGHTTP2_CANCEL, 'Aborted'],
    ["the target's connection broke", econnreset, constants.NGHTTP2_CONNECT_ERROR, 'Unavailable'],
    [
      'it held too much',
      new SelvedgeError('much', { code: 'ResourceExhausted' }),
      constants.NGHTTP2_ENHANCE_YOUR_CALM,
      'ResourceExhausted',
    ],
    [
      'something is wrong here',
      new SelvedgeError('bug', { code: 'Internal' }),
      constants.NGHTTP2_INTERNAL_ERROR,
      'Internal',
    ],
  ])('says that %s', (_why, error, code, kind) => {
    expect(resetOf(error)).toBe(code);
    expect(errorOfReset(code).code).toBe(kind);
  });

  it('before anything was done may be tried elsewhere', () => {
    expect(errorOfReset(constants.NGHTTP2_REFUSED_STREAM).details).toEqual({ refused: true });
  });

  it.prop([fc.integer()])('of any code has a meaning', (code) => {
    expect(errorOfReset(code)).toBeInstanceOf(SelvedgeError);
  });
});
