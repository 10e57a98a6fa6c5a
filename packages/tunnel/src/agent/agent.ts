import type { Duplex } from 'node:stream';
import {
  SelvedgeError,
  createListeners,
  hasCode,
  systemCode,
  type Listeners,
  type MetricsRegistry,
} from '@selvedge/kit';
import { connectTcp, parseProxy } from '@selvedge/kit/net';
import { formatTarget, isServiceName, parseTarget } from '../protocol/target.ts';
import type { AcceptorDeps } from '../session/acceptor.ts';
import { createLedger, type Ledger } from '../session/ledger.ts';
import { createTunnelMetrics } from '../session/metrics.ts';
import { defaultLimits, defaultTimeouts, type Carrier, type Direction, type Target } from '../types.ts';
import { parseAddress, parseWebSocketUrl } from './carriers.ts';
import { Link } from './link.ts';
import type { ConnectOutcome } from './outcome.ts';
import { createTraffic, type Traffic } from './traffic.ts';
import type {
  AgentTimeouts,
  CarrierMemory,
  LinkView,
  TargetTraffic,
  TunnelAgent,
  TunnelAgentDeps,
  TunnelAgentOptions,
} from './types.ts';

const agentTimeouts: AgentTimeouts = {
  ...defaultTimeouts,
  dialMs: 5_000,
  retryMs: 1_000,
  maxRetryMs: 30_000,
};

const defaultCarriers: readonly Carrier[] = ['tls', 'websocket'];

function createMemory(): CarrierMemory {
  const last = new Map<string, Carrier>();
  return { get: (server) => last.get(server), set: (server, carrier) => void last.set(server, carrier) };
}

/** TCP that stays open for what the target has still to say when the other end has said all. */
function tcpDial(dialMs: number, deps: TunnelAgentDeps) {
  return async (target: Target, signal: AbortSignal): Promise<Duplex> => {
    const url = new URL(`http://${formatTarget(target)}`);
    try {
      return await connectTcp({ url, dialMs, allowHalfOpen: true }, deps.clock, signal);
    } catch (cause) {
      signal.throwIfAborted();
      if (hasCode(cause, 'DeadlineExceeded')) throw cause;
      const message = `cannot connect to ${formatTarget(target)}: ${systemCode(cause) ?? 'failed'}`;
      throw new SelvedgeError(message, { code: 'Unavailable', cause });
    }
  };
}

/** Links that are up are asked first: they are the ones that work. */
const rank = ({ view }: Link): number => (view.state.kind === 'up' ? 0 : 1);

class Agent implements TunnelAgent {
  readonly name = 'tunnel-agent';
  readonly #deps: TunnelAgentDeps;
  readonly #ledger: Ledger;
  readonly #links: readonly Link[];
  readonly #listeners: Listeners<LinkView>;
  readonly #traffic: Traffic = createTraffic();

  constructor(options: TunnelAgentOptions, deps: TunnelAgentDeps) {
    const limits = { ...defaultLimits, ...options.limits };
    const timeouts = { ...agentTimeouts, ...options.timeouts };
    const metrics = createTunnelMetrics(deps.metrics);
    const { carriers = defaultCarriers, proxy } = options;
    const { memory = createMemory(), dial = tcpDial(timeouts.dialMs, deps), lookup, meter } = deps;
    let lastId = 0;
    this.#sample(deps.metrics);
    if (proxy !== undefined) parseProxy(proxy);
    this.#deps = deps;
    this.#listeners = createListeners(deps.log);
    this.#ledger = createLedger(limits, { clock: deps.clock, onCut: () => metrics.cuts.add() });
    const acceptor: AcceptorDeps = {
      connect: async (authority, signal) => dial(this.#allowed(authority), signal),
      onJoined: (authority, stream) => {
        metrics.streams.add({ direction: 'reverse', outcome: 'opened' });
        this.#traffic.add(authority, stream);
      },
      onRefused: (authority, error) => {
        const outcome = error instanceof SelvedgeError ? error.code : 'Unavailable';
        metrics.streams.add({ direction: 'reverse', outcome });
        deps.log.debug('stream refused', { target: authority, error });
      },
    };
    const linkDeps = {
      ...deps,
      ledger: this.#ledger,
      memory,
      acceptor,
      nextId: () => (lastId += 1),
      onChange: (link: LinkView) => this.#listeners.tell(link),
      onTried: (direction: Direction, carrier: Carrier, outcome: ConnectOutcome) =>
        metrics.sessions.add({ direction, carrier, outcome }),
    };
    this.#links = options.servers.map((server) => {
      parseAddress(server);
      parseWebSocketUrl(server);
      return new Link({ server, carriers, proxy, limits, timeouts, lookup, meter }, linkDeps);
    });
  }

  get links(): readonly LinkView[] {
    return this.#links.map(({ view }) => view);
  }

  get traffic(): readonly TargetTraffic[] {
    return this.#traffic.targets;
  }

  onChange(listener: (link: LinkView) => void): Disposable {
    return this.#listeners.add(listener);
  }

  async start(): Promise<void> {
    for (const link of this.#links) link.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#links.map((link) => link.stop()));
    await this.#ledger.close();
  }

  renew(): void {
    for (const link of this.#links) link.renew();
  }

  async openForward(service: string, signal: AbortSignal): Promise<Duplex> {
    if (!isServiceName(service)) throw new SelvedgeError(`${service} is no name`, { code: 'Invalid' });
    let failure: Error = new SelvedgeError('there is no tunnel server', { code: 'Unavailable' });
    for (const link of this.#links.toSorted((a, b) => rank(a) - rank(b))) {
      try {
        const opener = await link.forward(signal);
        return await opener.open(service, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof Error)) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  #sample(metrics: MetricsRegistry): void {
    const type = 'counter';
    const received = {
      name: 'selvedge_tunnel_received_bytes_total',
      help: 'Bytes from targets.',
      type,
    } as const;
    const sent = { name: 'selvedge_tunnel_sent_bytes_total', help: 'Bytes to targets.', type } as const;
    const held = {
      name: 'selvedge_tunnel_held_bytes',
      help: 'Bytes that wait for readers that do not keep up.',
    };
    metrics.sampled(received, () => this.#traffic.receivedBytes);
    metrics.sampled(sent, () => this.#traffic.sentBytes);
    metrics.sampled(held, () => this.#ledger.heldBytes);
  }

  /** What is dialled for a stream. Throws what is shown to who asked. */
  #allowed(authority: string): Target {
    const target = parseTarget(authority);
    if (target === undefined) throw new SelvedgeError('the target is not host:port', { code: 'Invalid' });
    const verdict = this.#deps.allow(target);
    if (verdict.kind === 'allowed') return verdict.connect;
    throw new SelvedgeError(verdict.reason, { code: 'Forbidden' });
  }
}

/** The agent's end of the tunnel. Does no I/O before it is started. Throws `Invalid` for an address that is none. */
export function createTunnelAgent(options: TunnelAgentOptions, deps: TunnelAgentDeps): TunnelAgent {
  return new Agent(options, deps);
}
