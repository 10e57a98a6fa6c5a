import type { Duplex } from 'node:stream';
import {
  BoundedMap,
  hasCode,
  type Clock,
  type Logger,
  type MetricsRegistry,
  type Random,
} from '@selvedge/kit';
import type { OpenBytes } from '@selvedge/kit/net';
import {
  createClientOver,
  createTransport,
  kubeconfigCredentials,
  type Credentials,
  type HttpProxy,
  type HttpRequest,
  type HttpResponse,
  type HttpTimeouts,
  type KubeClient,
  type KubeMetrics,
  type Transport,
} from '@selvedge/kube';
import { sponsorKey } from '../coverages/index.ts';
import type { Sponsor } from '../coverages/types.ts';
import type { Caller } from '../request.ts';
import { createCredentialsOf, type CredentialsOf, type PartiesDeps, type Party } from './callers.ts';
import { Gate } from './gate.ts';
import { createUpstreamMetrics, meterTraffic } from './metrics.ts';
import { createMonitor, type Monitor } from './monitor.ts';
import { probeServers } from './probe.ts';
import { defaultTimings, type UpstreamTimings } from './timings.ts';
import type {
  Connectivity,
  UpgradedConnection,
  Upstream,
  UpstreamRequest,
  UpstreamResponse,
} from './types.ts';

export interface UpstreamOptions {
  /** `https://host:port`, in the order of preference; the first that is ready is kept until it fails. */
  readonly servers: readonly [string, ...string[]];
  /** Of what the hub itself asks: `program/version (os/arch)`. */
  readonly userAgent: string;
  readonly proxy?: HttpProxy | undefined;
  /** How servers are connected, if it is not by TCP or through the proxy. */
  readonly open?: OpenBytes | undefined;
  /** Certificate clients that go upstream with the user of a kubeconfig. */
  readonly clients?: readonly { readonly name: string; readonly kubeconfig: string }[] | undefined;
  readonly timings?: Partial<UpstreamTimings> | undefined;
}

export interface UpstreamDeps extends Pick<PartiesDeps, 'node' | 'sponsorToken'> {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
  readonly kubeMetrics: KubeMetrics;
}

const maxClients = 256;

function timeoutsOf({
  dialMs,
  handshakeMs,
  firstByteMs,
  quietMs,
  pingMs,
}: UpstreamTimings): Partial<HttpTimeouts> {
  return { dialMs, handshakeMs, firstByteMs, quietMs, pingMs };
}

/** Identities come from credentials only. */
function withoutAuthorization({
  authorization: _,
  ...headers
}: Readonly<Record<string, string>>): HttpRequest['headers'] {
  return headers;
}

function configuredClients(
  { clients = [] }: UpstreamOptions,
  { clock }: UpstreamDeps,
): PartiesDeps['configured'] {
  return new Map(
    clients.map(({ name, kubeconfig }) => [name, kubeconfigCredentials({ path: kubeconfig }, { clock })]),
  );
}

class HubUpstream implements Upstream {
  readonly name = 'upstream';
  readonly #options: UpstreamOptions;
  readonly #deps: UpstreamDeps;
  readonly #timings: UpstreamTimings;
  readonly #transport: Transport;
  readonly #credentialsOf: CredentialsOf;
  readonly #monitor: Monitor;
  readonly #gate: Gate;
  readonly #clients = new BoundedMap<string, KubeClient>({ capacity: maxClients });

