import { readdirSync } from 'node:fs';
import { createMetricsRegistry, silentLogger, systemClock, type Service } from '@selvedge/kit';
import { formatTarget, type Target, type TunnelCredentials } from '@selvedge/tunnel';
import { createTunnelAgent } from '@selvedge/tunnel/agent';
import { createTunnelServer } from '@selvedge/tunnel/server';
import { createEgress } from '../../packages/cloud-manager/src/egress/egress.ts';
import { createEgressMetrics } from '../../packages/cloud-manager/src/egress/metrics.ts';
import { openRelayed } from '../../packages/cloud-manager/src/egress/relay-client.ts';
import type { Opened, Router } from '../../packages/cloud-manager/src/egress/router.ts';

/** A tunnel server with its egress, or an agent: what one process of the soak is. */
export type SoakSetup = {
  readonly credentials: TunnelCredentials;
  readonly timeouts: { readonly quietMs: number; readonly pingMs: number; readonly drainMs: number };
} & (
  | {
      readonly role: 'server';
      readonly tunnelPort: number;
      readonly egressPort: number;
      /** The egress of the other server. */
      readonly other: string;
    }
  | { readonly role: 'agent'; readonly servers: readonly string[] }
);

/** What a process holds, measured after its garbage was collected. */
export interface SoakLevel {
  readonly rssBytes: number;
  readonly heapBytes: number;
  /** Open file descriptors. */
  readonly fds: number;
  readonly sockets: number;
  readonly sessions: number;
  readonly streams: number;
}

type Counted = Service & { readonly count: () => Pick<SoakLevel, 'sessions' | 'streams'> };

const deps = { clock: systemClock, random: Math.random, log: silentLogger };

function serverOf(setup: SoakSetup & { readonly role: 'server' }): Counted {
  const metrics = createMetricsRegistry();
  const { credentials, timeouts, tunnelPort, egressPort, other } = setup;
  const tunnel = createTunnelServer(
    { listen: [{ host: '127.0.0.1', port: tunnelPort }], timeouts },
    {
      ...deps,
      metrics,
      credentials: () => credentials,
      identify: ({ subject }) => ({
        kind: 'accepted',
        peer: /CN=system:node:(\S+)/.exec(subject)?.[1] ?? '',
      }),
    },
  );
  const { certificate, privateKey, certificateAuthority: clientCa } = credentials;
  const current = { certificate, privateKey, clientCa };
  const pem = {
    name: 'certificate',
    source: 'certificate',
    current,
    serving: { certificate, key: privateKey },
    onChange: () => new DisposableStack(),
    start: async () => undefined,
    stop: async () => undefined,
  };
  const openHere = async (node: string, { port }: Target, signal: AbortSignal): Promise<Opened> => {
    const target = formatTarget({ host: '127.0.0.1', port });
    return { stream: await tunnel.open({ peer: node, target, signal }), rule: 'node' };
  };
  /** The host is the node. */
  const open = async (target: Target, signal: AbortSignal): Promise<Opened> => {
    if (tunnel.reaches(target.host)) return openHere(target.host, target, signal);
    const request = { address: other, node: target.host, target, signal };
    return {
      stream: await openRelayed(request, { pem: () => pem.current, clock: systemClock }),
      rule: 'relayed',
    };
  };
  const router: Router = { open, openHere, openNode: openHere, openDirect: open };
  const files = { certificateFile: '', keyFile: '', clientCaFile: '' };
  const names = { clients: ['driver'], servers: ['server'] };
  const egress = createEgress(
    { tls: { listen: { host: '127.0.0.1', port: egressPort }, ...files, ...names } },
    { ...deps, metrics, pem, router, egressMetrics: createEgressMetrics(metrics) },
  );
  return {
    name: 'server',
    async start(signal) {
      await tunnel.start(signal);
      await egress.start(signal);
    },
    async stop() {
      await tunnel.stop();
      await egress.stop();
    },
    count: () => ({
      sessions: tunnel.sessions.length,
      streams: tunnel.sessions.reduce((sum, { streams }) => sum + streams, egress.streams),
    }),
  };
}

function agentOf(setup: SoakSetup & { readonly role: 'agent' }): Counted {
  const { credentials, timeouts, servers } = setup;
  const agent = createTunnelAgent(
    {
      servers: servers.map((address) => ({ address })),
      timeouts: { ...timeouts, retryMs: 100, maxRetryMs: 500 },
    },
    {
      ...deps,
      metrics: createMetricsRegistry(),
      credentials: async () => credentials,
      allow: (connect) => ({ kind: 'allowed', connect }),
    },
  );
  return {
    name: 'agent',
    start: (signal) => agent.start(signal),
    stop: () => agent.stop(),
    count() {
      const sessions = agent.links.flatMap((link) => link.sessions);
      return {
        sessions: sessions.length,
        streams: sessions.reduce((sum, { streams }) => sum + streams, 0),
      };
    },
  };
}

async function levelOf(service: Counted): Promise<SoakLevel> {
  for (let round = 0; round < 3; round += 1) {
    globalThis.gc?.();
    await deps.clock.sleep(10);
  }
  const { rss: rssBytes, heapUsed: heapBytes } = process.memoryUsage();
  const fds = readdirSync('/proc/self/fd').length;
  const sockets = process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
  return { rssBytes, heapBytes, fds, sockets, ...service.count() };
}

const started = Promise.withResolvers<Counted>();
process.on('message', (message: SoakSetup | 'level') => {
  if (message === 'level') {
    void started.promise.then(levelOf).then((level) => process.send?.(level));
    return;
  }
  const service = message.role === 'server' ? serverOf(message) : agentOf(message);
  void service.start(new AbortController().signal).then(() => {
    started.resolve(service);
    process.send?.('ready');
  });
});
process.on('SIGTERM', () => {
  void started.promise.then((service) => service.stop()).then(() => process.exit(0));
});
// Nobody is left to serve.
process.on('disconnect', () => process.exit(1));
