import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import {
  type Clock,
  type Counter,
  type Logger,
  type MetricsRegistry,
  SelvedgeError,
  type Service,
  type TaskGroup,
  createTaskGroup,
  hasCode,
  limitRepeats,
  raceAbort,
  scoped,
  withDeadline,
} from '@selvedge/kit';
import { breakOff, destroyOnAbort, relay } from '@selvedge/kit/net';
import type { Address } from '../config/index.ts';
import type { Opened, Router } from '../egress/index.ts';
import type { Drained } from '../drain.ts';
import { type Newcomers, type Places, createNewcomers, createPlaces } from '@selvedge/kit/serve';
import { type Alert, alertRecord } from './client-hello.ts';
import type { Kubelet } from './lookup.ts';
import { readHello } from './read-hello.ts';

export interface KubeletProxyOptions {
  readonly listen: Address;
  readonly limits?: Partial<KubeletProxyLimits>;
}

export interface KubeletProxyDeps {
  readonly lookup: (serverName: string) => Kubelet;
  readonly router: Pick<Router, 'openNode' | 'openDirect'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
}

export interface KubeletProxy extends Service, Drained {
  /** Once started. */
  readonly port: number;
  /** That are open, or being opened. */
  readonly connections: number;
}

/** See docs/limits.md. */
export interface KubeletProxyLimits {
  /** Default 10,000. */
  readonly connections: number;
  /** Default 2,000: a Prometheus asks all nodes from one address. */
  readonly connectionsPerAddress: number;
  /** Of one address to one node. Default 32: a kubelet takes 256 from the tunnel, of all addresses together. */
  readonly connectionsPerAddressAndNode: number;
  /** Connections that have not said whom they want. Default 1,000; one more costs the eldest its place. */
  readonly newcomers: number;
  /** Time for a whole ClientHello. Default 10,000. */
  readonly helloMs: number;
  /** Without a byte in either direction. Default 4 hours. */
  readonly idleMs: number;
}

const defaultLimits: KubeletProxyLimits = {
  connections: 10_000,
  connectionsPerAddress: 2_000,
  connectionsPerAddressAndNode: 32,
  newcomers: 1_000,
  helloMs: 10_000,
  idleMs: 4 * 3_600_000,
};

/** What is told to a client that gets no connection, and what is counted. */
interface Ending {
  readonly alert: Alert;
  readonly outcome: 'malformed' | 'unnamed' | 'unknown' | 'limited' | 'failed';
}

class Refusal extends SelvedgeError {
  readonly ending: Ending;

  constructor(message: string, ending: Ending) {
    super(message, { code: 'Forbidden' });
    this.ending = ending;
  }
}

const silent = (): SelvedgeError =>
  new SelvedgeError('nothing was said for too long', { code: 'DeadlineExceeded' });

const endingOf = (error: unknown): Ending => {
  if (error instanceof Refusal) return error.ending;
  const outcome = hasCode(error, 'ResourceExhausted') ? 'limited' : 'failed';
  return { alert: 'internalError', outcome };
};

type KnownKubelet = Exclude<Kubelet, { readonly kind: 'unknown' }>;

interface Accepted {
  readonly socket: Socket;
  /** Its address. */
  readonly client: string;
  /** Given back when the connection ends. */
  readonly held: DisposableStack;
}

class Passthrough implements KubeletProxy {
  readonly name = 'kubelet proxy';
  readonly #options: KubeletProxyOptions;
  readonly #deps: KubeletProxyDeps;
  readonly #log: Logger;
  readonly #server: Server;
  readonly #tasks: TaskGroup;
  readonly #places: Places;
  /** Of an address at a node. */
  readonly #pairs: Places;
  readonly #limits: KubeletProxyLimits;
  readonly #newcomers: Newcomers;
  readonly #outcomes: Counter;
  readonly #clients = new Set<Socket>();
  #closed: Promise<unknown> | undefined;