  constructor(options: UpstreamOptions, deps: UpstreamDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#timings = { ...defaultTimings, ...options.timings };
    const { servers, proxy, open } = options;
    this.#transport = createTransport(
      { servers, proxy, open, timeouts: timeoutsOf(this.#timings), pingIdle: true },
      { ...deps, metrics: deps.kubeMetrics, onClosed: (server, error) => this.#onClosed(server, error) },
    );
    this.#credentialsOf = createCredentialsOf({ ...deps, configured: configuredClients(options, deps) });
    const metrics = createUpstreamMetrics(deps.metrics);
    meterTraffic(deps.metrics, this.#transport.traffic);
    this.#monitor = createMonitor(this.#timings, {
      ...deps,
      metrics,
      probe: (signal) => this.#probe(signal),
    });
    const server = (): string => this.#transport.server;
    this.#gate = new Gate(this.#timings, { ...deps, metrics, monitor: this.#monitor, server });
  }

  get connectivity(): Connectivity {
    return this.#monitor.connectivity;
  }

  onConnectivity(changed: (now: Connectivity) => void): Disposable {
    return this.#monitor.onConnectivity(changed);
  }

  start(signal: AbortSignal): Promise<void> {
    return this.#monitor.start(signal);
  }

  async stop(): Promise<void> {
    await this.#monitor.stop();
    await this.#transport.close();
  }

  send(caller: Caller, request: UpstreamRequest): Promise<UpstreamResponse> {
    return this.#send(caller, request);
  }

  upgrade(caller: Caller, request: UpstreamRequest): Promise<UpgradedConnection> {
    const headers = withoutAuthorization(request.headers);
    return this.#gate.pass({
      caller: caller.kind,
      signal: request.signal,
      prompt: false,
      work: async (signal) => {
        const credentials = await this.#credentialsOf(caller, signal);
        return this.#transport.upgrade({ ...request, headers, signal }, credentials);
      },
      statusOf: ({ status }) => status,
      stays: ({ socket }) => socket,
    });
  }

  dialRaw(signal: AbortSignal): Promise<Duplex> {
    return this.#gate.pass({
      caller: 'relay',
      signal,
      prompt: false,
      work: (inner) => this.#transport.dialRaw(inner),
      statusOf: () => undefined,
      stays: () => undefined,
    });
  }

  renew(): void {
    this.#transport.renew();
  }

  clientOf(sponsor: Sponsor): KubeClient {
    const key = sponsorKey(sponsor);
    const known = this.#clients.get(key) ?? this.#newClient(sponsor);
    this.#clients.set(key, known);
    return known;
  }

  #newClient(sponsor: Sponsor): KubeClient {
    const transport = this.#transport;
    const sender = {
      get server() {
        return transport.server;
      },
      send: (request: HttpRequest) => this.#send(sponsor, request),
      close: async () => undefined,
    };
    const { userAgent } = this.#options;
    return createClientOver({ userAgent }, { ...this.#deps, metrics: this.#deps.kubeMetrics, sender });
  }

  #send(party: Party, request: HttpRequest): Promise<HttpResponse> {
    const headers = withoutAuthorization(request.headers);
    return this.#gate.pass({
      caller: party.kind,
      signal: request.signal,
      prompt: request.longRunning !== true,
      work: async (signal) => {
        const credentials = await this.#credentialsOf(party, signal);
        return this.#transport.send({ ...request, headers, signal }, credentials);
      },
      statusOf: ({ status }) => status,
      stays: ({ body }) => body,
    });
  }

  async #probe(signal: AbortSignal): Promise<string> {
    const transport = this.#transport;
    const credentials = (inner: AbortSignal): Promise<Credentials> =>
      this.#credentialsOf({ kind: 'node' }, inner);
    const { userAgent } = this.#options;
    const deps = { clock: this.#deps.clock, transport, credentials };
    const server = await probeServers({ ...this.#timings, userAgent }, deps, signal);
    transport.use(server);
    return server;
  }

  /** What the server closes on purpose, or what is closed here, says nothing as long as another connection is there. */
  #onClosed(server: string, error: unknown): void {
    const { connected, server: current } = this.#transport;
    if (connected && (error === undefined || server !== current)) return;
    const { quietMs, pingMs, silentPatienceMs, patienceMs } = this.#timings;
    const silent = error instanceof Error && hasCode(error.cause, 'DeadlineExceeded');
    this.#monitor.hear({
      kind: 'suspected',
      reason: silent ? `silent for ${Math.round((quietMs + pingMs) / 1_000)} s` : 'the connection was closed',
      patienceMs: silent ? silentPatienceMs : patienceMs,
      proof: 'answer',
    });
  }
}

/**
 * The API servers as one, watched over. Starts at once, whether any of them can be reached or not; `connectivity` is
 * `connecting` until that is known. Stopping it ends everything under way.
 */
export function createUpstream(options: UpstreamOptions, deps: UpstreamDeps): Upstream {
  return new HubUpstream(options, deps);
}
