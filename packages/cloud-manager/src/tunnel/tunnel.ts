import type { Clock, Logger, MetricsRegistry, Random, Service } from '@selvedge/kit';
import { SelvedgeError, createServiceGroup } from '@selvedge/kit';
import type { TunnelCredentials } from '@selvedge/tunnel';
import { type TunnelServer, createTunnelServer } from '@selvedge/tunnel/server';
import type { TunnelConfig } from '../config/index.ts';
import type { Bans } from '../edge-nodes/index.ts';
import type { Pem, PemFiles } from '../serving/index.ts';
import { identifyNode } from './identify.ts';
import { createServices } from './services.ts';

export interface TunnelDeps {
  readonly pem: PemFiles;
  readonly bans: Bans;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
}

/** The tunnel server, and what runs it: stopping drains. */
export interface Tunnel {
  readonly server: TunnelServer;
  readonly service: Service;
}

/** The same object as long as nothing changed, as the tunnel server wants it. */
function credentialsOf(pem: PemFiles): () => TunnelCredentials {
  let held: { readonly of: Pem; readonly credentials: TunnelCredentials } | undefined;
  return () => {
    const { current } = pem;
    if (held?.of === current) return held.credentials;
    const { certificate, privateKey, clientCa } = current;
    if (clientCa === undefined) throw new SelvedgeError('the tunnel has no client CA', { code: 'Internal' });
    held = { of: current, credentials: { certificate, privateKey, certificateAuthority: clientCa } };
    return held.credentials;
  };
}

/** Lets nodes in by their certificates, unless they are banned; a ban ends the sessions of its node at once. */
export function createTunnel(config: TunnelConfig, deps: TunnelDeps): Tunnel {
  const { listen, drainSeconds, services, limits = {} } = config;
  const { bans, pem } = deps;
  const timeouts = { ...config.timeouts, drainMs: drainSeconds * 1_000 };
  const server = createTunnelServer(
    { listen, limits, timeouts },
    {
      ...deps,
      credentials: credentialsOf(pem),
      identify: (certificate) => identifyNode(certificate, bans.isBanned),
      service: createServices({ services }, deps),
    },
  );
  const enforcing = new DisposableStack();
  const end = (node: string): void => server.end(node, `node ${node} is banned`);
  const enforcement: Service = {
    name: 'ban enforcement',
    async start() {
      enforcing.use(bans.onBan(end));
      // One that was let in a moment before its ban.
      const opened = server.onChange(({ kind, session: { peer } }) => {
        if (kind === 'opened' && bans.isBanned(peer)) end(peer);
      });
      enforcing.use(opened);
    },
    async stop() {
      enforcing.dispose();
    },
  };
  const service = createServiceGroup({ name: 'tunnel', services: [enforcement, server] }, deps);
  return { server, service };
}
