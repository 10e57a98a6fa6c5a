import type { Clock, Logger, MetricsRegistry, Random } from '@selvedge/kit';
import type { HttpProxy, OpenBytes } from '@selvedge/kit/net';
import type { Node } from '@selvedge/kube/types';
import type { Config, TunnelConfig } from './config/index.ts';
import { originating } from './exit-code.ts';
import type { Hub } from './hub/index.ts';
import type { Identity } from './identity/index.ts';
import type { Store } from './store/index.ts';
import { type NodeFacts, type Tunnel, createTunnel, kubeletTarget } from './tunnel/index.ts';

export interface TunnelServiceOptions {
  readonly config: Config;
  readonly settings: TunnelConfig;
  readonly proxy: HttpProxy | undefined;
}

export interface TunnelServiceDeps {
  readonly hub: Pick<Hub, 'source' | 'pods'>;
  readonly identity: Pick<Identity, 'credentials' | 'onChange'>;
  readonly store: Pick<Store, 'runtime'>;
  readonly machineAddresses: () => readonly string[];
  /** Where edge-lite itself serves the kubelet's API; undefined beside a stock kubelet. */
  readonly kubeletPort?: (() => number | undefined) | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
}

/** The name by which tunnel servers offer the API server. */
const apiServerService = 'kube-apiserver';

/** Connects API servers through the tunnel; a URL says only what their certificate is to name. TLS is end to end. */
export const throughTunnel =
  (tunnel: () => Pick<Tunnel, 'openForward'>): OpenBytes =>
  (_url, signal) =>
    tunnel().openForward(apiServerService, signal);

/** The own Node; empty before it is known. */
function statusOf(source: Hub['source'], name: string): NonNullable<Node['status']> {
  const found = source.get<Node>({ resource: 'nodes', name });
  return (found.kind === 'present' ? found.object.status : undefined) ?? {};
}

function factsOf({ config }: TunnelServiceOptions, deps: TunnelServiceDeps): NodeFacts {
  const { hub, machineAddresses, kubeletPort } = deps;
  const { nodeName: name, modules } = config;
  const status = statusOf(hub.source, name);
  const { pods } = modules;
  const own = pods && { address: pods.kubeletApi.address, port: kubeletPort?.() };
  return {
    name,
    addresses: (status.addresses ?? []).map(({ address }) => address),
    machineAddresses: machineAddresses(),
    kubelet: kubeletTarget({ status, machineAddresses: machineAddresses(), own }),
    isPod: (address) => hub.pods.at(address) !== undefined,
  };
}

/**
 * The tunnel of this node, with what the hub's replica says of the node and its pods: offline too. Files that cannot be
 * read are a matter of the config.
 */
export function createTunnelService(options: TunnelServiceOptions, deps: TunnelServiceDeps): Tunnel {
  const { settings, proxy } = options;
  const facts = (): NodeFacts => factsOf(options, deps);
  const tunnel = createTunnel({ ...settings, proxy }, { ...deps, documents: deps.store.runtime, facts });
  return {
    name: tunnel.name,
    start: (signal) => originating('config', () => tunnel.start(signal), ['Invalid']),
    stop: () => tunnel.stop(),
    status: () => tunnel.status(),
    openForward: (service, asked) => tunnel.openForward(service, asked),
    onHandover: (listener) => tunnel.onHandover(listener),
  };
}
