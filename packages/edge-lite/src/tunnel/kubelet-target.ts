import { isIP } from 'node:net';
import type { NodeStatus } from '@selvedge/kube/types';
import type { Target } from '@selvedge/tunnel';

export interface KubeletFacts {
  readonly status: Pick<NodeStatus, 'addresses' | 'daemonEndpoints'>;
  readonly machineAddresses: readonly string[];
  /** Where edge-lite's own listens; absent beside a stock kubelet. */
  readonly own?: { readonly address: string; readonly port: number | undefined } | undefined;
}

const defaultPort = 10_250;
const everywhere: readonly string[] = ['0.0.0.0', '::'];

/**
 * Where the kubelet is dialled, on this machine whatever the Node says: where edge-lite's own listens, else at an address of
 * the Node that the machine has now, for a stock kubelet listens there or on all addresses. Pure.
 */
export function kubeletTarget({ status, machineAddresses, own }: KubeletFacts): Target {
  const port = own?.port ?? status.daemonEndpoints?.kubeletEndpoint?.Port ?? defaultPort;
  if (own !== undefined && !everywhere.includes(own.address)) return { host: own.address, port };
  const addresses = (status.addresses ?? []).map(({ address }) => address);
  const here = addresses.find((one) => isIP(one) !== 0 && machineAddresses.includes(one));
  return { host: here ?? '127.0.0.1', port };
}
