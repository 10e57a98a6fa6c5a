import { isIP } from 'node:net';
import { managerNamespace } from '@selvedge/api';
import { formatHostPort } from '@selvedge/kit/net';
import { resources } from '@selvedge/kube';
import type { Deployment, Service } from '@selvedge/kube/types';
import { type Reading, notAllowed, seenOr } from '../reading/index.ts';
import { type CertificateFound, certificateInSecret, tunnelBy } from './tunnel-status.ts';
import type { CertificateSeen, Deployed, TunnelServers } from './types.ts';

/** Where nodes connect. Source: charts/selvedge. */
export const tunnelService = { namespace: managerNamespace, name: 'cloud-manager-tunnel' } as const;

/** Where charts/selvedge has the Secret `tls.secretName`. */
export const tlsSecretOf = ({ spec }: Pick<Deployment, 'spec'>): string | undefined =>
  spec?.template.spec?.volumes?.find(({ name }) => name === 'tls')?.secret?.secretName;

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

async function certificateOf(deployment: Deployment, reading: Reading): Promise<CertificateFound> {
  const name = tlsSecretOf(deployment);
  if (name !== undefined) return certificateInSecret(name, reading);
  const why = `the Deployment ${managerNamespace}/cloud-manager has no volume \`tls\` with a Secret`;
  return { kind: 'unknown', why };
}

/** Where nodes connect, or why nobody knows it. */
async function serversOf({ names }: CertificateSeen, reading: Reading): Promise<TunnelServers> {
  const service = await reading.get(resources.services, tunnelService);
  return service.kind === 'unread'
    ? { servers: [], serversUnknown: notAllowed([service.right]) }
    : { servers: externalServers(names, seenOr(service, undefined)) };
}

/** What a Deployment of cloud-manager, and what belongs to it, tell. */
export async function lookAtExternal(deployment: Deployment, reading: Reading): Promise<Deployed> {
  const found = await certificateOf(deployment, reading);
  const servers =
    found.kind === 'unknown'
      ? { servers: [], serversUnknown: found.why }
      : await serversOf(found.certificate, reading);
  const version = deployment.metadata.labels?.['app.kubernetes.io/version'];
  return {
    ...(version === undefined ? {} : { version }),
    ...(await tunnelBy(found, servers, reading)),
  };
}