  constructor(options: KubeletProxyOptions, deps: KubeletProxyDeps) {
    const { metrics, log } = deps;
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#deps = deps;
    this.#log = limitRepeats({ windowMs: 60_000 }, deps);
    this.#tasks = createTaskGroup(
      { name: this.name, maxTasks: this.#limits.connections },
      { onFailure: (error) => log.error('connection failed', { error }) },
    );
    const { connections: total, connectionsPerAddress: perClient, newcomers } = this.#limits;
    this.#newcomers = createNewcomers(newcomers);
    this.#places = createPlaces({ what: 'connections', total, perClient });
    const { connectionsPerAddressAndNode: perPair } = this.#limits;
    this.#pairs = createPlaces({ what: 'connections', perClient: perPair });
    this.#outcomes = metrics.counter({
      name: 'selvedge_kubelet_proxy_connections_total',
      help: 'Connections of clients in the cluster to kubelets, by outcome.',
    });
    metrics.sampled(
      { name: 'selvedge_kubelet_proxy_connections', help: 'Connections that are open.' },
      () => this.#places.taken,
    );
    const tcp = { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 };
    this.#server = createServer(tcp, (socket) => this.#accept(socket));
    this.#server.maxConnections = total;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? 0;
  }

  get clients(): ReadonlySet<Socket> {
    return this.#clients;
  }

  get connections(): number {
    return this.#places.taken;
  }

  async start(signal: AbortSignal): Promise<void> {
    const { host, port } = this.#options.listen;
    const listening = once(this.#server, 'listening');
    this.#server.listen({ host, port });
    try {
      await raceAbort(listening, signal);
    } catch (cause) {
      signal.throwIfAborted();
      const message = `${this.name} cannot listen on ${host} port ${port}`;
      throw new SelvedgeError(message, { code: 'Unavailable', cause });
    }
    this.#deps.log.info('listening', { listener: this.name, host, port: this.port });
  }

  async refuse(): Promise<void> {
    if (this.#server.listening) this.#closed = once(this.#server.close(), 'close');
  }

  async stop(): Promise<void> {
    await this.refuse();
    await this.#tasks.stop();
    await this.#closed;
  }

  #accept(socket: Socket): void {
    socket.on('error', () => undefined);
    this.#newcomers.add(socket);
    const client = socket.remoteAddress ?? '';
    try {
      this.#tasks.run(client, (signal) => this.#handle(socket, client, signal));
    } catch {
      // What is on its way out counts too.
      this.#outcomes.add({ outcome: 'limited' });
      socket.destroy();
    }
  }

  async #handle(socket: Socket, client: string, signal: AbortSignal): Promise<void> {
    using scope = scoped(signal);
    socket.once('close', () => scope.abort());
    destroyOnAbort(socket, signal, (error) => breakOff(socket, error));
    try {
      using held = new DisposableStack();
      held.use(this.#places.take(client));
      await this.#serve({ socket, client, held }, scope.signal);
    } catch (error) {
      this.#end(socket, client, error);
    }
  }

  async #serve({ socket, client, held }: Accepted, signal: AbortSignal): Promise<void> {
    const within = { what: 'a ClientHello', timeoutMs: this.#limits.helloMs, signal };
    const greeting = await withDeadline(within, this.#deps.clock, (inner) => readHello(socket, inner));
    this.#newcomers.remove(socket);
    if (greeting === undefined) {
      socket.destroy();
      return;
    }
    this.#clients.add(socket);
    socket.once('close', () => this.#clients.delete(socket));
    const { hello, bytes } = greeting;
    if (hello.kind === 'malformed') {
      throw new Refusal(hello.problem, { alert: 'decodeError', outcome: 'malformed' });
    }
    const kubelet = this.#lookup(hello.serverName);
    held.use(this.#pairs.take(`${client} to ${kubelet.node}`));
    const opened = await this.#open(kubelet, signal);
    this.#outcomes.add({ outcome: 'opened' });
    opened.stream.write(bytes);
    socket.setTimeout(this.#limits.idleMs, () => breakOff(socket, silent()));
    await relay(socket, opened.stream);
  }

  /** Throws `Refusal`. */
  #lookup(serverName: string | undefined): KnownKubelet {
    const alert = 'unrecognizedName';
    if (serverName === undefined) {
      throw new Refusal('the client names no server', { alert, outcome: 'unnamed' });
    }
    const kubelet = this.#deps.lookup(serverName);
    if (kubelet.kind === 'unknown') throw new Refusal(kubelet.reason, { alert, outcome: 'unknown' });
    return kubelet;
  }

  #open({ kind, node, target }: KnownKubelet, signal: AbortSignal): Promise<Opened> {
    const { router } = this.#deps;
    return kind === 'edge' ? router.openNode(node, target, signal) : router.openDirect(target, signal);
  }

  #end(socket: Socket, client: string, error: unknown): void {
    if (socket.destroyed) return;
    const { alert, outcome } = endingOf(error);
    this.#outcomes.add({ outcome });
    this.#log.info('connection to a kubelet refused', { client, outcome, error });
    socket.end(alertRecord(alert), () => socket.destroy());
  }
}

/**
 * Takes TLS connections of clients in the cluster to the kubelet that their server name (SNI) names. TLS ends there: nothing
 * of it is read here but that name, and who may do what is the kubelet's to decide.
 */
export function createKubeletProxy(options: KubeletProxyOptions, deps: KubeletProxyDeps): KubeletProxy {
  return new Passthrough(options, deps);
}
