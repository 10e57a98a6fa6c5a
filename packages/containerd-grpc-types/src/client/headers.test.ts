import { fc, it } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { decodeMessage, encodeTimeout, notGrpc, outcomeOf, requestHeaders } from './headers.ts';

/** Percent-encodes as the protocol asks of servers: every byte outside of printable ASCII, and the percent sign. */
function encodeMessage(message: string): string {
  const encode = (byte: number): string =>
    byte < 0x20 || byte > 0x7e || byte === 0x25
      ? `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
      : String.fromCharCode(byte);
  return Array.from(Buffer.from(message), encode).join('');
}

const unitMs: Readonly<Record<string, number>> = { m: 1, S: 1_000, M: 60_000, H: 3_600_000 };

describe('grpc-message', () => {
  it.prop([fc.string({ unit: 'grapheme' })])('is decoded to what was encoded', (message) => {
    expect(decodeMessage(encodeMessage(message))).toBe(message);
  });

  it.each([
    ['100%', '100%'],
    ['%zz%4', '%zz%4'],
    ['a%20b', 'a b'],
    ['%C3%A9é', 'éé'],
    ['%ff', '\u{fffd}'],
  ])('keeps what is no escape: %s', (encoded, decoded) => {
    expect(decodeMessage(encoded)).toBe(decoded);
  });
});

describe('grpc-timeout', () => {
  it.each([
    [0, '1m'],
    [0.2, '1m'],
    [1_500, '1500m'],
    [99_999_999, '99999999m'],
    [100_000_000, '100000S'],
    [Number.MAX_SAFE_INTEGER, '99999999H'],
  ])('of %d ms is written %s', (ms, text) => {
    expect(encodeTimeout(ms)).toBe(text);
  });

  it.prop([fc.double({ min: 0.001, max: 1e12, noNaN: true })])(
    'never ends before the deadline does',
    (ms) => {
      const [, amount, unit] = /^(\d{1,8})([mSMH])$/.exec(encodeTimeout(ms)) ?? [];
      expect(Number(amount) * (unitMs[unit ?? ''] ?? 0)).toBeGreaterThanOrEqual(ms);
    },
  );

  it('is left out without a deadline', () => {
    expect(requestHeaders('/a.B/C', {})).not.toHaveProperty('grpc-timeout');
    expect(requestHeaders('/a.B/C', { deadlineMs: 20 })).toMatchObject({
      ':path': '/a.B/C',
      'grpc-timeout': '20m',
    });
  });
});

describe('the headers of an answer', () => {
  it.each([
    [{ 'grpc-status': '0' }, { status: 0, message: '' }],
    [
      { 'grpc-status': '5', 'grpc-message': 'no%20such' },
      { status: 5, message: 'no such' },
    ],
    [{ 'grpc-status': 'five' }, { status: 2, message: '' }],
    [{}, undefined],
  ])('carry a status: %j', (headers, outcome) => {
    expect(outcomeOf(headers)).toEqual(outcome);
  });

  it.each([
    [200, 'application/grpc', undefined],
    [200, 'application/grpc+proto', undefined],
    [200, 'application/grpc;charset=utf-8', undefined],
    [200, 'text/html', 2],
    [200, 'application/grpc-web', 2],
    [200, undefined, 2],
    [404, 'text/plain', 12],
    [503, undefined, 14],
    [418, undefined, 2],
    [undefined, undefined, 2],
  ])('are told from those of other servers: %s %s', (httpStatus, contentType, status) => {
    expect(notGrpc(httpStatus, contentType)?.status).toBe(status);
  });
});
