import { staticCredentials, type CredentialSource } from '@selvedge/kube';
import { expect, it } from 'vitest';
import { createCredentialsOf, type CredentialsOf } from './callers.ts';

const { signal } = new AbortController();
const user = { username: 'u', groups: [] };
const clientCertificate = { certificate: 'node cert', privateKey: 'node key' };
const proxyCertificate = { certificate: 'proxy cert', privateKey: 'proxy key' };

function credentialsOf(node?: CredentialSource): CredentialsOf {
  const proxy = { certificateAuthority: 'a CA of its own', clientCertificate: proxyCertificate };
  return createCredentialsOf({
    node: node ?? staticCredentials({ certificateAuthority: 'ca', clientCertificate }),
    configured: new Map([['system:kube-proxy', staticCredentials(proxy)]]),
    sponsorToken: async ({ namespace, serviceAccount }) => `token of ${namespace}/${serviceAccount}`,
  });
}

it('gives the certificate to the node, and to nobody else', async () => {
  const of = credentialsOf();
  expect(await of({ kind: 'node' }, signal)).toEqual({
    certificateAuthority: 'ca',
    clientCertificate,
    holder: 'node',
  });
  expect(await of({ kind: 'token', user, token: 't', pod: undefined }, signal)).toEqual({
    certificateAuthority: 'ca',
    bearerToken: 't',
    holder: 'tokens',
  });
  expect(await of({ kind: 'pod', namespace: 'shop', serviceAccount: 'till' }, signal)).toEqual({
    certificateAuthority: 'ca',
    bearerToken: 'token of shop/till',
    holder: 'tokens',
  });
});

it('trusts the authorities of the cluster, whatever a kubeconfig says', async () => {
  expect(await credentialsOf()({ kind: 'configured', user, client: 'system:kube-proxy' }, signal)).toEqual({
    certificateAuthority: 'ca',
    clientCertificate: proxyCertificate,
    holder: 'client system:kube-proxy',
  });
});

it('sends nothing upstream for an operator or for a client without credentials', async () => {
  const of = credentialsOf();
  await expect(of({ kind: 'operator', user }, signal)).rejects.toMatchObject({ code: 'Forbidden' });
  await expect(of({ kind: 'configured', user, client: 'stranger' }, signal)).rejects.toMatchObject({
    code: 'Forbidden',
  });
});

it('gives the same object until the certificate is another one', async () => {
  let current = { certificateAuthority: 'ca', clientCertificate };
  const of = credentialsOf(async () => current);
  const first = await of({ kind: 'node' }, signal);
  expect(await of({ kind: 'node' }, signal)).toBe(first);
  current = { ...current, clientCertificate: proxyCertificate };
  expect(await of({ kind: 'node' }, signal)).toMatchObject({ clientCertificate: proxyCertificate });
});
