import type { EgressConfig } from '../config/index.ts';

/** The transport of an egress selection. Source: `apiserver.config.k8s.io`, `apiserver.k8s.io/v1beta1`. */
function transportOf({ unixSocket, tls }: EgressConfig): object {
  const apiServer = tls?.apiServer;
  if (tls !== undefined && apiServer !== undefined && tls.advertise !== undefined) {
    const { host, port } = tls.advertise;
    const { caFile: caBundle, certificateFile: clientCert, keyFile: clientKey } = apiServer;
    const url = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
    return { tcp: { url, tlsConfig: { caBundle, clientCert, clientKey } } };
  }
  if (unixSocket !== undefined) return { uds: { udsName: unixSocket } };
  throw new Error('egress.tls has no apiServer, and there is no egress.unixSocket');
}

/**
 * What the API server's `--egress-selector-config-file` has to be for connections into the cluster to come here: over TLS if
 * the config says which files the API server has for it, else over the Unix socket. Throws if it says neither. Pure.
 */
export function egressSelectorConfiguration(config: EgressConfig): object {
  return {
    apiVersion: 'apiserver.k8s.io/v1beta1',
    kind: 'EgressSelectorConfiguration',
    egressSelections: [
      { name: 'cluster', connection: { proxyProtocol: 'HTTPConnect', transport: transportOf(config) } },
    ],
  };
}
