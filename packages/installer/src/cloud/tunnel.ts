import { managerNamespace } from '@selvedge/api';
import { certificateBlocks } from '@selvedge/kit/x509';
import { type KubeClient, ifFound, resources } from '@selvedge/kube';
import type { ConfigMap } from '@selvedge/kube/types';
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

/** Where pods are told of the cluster's authorities. Source: kubernetes.io "RootCAConfigMap". */
export const clusterCaAt = { namespace: 'kube-system', name: 'kube-root-ca.crt' } as const;

/** PEM of them; empty: nobody says. */
export const clusterCaIn = ({ data }: Pick<ConfigMap, 'data'>): string => data?.['ca.crt'] ?? '';

/** PEM of who signed it; undefined: the cluster's CA, which nodes trust without being told. */
export function caBeyond(clusterCa: string, { ca }: Pick<CertificateSeen, 'ca'>): string | undefined {
  const trusted = keysOf(clusterCa);
  return [...keysOf(ca)].every((one) => trusted.has(one)) ? undefined : ca;
}

/** The same for a certificate that may not be there: then undefined. */
export async function tunnelCaOf(
  certificate: CertificateSeen | undefined,
  { cluster, signal }: TunnelDeps,
): Promise<string | undefined> {
  if (certificate === undefined) return undefined;
  const root = await ifFound(cluster.get(resources.configMaps, clusterCaAt, { signal }));
  return caBeyond(clusterCaIn(root ?? {}), certificate);
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
