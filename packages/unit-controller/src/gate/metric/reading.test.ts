import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { compareDecimals, parseDecimal } from './decimal.ts';
import { readingOf } from './reading.ts';

const compared = (one: string, other: string): number | undefined => {
  const [left, right] = [parseDecimal(one), parseDecimal(other)];
  return left === undefined || right === undefined ? undefined : compareDecimals(left, right);
};

describe('decimal numbers', () => {
  test.each([
    ['1', '1.0', 0],
    ['-0', '0', 0],
    ['0.1', '0.10000000000000000001', -1],
    ['999999999999999999.999999999', '999999999999999999.999999998', 1],
    ['-2', '-1', -1],
    ['1e-7', '0.0000001', 0],
    ['1.7976931348623157e+308', '1', 1],
    ['5e-324', '0', 1],
    ['-1.5E2', '-150', 0],
  ])('%s and %s are compared exactly: %i', (one, other, expected) => {
    expect(compared(one, other)).toBe(expected);
  });

  test.each(['', '.5', '5.', '1,5', '0x10', ' 1', '1 ', 'NaN', '+Inf', 'Infinity', '1e9999', '1'.repeat(41)])(
    'are not written as %j',
    (text) => {
      expect(parseDecimal(text)).toBe(undefined);
    },
  );
});

property.prop([
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
])('any two numbers are compared as JavaScript does it', (one, other) => {
  expect(compared(String(one), String(other))).toBe(one < other ? -1 : one > other ? 1 : 0);
});

/** As Prometheus answers an instant query. */
const vector = (value: string): string =>
  JSON.stringify({ status: 'success', data: { resultType: 'vector', result: [{ value: [1_777, value] }] } });

describe('an answer', () => {
  test.each([
    [vector('0.25'), '/data/result/0/value/1', '0.25'],
    ['{"value": 3}', '/value', '3'],
    ['{"a/b": {"~": [0, -1.5]}}', '/a~1b/~0/1', '-1.5'],
    ['{"": 1}', '/', '1'],
    ['{"~1": 2, "/": 3}', '/~01', '2'],
    ['{"value": 1e-7}', '/value', '1e-7'],
  ])('%s has at %s the number %s', (body, field, text) => {
    expect(readingOf(body, field)).toEqual({ kind: 'number', text });
  });

  test.each([
    ['<html>secret</html>', '/value', 'the answer is not JSON'],
    ['', '/value', 'the answer is not JSON'],
    ['{"status": "success", "data": {"result": []}}', '/data/result/0/value/1', 'the answer has nothing at '],
    ['{"value": 3}', '/value/0', 'the answer has nothing at /value/0'],
    ['[1]', '/-1', 'the answer has nothing at /-1'],
    ['[1]', '/00', 'the answer has nothing at /00'],
    ['[1]', '/length', 'the answer has nothing at /length'],
    ['{}', '/__proto__', 'the answer has nothing at /__proto__'],
    ['{}', '/constructor/name', 'the answer has nothing at /constructor/name'],
    ['{"value": "secret"}', '/value', 'what the answer has at /value is no number'],
    ['{"value": null}', '/value', 'what the answer has at /value is no number'],
    ['{"value": true}', '/value', 'what the answer has at /value is no number'],
    ['{"value": [3]}', '/value', 'what the answer has at /value is no number'],
    [vector('NaN'), '/data/result/0/value/1', 'what the answer has at /data/result/0/value/1 is no number'],
    ['{"value": 1e999}', '/value', 'what the answer has at /value is no number'],
  ])('%s has at %s no number', (body, field, why) => {
    const reading = readingOf(body, field);
    expect(reading).toEqual({ kind: 'unknown', why: expect.stringContaining(why) });
    expect(JSON.stringify(reading)).not.toContain('secret');
  });
});
