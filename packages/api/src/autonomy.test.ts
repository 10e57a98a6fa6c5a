import { expect, test } from 'vitest';
import { parseAutonomy } from './autonomy.ts';

test.each([
  ['off', { kind: 'off' }],
  ['forever', { kind: 'forever' }],
  ['90s', { kind: 'period', ms: 90_000 }],
  ['1h30m', { kind: 'period', ms: 5_400_000 }],
  ['72h', { kind: 'period', ms: 259_200_000 }],
  ['0s', { kind: 'off' }],
])('reads %s', (text, autonomy) => {
  expect(parseAutonomy(text)).toEqual(autonomy);
});

test.each(['', '3d', '30m1h', '1h ', '-1h', 'Off', '1.5h', '1234567h'])('does not read %j', (text) => {
  expect(parseAutonomy(text)).toBeUndefined();
});
