import { describe, expect, it } from 'vitest';
import { statusError, transportError } from './status.ts';

const status = (reason: string, extra: object = {}): object => ({
  kind: 'Status',
  reason,
  message: 'said',
  ...extra,
});

describe('answers of an API server', () => {
  it.each([
    [400, 'BadRequest', 'Invalid'],
    [401, 'Unauthorized', 'Unauthenticated'],
    [403, 'Forbidden', 'Forbidden'],
    [404, 'NotFound', 'NotFound'],
    [405, 'MethodNotAllowed', 'Unsupported'],
    [409, 'AlreadyExists', 'AlreadyExists'],
    [409, 'Conflict', 'Conflict'],
    [410, 'Expired', 'Gone'],
    [415, 'UnsupportedMediaType', 'Unsupported'],
    [422, 'Invalid', 'Invalid'],
    [429, 'TooManyRequests', 'ResourceExhausted'],
    [500, 'InternalError', 'Internal'],
    [503, 'ServiceUnavailable', 'Unavailable'],
    [504, 'Timeout', 'DeadlineExceeded'],
    [418, '', 'Invalid'],
    [599, '', 'Internal'],
  ])('%i %s is %s', (httpStatus, reason, code) => {
    const error = statusError({ what: 'GET /x', httpStatus, body: status(reason) });
    expect(error).toMatchObject({ code, message: 'GET /x: said', details: { status: httpStatus, reason } });
  });

  it('carries the time to wait, from the header or from the body', () => {
    const body = status('TooManyRequests', { details: { retryAfterSeconds: 3 } });
    expect(statusError({ what: 'x', httpStatus: 429, body }).details['retryAfterSeconds']).toBe(3);
    const fromHeader = statusError({ what: 'x', httpStatus: 429, body, retryAfterSeconds: 5 });
    expect(fromHeader.details['retryAfterSeconds']).toBe(5);
  });

  it('quotes the beginning of an answer that is no Status', () => {
    const body = `<html>${'x'.repeat(1_000)}`;
    expect(statusError({ what: 'x', httpStatus: 502, body }).message.length).toBeLessThan(220);
    expect(statusError({ what: 'x', httpStatus: 502, body: '' }).message).toBe('x: HTTP 502');
  });

  it('keeps the code of the system in the error of a broken connection', () => {
    const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    expect(transportError('no server', cause)).toMatchObject({
      code: 'Unavailable',
      cause,
      details: { systemCode: 'ECONNREFUSED' },
    });
  });
});
