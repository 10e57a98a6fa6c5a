import { expect, test } from 'vitest';
import { readToken } from './token.ts';

test('a token file that is not there, or not named, is a refusal', async () => {
  await expect(readToken('/nonexistent/token')).rejects.toMatchObject({ code: 'Unauthenticated' });
  await expect(readToken(undefined)).rejects.toThrow('server.tokenFile');
});
