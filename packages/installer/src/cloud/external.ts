import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { managerNamespace } from '@selvedge/api';
import { formatHostPort } from '@selvedge/kit/net';
import { certificatesOf } from '@selvedge/kit/x509';
import { type ObjectRef, resources } from '@selvedge/kube';
import type { Deployment, Service } from '@selvedge/kube/types';
import { type Reading, notAllowed, seenOr } from '../reading/index.ts';
import { certificateIn, shownOf } from './certificates/secret.ts';
import { caBeyond, clusterCaAt, clusterCaIn } from './tunnel.ts';
import { type UnknownSigner, publishedOr, unreadSigner } from './tunnel-status.ts';
import type { CertificateSeen, Deployed, TunnelServers, TunnelStatus } from './types.ts';

/** Where nodes connect. Source: charts/selvedge. */
export const tunnelService = { namespace: managerNamespace, name: 'cloud-manager-tunnel' } as const;

/** The certificate, or why nobody knows it. */
type Found = { readonly kind: 'certificate'; readonly certificate: CertificateSeen } | UnknownSigner;

const named = (name: string): ObjectRef => ({ namespace: managerNamespace, name });
const unknown = (why: string): UnknownSigner => ({ kind: 'unknown', why });

/** Where charts/selvedge has the Secret `tls.secretName`. */
export const tlsSecretOf = ({ spec }: Pick<Deployment, 'spec'>): string | undefined =>
  spec?.template.spec?.volumes?.find(({ name }) => name === 'tls')?.secret?.secretName;

async function certificateOf(deployment: Deployment, reading: Reading): Promise<Found> {
  const name = tlsSecretOf(deployment);
  if (name === undefined)
    return unknown(`the Deployment ${managerNamespace}/cloud-manager has no volume \`tls\` with a Secret`);
  const secret = await reading.get(resources.secrets, named(name));
  if (secret.kind === 'unread') return unreadSigner([secret]);
  const what = `the Secret ${managerNamespace}/${name}, which its Deployment mounts,`;
  if (secret.kind === 'absent') return unknown(`${what} does not exist`);
  const certificate = certificateIn(secret.value);
  return certificate === undefined
    ? unknown(`${what} has no tls.crt and tls.key that can be read`)
    : { kind: 'certificate', certificate };
}

/** Whether one of these authorities signed it itself. */
function isSignedBy(authorities: string, { pem }: CertificateSeen): boolean {
  const leaf = new X509Certificate(pem);
  return certificatesOf(authorities).some((one) => leaf.checkIssued(one) && leaf.verify(one.publicKey));
}

/** Names that agents can be told: neither those inside the cluster, nor patterns. Hosts before addresses. */
function hostsIn(names: readonly string[]): readonly string[] {
  const outer = names.filter(
    (name) => !/\*|\.svc(\.|$)|^[^.:]+$/.test(name) && !name.endsWith(`.${managerNamespace}`),
  );
  const hosts = outer.filter((name) => isIP(name) === 0);
  return hosts.length > 0 ? hosts : outer;
}

/** Where nodes connect, by the certificate's names and the Service `cloud-manager-tunnel`. Pure. */
export function externalServers(
  names: readonly string[],
  service: Pick<Service, 'spec'> | undefined,
): readonly string[] {
  const { type, ports = [] } = service?.spec ?? {};
  const tunnel = ports.find(({ name }) => name === 'tunnel');
  const byType: Readonly<Record<string, number | undefined>> = {
    LoadBalancer: tunnel?.port,
    NodePort: tunnel?.nodePort,
  };
  const port = byType[type ?? ''];
  return port === undefined ? [] : hostsIn(names).map((host) => formatHostPort({ host, port }));
}

/** Where nodes connect, or why nobody knows it. */
async function serversOf({ names }: CertificateSeen, reading: Reading): Promise<TunnelServers> {
  const service = await reading.get(resources.services, tunnelService);
  return service.kind === 'unread'
    ? { servers: [], serversUnknown: notAllowed([service.right]) }
    : { servers: externalServers(names, seenOr(service, undefined)) };
}

async function tunnelBy(certificate: CertificateSeen, reading: Reading): Promise<TunnelStatus> {
  const servers = await serversOf(certificate, reading);
  const root = await reading.get(resources.configMaps, clusterCaAt);
  const clusterCa = clusterCaIn(seenOr(root, {}));
  // Where it is not known whether the cluster's CA is meant, the one that is named is no less right.
  if (certificate.ca !== '') return { kind: 'known', ...servers, ca: caBeyond(clusterCa, certificate) };
  if (root.kind === 'unread') return publishedOr(unreadSigner([root]), servers, reading);
  if (isSignedBy(clusterCa, certificate)) return { kind: 'known', ...servers, ca: undefined };
  const why = 'the Secret of its certificate has no ca.crt, and the cluster CA did not sign it';
  return publishedOr(unknown(why), servers, reading);
}

/** What a Deployment of cloud-manager, and what belongs to it, tell. */
export async function lookAtExternal(deployment: Deployment, reading: Reading): Promise<Deployed> {
  const found = await certificateOf(deployment, reading);
  const version = deployment.metadata.labels?.['app.kubernetes.io/version'];
  return {
    ...(version === undefined ? {} : { version }),
    ...(found.kind === 'unknown'
      ? { tunnel: await publishedOr(found, { servers: [], serversUnknown: found.why }, reading) }
      : { tunnel: await tunnelBy(found.certificate, reading), certificate: shownOf(found.certificate) }),
  };
}
