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
  throw new SelvedgeError('a token is named by its id, six characters of a-z and 0-9', {
    code: 'Invalid',
    hint: 'see `selvedge token list`; the secret behind the dot is not to be typed',
  });
}
