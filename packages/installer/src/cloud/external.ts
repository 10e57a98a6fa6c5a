import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { managerNamespace } from '@selvedge/api';
import { hasCode } from '@selvedge/kit';
import { formatHostPort } from '@selvedge/kit/net';
import { certificatesOf } from '@selvedge/kit/x509';
import { type KubeClient, type ObjectRef, ifFound, resources } from '@selvedge/kube';
import type { Deployment, Secret, Service } from '@selvedge/kube/types';
import { certificateIn, shownOf } from './certificates/secret.ts';
import { managerAt } from './objects/metadata.ts';
import { clusterCaOf, publishedCa, tunnelCaOf } from './tunnel.ts';
import type { CertificateSeen, CloudStatus, ExternalTunnel } from './types.ts';

interface ExternalDeps {
  readonly cluster: Pick<KubeClient, 'get'>;
  readonly signal: AbortSignal;
}

type External = Extract<CloudStatus, { kind: 'external' }>;
/** The certificate, or why nobody knows it. */
type Found = { readonly kind: 'certificate'; readonly certificate: CertificateSeen } | Unknown;
interface Unknown {
  readonly kind: 'unknown';
  readonly why: string;
}

const named = (name: string): ObjectRef => ({ namespace: managerNamespace, name });
const unknown = (why: string): Unknown => ({ kind: 'unknown', why });

/** Where charts/selvedge has the Secret `tls.secretName`. */
export const tlsSecretOf = ({ spec }: Pick<Deployment, 'spec'>): string | undefined =>
  spec?.template.spec?.volumes?.find(({ name }) => name === 'tls')?.secret?.secretName;

async function certificateOf(deployment: Deployment, { cluster, signal }: ExternalDeps): Promise<Found> {
  const name = tlsSecretOf(deployment);
  if (name === undefined)
    return unknown(`the Deployment ${managerNamespace}/cloud-manager has no volume \`tls\` with a Secret`);
  const what = `the Secret ${managerNamespace}/${name}, which its Deployment mounts,`;
  let secret: Secret | undefined;
  try {
    secret = await ifFound(cluster.get(resources.secrets, named(name), { signal }));
  } catch (error) {
    if (hasCode(error, 'Forbidden')) return unknown(`you are not allowed to read ${what.replace(/,$/, '')}`);
    throw error;
  }
  if (secret === undefined) return unknown(`${what} does not exist`);
  const certificate = certificateIn(secret);
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

const hint = `mend that, or publish who signed the certificate of the tunnel yourself: kubectl -n ${managerNamespace} create configmap ${publishedCa.at.name} --from-file=${publishedCa.key}`;

async function tunnelByCertificate(found: Found, deps: ExternalDeps): Promise<ExternalTunnel> {
  if (found.kind === 'unknown') return { ...found, servers: [], hint };
  const { certificate } = found;
  const { cluster, signal } = deps;
  const service = await ifFound(cluster.get(resources.services, named('cloud-manager-tunnel'), { signal }));
  const servers = externalServers(certificate.names, service);
  if (certificate.ca !== '') return { kind: 'known', servers, ca: await tunnelCaOf(certificate, deps) };
  if (isSignedBy(await clusterCaOf(deps), certificate)) return { kind: 'known', servers, ca: undefined };
  return {
    ...unknown('the Secret of its certificate has no ca.crt, and the cluster CA did not sign it'),
    servers,
    hint,
  };
}

/** Where the cluster does not tell, a person may have. */
async function tunnelOf(found: Found, deps: ExternalDeps): Promise<ExternalTunnel> {
  const tunnel = await tunnelByCertificate(found, deps);
  if (tunnel.kind === 'known') return tunnel;
  const published = await ifFound(
    deps.cluster.get(resources.configMaps, publishedCa.at, { signal: deps.signal }),
  );
  const ca = published?.data?.[publishedCa.key];
  return ca === undefined ? tunnel : { kind: 'known', servers: tunnel.servers, ca };
}

/** cloud-manager in the cluster that helm, or whoever, installed; undefined: there is none. */
export async function lookAtExternal(deps: ExternalDeps): Promise<External | undefined> {
  const { cluster, signal } = deps;
  const deployment = await ifFound(cluster.get(resources.deployments, managerAt, { signal }));
  if (deployment === undefined) return undefined;
  const found = await certificateOf(deployment, deps);
  const version = deployment.metadata.labels?.['app.kubernetes.io/version'];
  return {
    kind: 'external',
    ...(version === undefined ? {} : { version }),
    tunnel: await tunnelOf(found, deps),
    ...(found.kind === 'unknown' ? {} : { certificate: shownOf(found.certificate) }),
  };
}
