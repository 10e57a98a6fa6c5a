import { stringify } from 'yaml';
import { egressSocket } from '../beside-api-server/config.ts';

/** What `cloud-manager egress-configuration` prints for a Unix socket. Source: `apiserver.k8s.io/v1beta1`. Pure. */
export const egressConfiguration = (): string =>
  stringify({
    apiVersion: 'apiserver.k8s.io/v1beta1',
    kind: 'EgressSelectorConfiguration',
    egressSelections: [
      {
        name: 'cluster',
        connection: { proxyProtocol: 'HTTPConnect', transport: { uds: { udsName: egressSocket } } },
      },
    ],
  });
