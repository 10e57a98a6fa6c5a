import { createHmac, timingSafeEqual } from 'node:crypto';
import { SelvedgeError } from '@selvedge/kit';

/** A bootstrap token. Source: kubernetes.io "Authenticating with Bootstrap Tokens". */
export interface BootstrapToken {
  /** Public: names the token. */
  readonly id: string;
  readonly secret: string;
}

/** What to do without a token that is valid. */
export const newTokenHint = 'create a new one: selvedge token create, or kubeadm token create';

/** Throws `Unauthenticated`; the error does not show the text. */
export function parseBootstrapToken(text: string): BootstrapToken {
  const [, id, secret] = /^([a-z0-9]{6})\.([a-z0-9]{16})$/.exec(text.trim()) ?? [];
  if (id === undefined || secret === undefined) {
    const message =
      'a bootstrap token is 6 characters, a dot and 16 characters of a-z and 0-9; this one is not';
    throw new SelvedgeError(message, { code: 'Unauthenticated', hint: newTokenHint });
  }
  return { id, secret };
}

/** As it is typed, and as it is shown to an API server. */
export const formatBootstrapToken = ({ id, secret }: BootstrapToken): string => `${id}.${secret}`;

const encoded = (text: string): string => Buffer.from(text).toString('base64url');

/** HS256 over the header, as it is encoded, and the content. */
const macOf = (header: string, content: string, { secret }: BootstrapToken): Buffer =>
  createHmac('sha256', secret)
    .update(`${header}.${encoded(content)}`)
    .digest();

/**
 * The token's detached JWS over a text (RFC 7515, appendix F), as the bootstrapsigner of a controller-manager writes it beside
 * `cluster-info`. Source: kubernetes.io "ConfigMap Signing".
 */
export function signWithToken(content: string, token: BootstrapToken): string {
  const header = encoded(JSON.stringify({ alg: 'HS256', kid: token.id }));
  return `${header}..${macOf(header, content, token).toString('base64url')}`;
}

function headerOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const header: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    return typeof header === 'object' && header !== null ? { ...header } : {};
  } catch {
    return {};
  }
}

/** Whether `signature` is the token's own detached JWS over `content` (RFC 7515, appendix F; HS256 only). */
export function signedByToken(content: string, signature: string, token: BootstrapToken): boolean {
  const [protectedHeader = '', payload, given = '', ...rest] = signature.split('.');
  const header = headerOf(protectedHeader);
  if (payload !== '' || rest.length > 0 || header['alg'] !== 'HS256' || header['kid'] !== token.id)
    return false;
  const expected = macOf(protectedHeader, content, token);
  const actual = Buffer.from(given, 'base64url');
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}
