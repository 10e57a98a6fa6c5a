import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { SelvedgeError, hasCode, isAbort } from '@selvedge/kit';
import { formatTarget, isServiceName, parseTarget } from '../protocol/target.ts';
import { createLedger, type Ledger } from '../session/ledger.ts';
import { createTunnelMetrics, type TunnelMetrics } from '../session/metrics.ts';
import type { Opener } from '../session/opener.ts';
import { defaultLimits, defaultTimeouts, type SessionTimeouts, type SessionView } from '../types.ts';
import { createGate, type Gate } from './gate.ts';
import { Sessions } from './sessions.ts';
import type {
  Entry,
  ListenAddress,
  OpenRequest,
  SessionChange,
  TunnelServer,
  TunnelServerDeps,
  TunnelServerLimits,
  TunnelServerOptions,
} from './types.ts';

const serverLimits: TunnelServerLimits = {
  ...defaultLimits,
  maxSessions: 20_000,
  maxSessionsPerPeer: 4,
  maxHandshakes: 1_000,
};

const serverTimeouts: SessionTimeouts = { ...defaultTimeouts, quietMs: 11_000, pingMs: 3_000 };

/** How often another session is tried when one drains in the moment in which a stream is asked for. */
const maxTries = 3;

const drainReason = 'the server is being drained';

class Tunnels implements TunnelServer {
  readonly name = 'tunnel-server';
  readonly #options: TunnelServerOptions;
  readonly #metrics: TunnelMetrics;
  readonly #deps: TunnelServerDeps;
  readonly #ledger: Ledger;
  readonly #sessions: Sessions;
  readonly #gate: Gate;
  readonly #listeners: Server[] = [];
  #drained: Promise<void> | undefined;

  constructor(options: TunnelServerOptions, deps: TunnelServerDeps) {
    const limits = { ...serverLimits, ...options.limits };
    const timeouts = { ...serverTimeouts, ...options.timeouts };
    this.#options = options;
    this.#deps = deps;
    this.#metrics = createTunnelMetrics(deps.metrics);
    this.#ledger = createLedger(limits, { clock: deps.clock, onCut: () => this.#metrics.cuts.add() });
    this.#sessions = new Sessions(
      { limits, timeouts },
      {
        clock: deps.clock,
        log: deps.log,
        ledger: this.#ledger,
        services: (peer) => ({ connect: (name, signal) => this.#connect(name, peer, signal) }),
      },
    );
    const { maxHandshakes } = limits;
    this.#gate = createGate(
      { maxHandshakes, handshakeMs: timeouts.handshakeMs },
      {
        clock: deps.clock,
        credentials: deps.credentials,
        identify: deps.identify,
        onProved: (proved) => this.#sessions.add(proved),
        onFailed: (why, remote, detail) => {
          deps.log.debug('handshake failed', { why, remote, ...(detail !== undefined && { detail }) });
          this.#metrics.sessions.add({ outcome: why });
        },
      },
    );
    const sampled = (name: string, help: string, read: () => number): void =>
      deps.metrics.sampled({ name: `selvedge_tunnel_${name}`, help }, read);
    sampled('sessions', 'Sessions now.', () => this.#sessions.all.length);
    sampled('handshakes', 'Connections that have not proved who they are.', () => this.#gate.pending);
    sampled('held_bytes', 'Bytes that wait for readers that do not keep up.', () => this.#ledger.heldBytes);
    this.onChange(({ kind, session: { direction, carrier } }) => {
      if (kind === 'opened') this.#metrics.sessions.add({ direction, carrier, outcome: kind });
    });
  }

  get ports(): readonly number[] {
    return this.#listeners.map((listener) => (listener.address() as AddressInfo).port);
  }

  get sessions(): readonly SessionView[] {
    return this.#sessions.all.map(({ view }) => view);
  }

  async start(): Promise<void> {
    for (const address of this.#options.listen ?? []) await this.#listen(address);
  }

  async stop(): Promise<void> {
    await this.drain();
    await this.#gate.close();
    await this.#sessions.close();
    await this.#ledger.close();
  }

  accept(socket: Socket, entry: Entry = 'tls'): void {
    if (this.#drained === undefined) this.#gate.accept(socket, entry);
    else socket.destroy();
  }

  onChange(listener: (change: SessionChange) => void): Disposable {
    return this.#sessions.changes.add(listener);
  }

  reaches(peer: string): boolean {
    return this.#sessions.peer(peer)?.usable ?? false;
  }

  async open({ peer, target, signal }: OpenRequest): Promise<Duplex> {
    const begun = this.#deps.clock.monotonicMs();
    const direction = 'reverse';
    try {
      const stream = await this.#open(peer, target, signal);
      this.#metrics.openSeconds.observe((this.#deps.clock.monotonicMs() - begun) / 1_000);
      this.#metrics.streams.add({ direction, outcome: 'opened' });
      return stream;
    } catch (error) {
      const outcome = error instanceof SelvedgeError ? error.code : 'Aborted';
      this.#metrics.streams.add({ direction, outcome });
      throw error;
    }
  }

  end(peer: string, reason: string): void {
    this.#sessions.end(peer, reason);
  }

  drain(reason: string = drainReason): Promise<void> {
    this.#drained ??= this.#drain(reason);
    return this.#drained;
  }

  async #drain(reason: string): Promise<void> {
    const closed = this.#listeners.map(async (listener) => {
      if (listener.listening) await once(listener.close(), 'close');
    });
    await Promise.all([this.#sessions.drain(reason), ...closed]);
  }

  async #listen({ host, port, entry = 'tls' }: ListenAddress): Promise<void> {
    const listener = createServer((socket) => this.accept(socket, entry));
    listener.listen({ host, port });
    await once(listener, 'listening');
    this.#listeners.push(listener);
  }

  async #open(peer: string, text: string, signal: AbortSignal): Promise<Duplex> {
    const target = parseTarget(text);
    if (target === undefined) throw new SelvedgeError(`${text} is not host:port`, { code: 'Invalid' });
    for (let tries = 1; ; tries += 1) {
      const opener = await this.#pick(peer, signal);
      try {
        return await opener.open(formatTarget(target), signal);
      } catch (error) {
        const passed = hasCode(error, 'Unavailable') && error.details['refused'] === true;
        if (!passed || tries === maxTries) throw error;
      }
    }
  }

  async #pick(peer: string, signal: AbortSignal): Promise<Opener> {
    const opener = await this.#sessions.peer(peer)?.pick(signal);
    if (opener !== undefined) return opener;
    throw new SelvedgeError(`there is no tunnel to ${peer}`, {
      code: 'Unavailable',
      details: { noSession: true },
    });
  }

  async #connect(service: string, peer: string, signal: AbortSignal): Promise<Duplex> {
    const direction = 'forward';
    try {
      const dial = isServiceName(service) ? this.#deps.service?.(service, peer) : undefined;
      if (dial === undefined) throw new SelvedgeError(`there is no service ${service}`, { code: 'NotFound' });
      const stream = await dial(signal);
      this.#metrics.streams.add({ direction, outcome: 'opened' });
      return stream;
    } catch (error) {
      const outcome =
        error instanceof SelvedgeError ? error.code : isAbort(error) ? 'Aborted' : 'Unavailable';
      this.#metrics.streams.add({ direction, outcome });
      throw error;
    }
  }
}

/** The server's end of the tunnel. Does no I/O before it is started or given a socket. */
export function createTunnelServer(options: TunnelServerOptions, deps: TunnelServerDeps): TunnelServer {
  return new Tunnels(options, deps);
}
