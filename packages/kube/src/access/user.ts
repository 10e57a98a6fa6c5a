import { type X509Certificate, createHash } from 'node:crypto';
import { SelvedgeError } from '@selvedge/kit';
import type { UserInfo } from './types.ts';

/** Of everybody who was authenticated. */
export const authenticatedGroup = 'system:authenticated';

/** Names the credential itself. Source: k8s.io/apiserver, `user.CredentialIDKey`. */
export const credentialIdKey = 'authentication.kubernetes.io/credential-id';

const values = (value: unknown): readonly string[] => [value].flat().filter((one) => typeof one === 'string');

/**
 * CN and O, as the API server takes them. Throws `Unauthenticated` for one that names nobody. Pure: whether the certificate
 * is valid is not looked at. Source: kubernetes.io "Authenticating", X.509 client certificates.
 */
export function userOfCertificate(certificate: X509Certificate): UserInfo {
  const subject: Readonly<Record<string, unknown>> = { ...certificate.toLegacyObject().subject };
  const [username, ...more] = values(subject['CN']);
  if (username === undefined || username === '' || more.length > 0) {
    throw new SelvedgeError('the client certificate has no single common name', { code: 'Unauthenticated' });
  }
  const fingerprint = createHash('sha256').update(certificate.raw).digest('hex');
  return {
    username,
    groups: [...values(subject['O']), authenticatedGroup],
    extra: { [credentialIdKey]: [`X509SHA256=${fingerprint}`] },
  };
}
