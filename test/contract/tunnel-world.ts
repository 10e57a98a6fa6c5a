import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Duplex } from 'node:stream';
import { createMetricsRegistry, silentLogger, systemClock, type MetricsRegistry } from '@selvedge/kit';
import type { HttpProxy } from '@selvedge/kit/net';
import { endingAtOnce } from '@selvedge/kit/testing';
import type { Carrier, SessionLimits, TunnelCredentials } from '@selvedge/tunnel';
import {
  createTunnelAgent,
  type AgentTimeouts,
  type TunnelAgent,
  type TunnelAgentDeps,
  type TunnelServerAddress,
} from '@selvedge/tunnel/agent';
import {
  createTunnelServer,
  type Entry,
  type TunnelServer,
  type TunnelServerDeps,
  type TunnelServerLimits,
} from '@selvedge/tunnel/server';
import {
  newAuthority,
  openAuthority,
  type Authority,
  type CertificateRequest,
} from '../bed/pki/certificate.ts';
import { until } from './kube-bench.ts';

/** A TCP server on a free port of the loopback interface. */
export interface Target extends AsyncDisposable {
  readonly port: number;
  /** `127.0.0.1:port`. */
  readonly address: string;
  /** Connections that are open now. */
  readonly sockets: ReadonlySet<Socket>;
}

export async function startTarget(serve: (socket: Socket) => void): Promise<Target> {
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
    serve(socket);
  });
  const end = endingAtOnce(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    address: `127.0.0.1:${port}`,
    sockets,
    [Symbol.asyncDispose]: end,
  };
}

/** Sends back what it gets, and ends when the other end has. */
export const startEcho = (): Promise<Target> => startTarget((socket) => void socket.pipe(socket));

/** Patient with a machine that has much to do. */
const timeoutsOfTests: Partial<AgentTimeouts> = {
  drainMs: 2_000,
  retryMs: 20,
  maxRetryMs: 100,
};

/** For tests of silence. */
export const briefly: Partial<AgentTimeouts> = { quietMs: 400, pingMs: 400 };

export interface ServerSetup
  extends Partial<Pick<TunnelServerDeps, 'clock' | 'credentials' | 'identify' | 'log' | 'service'>> {
  /** Default: 127.0.0.1. */
  readonly host?: string;
  readonly entry?: Entry;
  readonly limits?: Partial<TunnelServerLimits>;
  readonly timeouts?: Partial<AgentTimeouts>;
}

export interface AgentSetup
  extends Partial<Pick<TunnelAgentDeps, 'allow' | 'clock' | 'credentials' | 'dial' | 'memory' | 'random'>> {
  readonly name?: string;
  readonly servers: readonly (number | TunnelServerAddress)[];
  readonly carriers?: readonly Carrier[];
  readonly proxy?: HttpProxy;
  readonly limits?: Partial<SessionLimits>;
  readonly timeouts?: Partial<AgentTimeouts>;
}

export type WorldServer = TunnelServer & { readonly metrics: MetricsRegistry };
export type WorldAgent = TunnelAgent & { readonly metrics: MetricsRegistry };

const { signal } = new AbortController();

/** Servers and agents with the certificates of one cluster, over real sockets; all end with it. */
export class TunnelWorld implements AsyncDisposable {
  readonly authority: Authority;
  readonly #stops: (() => Promise<void>)[] = [];

  private constructor(authority: Authority) {
    this.authority = authority;
  }

  static async create(): Promise<TunnelWorld> {
    const keyPair = await newAuthority('cluster', Date.now());
    return new TunnelWorld(await openAuthority(keyPair, { now: () => Date.now() }));
  }

  /** What `CN=system:node:NAME` proves itself with. */
  async node(name: string, more: Partial<CertificateRequest> = {}): Promise<TunnelCredentials> {
    return this.issue({
      commonName: `system:node:${name}`,
      organizations: ['system:nodes'],
      usages: ['client'],
      ...more,
    });
  }

  async issue(request: CertificateRequest): Promise<TunnelCredentials> {
    const { certificate, key: privateKey } = await this.authority.issue(request);
    return { certificate, privateKey, certificateAuthority: this.authority.keyPair.certificate };
  }

  async server({ host = '127.0.0.1', ...setup }: ServerSetup = {}): Promise<WorldServer> {
    const credentials = await this.issue({
      commonName: 'tunnel',
      usages: ['server'],
      dnsNames: ['localhost', 'tunnel.test'],
      addresses: ['127.0.0.1', '::1'],
    });
    const metrics = createMetricsRegistry();
    const server = createTunnelServer(
      {
        listen: [{ host, port: 0, entry: setup.entry ?? 'tls' }],
        limits: setup.limits ?? {},
        timeouts: { ...timeoutsOfTests, ...setup.timeouts },
      },
      {
        clock: systemClock,
        log: silentLogger,
        metrics,
        credentials: () => credentials,
        identify: ({ subject }) => {
          const name = /^CN=system:node:(.+)$/m.exec(subject)?.[1];
          if (name === undefined) return { kind: 'refused', reason: 'this is no node' };
          return { kind: 'accepted', peer: name };
        },
        ...setup,
      },
    );
    await server.start(signal);
    this.#stops.push(() => server.stop());
    return Object.assign(server, { metrics });
  }

  async agent(setup: AgentSetup): Promise<WorldAgent> {
    const { name = 'node-1', servers, carriers, proxy, limits = {}, timeouts, ...deps } = setup;
    const credentials = await this.node(name);
    const metrics = createMetricsRegistry();
    const agent = createTunnelAgent(
      {
        servers: servers.map((one) => (typeof one === 'number' ? { address: `127.0.0.1:${one}` } : one)),
        carriers,
        proxy,
        limits,
        timeouts: { ...timeoutsOfTests, ...timeouts },
      },
      {
        clock: systemClock,
        random: Math.random,
        log: silentLogger,
        metrics,
        credentials: async () => credentials,
        allow: (connect) => ({ kind: 'allowed', connect }),
        ...deps,
      },
    );
    await agent.start(signal);
    this.#stops.push(() => agent.stop());
    return Object.assign(agent, { metrics });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const stop of this.#stops.toReversed()) await stop();
  }
}

/** Resolves once the server has a session of that peer that takes streams. */
export const joined = (server: TunnelServer, peer = 'node-1'): Promise<true> =>
  until(`a session of ${peer}`, () => server.reaches(peer));

export const open = (server: TunnelServer, target: string, peer = 'node-1'): Promise<Duplex> =>
  server.open({ peer, target, signal });

/** Says all of `words`, then reads all there is. */
export async function ask(stream: Duplex, words: string | Uint8Array): Promise<string> {
  stream.end(words);
  return text(stream);
}

/** Why the first link of an agent waits. */
function failureOf(agent: WorldAgent): string {
  const state = agent.links[0]?.state;
  return state?.kind === 'waiting' && state.error instanceof Error
    ? `${state.error.message}: ${String((state.error.cause as Error | undefined)?.message)}`
    : '';
}

/** Until the first link of an agent waits because of something like this. */
export const fails = (agent: WorldAgent, words: RegExp): Promise<true> =>
  until(`a failure like ${words.source}`, () => words.test(failureOf(agent)));
