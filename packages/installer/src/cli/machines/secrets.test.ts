import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { readSecret } from './secrets.ts';

it('a secret is read from stdin, without the end of its line', async () => {
  const source = { what: 'the token', flag: '--token-file', file: '-' };
  const stdin = Readable.from([Buffer.from('abcdef.'), Buffer.from('0123\n')]);
  expect(await readSecret({ ...source, stdin }, undefined)).toBe('abcdef.0123');
  await expect(readSecret({ ...source, file: '/nowhere' }, undefined)).rejects.toMatchObject({
    code: 'Invalid',
  });
});
