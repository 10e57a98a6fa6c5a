import { managerNamespace } from '@selvedge/api';
import { certificateBlocks } from '@selvedge/kit/x509';
import { type KubeClient, ifFound, resources } from '@selvedge/kube';
import type { CertificateSeen, CloudTunnel } from './types.ts';

/** Where joining machines read who signs the certificate of the tunnel, PEM. Not there: the cluster's CA. */
export const publishedCa = {
  at: { namespace: managerNamespace, name: 'cloud-manager-tunnel-ca' },
  key: 'ca.crt',
} as const;

const keysOf = (pem: string): ReadonlySet<string> =>
  new Set(certificateBlocks(pem).map((block) => block.replaceAll(/\s/g, '')));

interface TunnelDeps {
  readonly cluster: Pick<KubeClient, 'get'>;
  readonly signal: AbortSignal;
}

/** PEM of the authorities that pods are told of; empty: nobody says. */
export async function clusterCaOf({ cluster, signal }: TunnelDeps): Promise<string> {
  const root = { namespace: 'kube-system', name: 'kube-root-ca.crt' };
  const trust = await ifFound(cluster.get(resources.configMaps, root, { signal }));
  return trust?.data?.['ca.crt'] ?? '';
}

/** PEM of who signed it; undefined: the cluster's CA, which nodes trust without being told, or there is none. */
export async function tunnelCaOf(
  certificate: CertificateSeen | undefined,
  deps: TunnelDeps,
): Promise<string | undefined> {
  if (certificate === undefined) return undefined;
  const trusted = keysOf(await clusterCaOf(deps));
  const isClusters = [...keysOf(certificate.ca)].every((one) => trusted.has(one));
  return isClusters ? undefined : certificate.ca;
}

/** What nodes are told. */
export async function tunnelOf(
  {
    servers,
    certificate,
  }: { readonly servers: readonly string[]; readonly certificate: CertificateSeen | undefined },
  deps: TunnelDeps,
): Promise<CloudTunnel> {
  return { servers, ca: await tunnelCaOf(certificate, deps) };
}
