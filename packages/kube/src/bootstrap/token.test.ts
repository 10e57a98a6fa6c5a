import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { formatBootstrapToken, parseBootstrapToken, signWithToken, signedByToken } from './token.ts';

const token = { id: 'abcdef', secret: '0123456789abcdef' };

test('the vectors of the Kubernetes source are accepted, and made', () => {
  const content = 'Hello from the other side. I must have called a thousand times.';
  const joshua = { id: 'joshua', secret: 'my voice is my passcode' };
  const header = 'eyJhbGciOiJIUzI1NiIsImtpZCI6Impvc2h1YSJ9';
  const [signature, ofNothing] = [
    `${header}..VShe2taLd-YTrmWuRkcL_8QTNDHYxQIEBsAYYiIj1_8`,
    `${header}..7Ui1ALizW4jXphVUB7xUqC9vLYLL9RZeOFfVLoB7Tgk`,
  ];
  expect([signWithToken(content, joshua), signWithToken('', joshua)]).toEqual([signature, ofNothing]);
  expect(signedByToken(content, signature, joshua) && signedByToken('', ofNothing, joshua)).toBe(true);
});

describe('a signature', () => {
  property.prop([fc.string()])('holds for its content only', (content) => {
    const signature = signWithToken(content, token);
    expect(signedByToken(content, signature, token)).toBe(true);
    expect(signedByToken(`${content} `, signature, token)).toBe(false);
    expect(signedByToken(content, signature, { ...token, secret: '0123456789abcdee' })).toBe(false);
    expect(signedByToken(content, signature, { ...token, id: 'abcdeg' })).toBe(false);
  });

  property.prop([fc.string()])('is never accepted if it is anything else', (text) => {
    expect(signedByToken('content', text, token)).toBe(false);
  });

  test.each([{ alg: 'none', kid: 'abcdef' }, { alg: 'RS256', kid: 'abcdef' }, { alg: 'HS256' }, [], null])(
    'with header %j is refused',
    (header) => {
      const encoded = Buffer.from(JSON.stringify(header)).toString('base64url');
      const [, , mac = ''] = signWithToken('x', token).split('.');
      expect(signedByToken('x', `${encoded}..${mac}`, token)).toBe(false);
      expect(signedByToken('x', `${encoded}..`, token)).toBe(false);
    },
  );
});

test('a token is written as it is read', () => {
  expect(parseBootstrapToken(formatBootstrapToken(token))).toEqual(token);
});

test('a token is read with the white space around it, and refused without being shown', () => {
  expect(parseBootstrapToken(' abcdef.0123456789abcdef\n')).toEqual(token);
  expect(() => parseBootstrapToken('abcdef.0123456789ABCDEF')).toThrow(
    expect.objectContaining({ code: 'Unauthenticated', message: expect.not.stringContaining('abcdef') }),
  );
});
