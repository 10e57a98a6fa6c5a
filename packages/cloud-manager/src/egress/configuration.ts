import { formatTarget } from '@selvedge/tunnel';
import type { EgressConfig } from '../config/index.ts';

/** The transport of an egress selection. Source: `apiserver.config.k8s.io`, `apiserver.k8s.io/v1beta1`. */
function transportOf({ unixSocket, tls }: EgressConfig): object {
  const apiServer = tls?.apiServer;
  const address = apiServer?.address ?? tls?.advertise;
  if (apiServer !== undefined && address !== undefined) {
    const { caFile: caBundle, certificateFile: clientCert, keyFile: clientKey } = apiServer;
    return {
      tcp: { url: `https://${formatTarget(address)}`, tlsConfig: { caBundle, clientCert, clientKey } },
    };
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
