import { createHmac } from 'node:crypto';
import { SelvedgeError } from '@selvedge/kit';
import type { BootstrapToken } from '@selvedge/kube';

const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** `randomInt`: a whole number below another, from a source that nobody can guess. */
export function newBootstrapToken(randomInt: (below: number) => number): BootstrapToken {
  const letters = (count: number): string =>
    Array.from({ length: count }, () => alphabet[randomInt(alphabet.length)]).join('');
  return { id: letters(6), secret: letters(16) };
}

export const tokenText = ({ id, secret }: BootstrapToken): string => `${id}.${secret}`;

/** Throws `Invalid`, without the text: it may be a token. */
export function parseTokenId(text: string): string {
  if (/^[a-z0-9]{6}$/.test(text)) return text;
  throw new SelvedgeError('a token is named by its id, six characters of a-z and 0-9', {
    code: 'Invalid',
    hint: 'see `selvedge token list`; the secret behind the dot is not to be typed',
  });
}

const encoded = (text: string): string => Buffer.from(text).toString('base64url');

/**
 * What the bootstrapsigner of a controller-manager writes beside a text for each token, letter by letter: a detached JWS,
 * HS256. Source: RFC 7515, appendix F; kubernetes.io "ConfigMap Signing".
 */
export function signatureOf(content: string, { id, secret }: BootstrapToken): string {
  const header = encoded(JSON.stringify({ alg: 'HS256', kid: id }));
  const mac = createHmac('sha256', secret)
    .update(`${header}.${encoded(content)}`)
    .digest('base64url');
  return `${header}..${mac}`;
}
