import { SelvedgeError } from '@selvedge/kit';
import type { BootstrapToken } from '@selvedge/kube';

const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** `randomInt`: a whole number below another, from a source that nobody can guess. */
export function newBootstrapToken(randomInt: (below: number) => number): BootstrapToken {
  const letters = (count: number): string =>
    Array.from({ length: count }, () => alphabet[randomInt(alphabet.length)]).join('');
  return { id: letters(6), secret: letters(16) };
}

/** Throws `Invalid`, without the text: it may be a token. */
export function parseTokenId(text: string): string {
  if (/^[a-z0-9]{6}$/.test(text)) return text;
  throw new SelvedgeError('not a token id: six characters a-z and 0-9 expected', {
    code: 'Invalid',
    hint: '`selvedge token list` shows the ids; leave out the secret after the dot',
  });
}
