import { certificateBlocks } from '@selvedge/kit/x509';
import { type KubeClient, resources } from '@selvedge/kube';
import { getIfThere } from './inventory/index.ts';
import type { CertificateSeen, CloudTunnel } from './types.ts';

const keysOf = (pem: string): ReadonlySet<string> =>
  new Set(certificateBlocks(pem).map((block) => block.replaceAll(/\s/g, '')));

/** What nodes are told. The CA is left out where it is the cluster's, which they trust. */
export async function tunnelOf(
  {
    servers,
    certificate,
  }: { readonly servers: readonly string[]; readonly certificate: CertificateSeen | undefined },
  { cluster, signal }: { readonly cluster: Pick<KubeClient, 'get'>; readonly signal: AbortSignal },
): Promise<CloudTunnel> {
  if (certificate === undefined) return { servers };
  const root = { resource: resources.configMaps, at: { namespace: 'kube-system', name: 'kube-root-ca.crt' } };
  const trusted = keysOf((await getIfThere(cluster, root, signal))?.data?.['ca.crt'] ?? '');
  const isClusters = [...keysOf(certificate.ca)].every((one) => trusted.has(one));
  return isClusters ? { servers } : { servers, ca: certificate.ca };
}
