import { expect, test } from 'vitest';
import { expand } from './expand.ts';

const environment = { POD_IP: '10.0.0.7', EMPTY: '', odd: '$(POD_IP)' };

test.each([
  ['$(POD_IP):8132', '10.0.0.7:8132'],
  ['[$(POD_IP)]:1 and $(POD_IP)', '[10.0.0.7]:1 and 10.0.0.7'],
  ['a$(EMPTY)b', 'ab'],
  ['$(NOBODY)', '$(NOBODY)'],
  ['$(odd)', '$(POD_IP)'],
  ['$POD_IP ${POD_IP} $()', '$POD_IP ${POD_IP} $()'],
])('%s becomes %s', (text, expected) => {
  expect(expand(text, environment)).toBe(expected);
});

test('it is found at any depth, and everything else stays as it is', () => {
  const document = { list: [{ a: '$(POD_IP)' }, 3, null, true], $x: 'y' };
  expect(expand(document, environment)).toEqual({ list: [{ a: '10.0.0.7' }, 3, null, true], $x: 'y' });
});
