import type { Socket } from 'node:net';
import {
  type Logger,
  type MetricsRegistry,
  SelvedgeError,
  type Service,
  hasCode,
  isAbort,
  scoped,
} from '@selvedge/kit';
import { destroyOnAbort, relay } from '@selvedge/kit/net';
import { type Target, parseTarget } from '@selvedge/tunnel';
import type { EgressConfig } from '../config/index.ts';
import { type PemFiles, type Places, createPlaces } from '../serving/index.ts';
import { acceptance, refusalText, relayHeader } from './answers.ts';
import {
  type ConnectListener,
  type ConnectRequest,
  createTlsListener,
  createUnixListener,
  unixClient,
} from './connect-listener.ts';
import type { EgressMetrics } from './metrics.ts';
import type { Opened, Router } from './router.ts';

export interface EgressDeps {
  readonly router: Router;
  /** With `tls` in the config. */
  readonly pem: PemFiles | undefined;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
  readonly egressMetrics: EgressMetrics;
}

/** Where the API server's connections into the cluster come out. */
export interface Egress extends Service {
  /** Of the TLS listener, once started. */
  readonly port: number | undefined;
  /** That are open, or being opened. */
  readonly streams: number;
}

const limits = {
  streams: 10_000,
  streamsPerClient: 5_000,
  /** As the kubelet has it for streams: `streamingConnectionIdleTimeout`. */
  idleMs: 4 * 3_600_000,
};

/** Joins a client to what was opened for it, until both have ended. */
async function join(socket: Socket, { stream, rule }: Opened, metrics: EgressMetrics): Promise<void> {
  const bytes = { to: 0, from: 0 };
  socket.on('data', (chunk: Buffer) => (bytes.to += chunk.length));
  stream.on('data', (chunk: Buffer) => (bytes.from += chunk.length));
  socket.setTimeout(limits.idleMs, () => socket.destroy());
  await relay(socket, stream);
  metrics.bytes.add({ rule, direction: 'to_target' }, bytes.to);
  metrics.bytes.add({ rule, direction: 'from_target' }, bytes.from);
}

class Connects {
  readonly #names: { readonly clients: ReadonlySet<string>; readonly servers: ReadonlySet<string> };
  readonly #deps: EgressDeps;
  readonly places: Places;

  constructor({ tls }: EgressConfig, deps: EgressDeps) {
    this.#names = {
      clients: new Set([unixClient, ...(tls?.clients ?? [])]),
      servers: new Set(tls?.servers ?? []),
    };
    this.#deps = deps;
    const { streams: total, streamsPerClient: perClient } = limits;
    this.places = createPlaces({ what: 'streams', total, perClient });
    deps.metrics.sampled(
      { name: 'selvedge_egress_streams', help: 'Streams that are open, or being opened.' },
      () => this.places.taken,
    );
  }

  async serve(request: ConnectRequest, signal: AbortSignal): Promise<void> {
    const { socket, head, client, authority } = request;
    using scope = scoped(signal);
    socket.once('close', () => scope.abort());
    try {
      using held = new DisposableStack();
      held.use(this.places.take(client));
      const opened = await this.#open(request, scope.signal);
      destroyOnAbort(opened.stream, signal, (error) => opened.stream.destroy(error));
      socket.write(acceptance);
      if (head.length > 0) socket.unshift(head);
      await join(socket, opened, this.#deps.egressMetrics);
    } catch (error) {
      if (!isAbort(error)) this.#deps.log.debug('no stream', { client, authority, error });
      if (hasCode(error, 'ResourceExhausted')) this.#countLimited();
      if (socket.writable) socket.end(refusalText(error), () => socket.destroy());
    }
  }

  #countLimited(): void {
    this.#deps.egressMetrics.streams.add({ rule: 'none', way: 'none', outcome: 'limited' });
  }

  #open({ client, authority, headers }: ConnectRequest, signal: AbortSignal): Promise<Opened> {
    const target = parseTarget(authority);
    if (target === undefined) {
      throw new SelvedgeError(`${authority} is not host:port`, { code: 'Invalid' });
    }
    const relayTo = headers[relayHeader];
    if (typeof relayTo === 'string') return this.#openRelayed(client, { node: relayTo, target }, signal);
    if (this.#names.clients.has(client)) return this.#deps.router.open(target, signal);
    throw new SelvedgeError(`${client} may not open streams here`, { code: 'Forbidden' });
  }

  #openRelayed(
    client: string,
    { node, target }: { readonly node: string; readonly target: Target },
    signal: AbortSignal,
  ): Promise<Opened> {
    if (this.#names.servers.has(client)) return this.#deps.router.openHere(node, target, signal);
    throw new SelvedgeError(`${client} is no server that may relay`, { code: 'Forbidden' });
  }
}

/**
 * Serves the API server's EgressSelector, protocol `HTTPConnect`, and other servers that ask for a stream to a node which
 * is connected here. Source: kubernetes.io "Set up Konnectivity service", KEP-1281 "Network Proxy".
 */
export function createEgress(config: EgressConfig, deps: EgressDeps): Egress {
  const { pem, log } = deps;
  const connects = new Connects(config, deps);
  const serve = (request: ConnectRequest, signal: AbortSignal): Promise<void> =>
    connects.serve(request, signal);
  const unix = config.unixSocket === undefined ? [] : [createUnixListener(config.unixSocket, { serve, log })];
  const tls =
    config.tls === undefined || pem === undefined
      ? []
      : [createTlsListener(config.tls.listen, { serve, log, pem })];
  const listeners: readonly ConnectListener[] = [...unix, ...tls];
  return {
    name: 'egress',
    get port() {
      return tls[0]?.port;
    },
    get streams() {
      return connects.places.taken;
    },
    async start(signal) {
      for (const listener of listeners) await listener.start(signal);
    },
    async stop() {
      await Promise.all(listeners.map((listener) => listener.stop()));
    },
  };
}
