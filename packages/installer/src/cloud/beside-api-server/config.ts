import { type JsonObject, mergePatched } from '@selvedge/kube';
import { stringify } from 'yaml';
import { managerHost } from '../objects/metadata.ts';

/** Where a cloud-manager beside an API server listens, but for the tunnel. A kubelet has 10250 there. */
export const unitPorts = { kubelets: 10_251, egress: 8_132, webhook: 9_443, health: 10_290 } as const;

/** Of the machine with the API server. */
export const socketFolder = '/run/selvedge';
export const egressSocket = `${socketFolder}/egress.sock`;
export const paths = {
  folder: '/etc/selvedge',
  config: '/etc/selvedge/cloud-manager.yaml',
  pki: '/etc/selvedge/pki',
  kubeconfig: '/etc/selvedge/kubeconfig',
  certificate: '/etc/selvedge/pki/tunnel.crt',
  key: '/etc/selvedge/pki/tunnel.key',
  ca: '/etc/selvedge/pki/tunnel-ca.crt',
  program: '/usr/local/bin/cloud-manager',
  unit: '/etc/systemd/system/cloud-manager.service',
} as const;

export interface UnitConfigOptions {
  readonly tunnelPort: number;
  /** The address of this machine. */
  readonly address: string;
  readonly apiServerPort: number;
  /** Whether its kernel has IPv6. */
  readonly ipv6: boolean;
  /** Laid over the config. */
  readonly over: JsonObject;
}

const hostOf = (address: string): string => (address.includes(':') ? `[${address}]` : address);

function configOf({ tunnelPort, address, apiServerPort, ipv6 }: Omit<UnitConfigOptions, 'over'>): object {
  const everywhere = (port: number): string => `${ipv6 ? '[::]' : '0.0.0.0'}:${port}`;
  const served = { certificateFile: paths.certificate, keyFile: paths.key };
  const relay = {
    listen: everywhere(unitPorts.egress),
    ...served,
    clientCaFile: paths.ca,
    servers: ['cloud-manager'],
    serverName: managerHost,
    advertise: `${hostOf(address)}:${unitPorts.egress}`,
  };
  return {
    apiVersion: 'cloud-manager.selvedge.io/v1alpha1',
    kind: 'Config',
    cluster: { kubeconfig: paths.kubeconfig },
    tunnel: {
      listen: [everywhere(tunnelPort)],
      ...served,
      services: { 'kube-apiserver': { addresses: [`${hostOf(address)}:${apiServerPort}`] } },
    },
    // Of the one machine too: one that joins later asks it for nodes that hold no session with itself.
    egress: { unixSocket: egressSocket, tls: relay },
    kubeletProxy: { listen: everywhere(unitPorts.kubelets) },
    webhook: {
      listen: `127.0.0.1:${unitPorts.webhook}`,
      reach: { url: `https://127.0.0.1:${unitPorts.webhook}` },
    },
    health: { listen: everywhere(unitPorts.health), ...served },
  };
}

/** `/etc/selvedge/cloud-manager.yaml` of one machine; docs/tasks/cloud-manager.md "Beside the API server". Pure. */
export function unitConfig({ over, ...options }: UnitConfigOptions): string {
  return stringify(mergePatched(configOf(options), over), { lineWidth: 0 });
}
