import {
  SelvedgeError,
  aborted,
  createBackoff,
  createPoke,
  createSingleFlight,
  createStateMachine,
  createTaskGroup,
  explain,
  type Backoff,
  type Clock,
  type Logger,
  type Poke,
  type Random,
  type StateMachine,
  type TaskGroup,
} from '@selvedge/kit';
import type { HttpProxy, SocketServices } from '@selvedge/kit/net';
import { acceptStreams, type AcceptorDeps } from '../session/acceptor.ts';
import { answeringEnd, openingEnd } from '../session/http2.ts';
import type { Ledger } from '../session/ledger.ts';
import { Opener } from '../session/opener.ts';
import { Session, type SessionDeps, type SessionOptions } from '../session/session.ts';
import type { Carrier, Direction, SessionLimits, TunnelCredentials } from '../types.ts';
import { connectServer, type Connected } from './carriers.ts';
import { outcomeOf, type ConnectOutcome } from './outcome.ts';
import type { AgentTimeouts, CarrierMemory, LinkState, LinkView, TunnelServerAddress } from './types.ts';

export interface LinkOptions extends SocketServices {
  readonly server: TunnelServerAddress;
  readonly carriers: readonly Carrier[];
  readonly proxy: HttpProxy | undefined;
  readonly limits: SessionLimits;
  readonly timeouts: AgentTimeouts;
}

export interface LinkDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly ledger: Ledger;
  readonly credentials: (signal: AbortSignal) => Promise<TunnelCredentials>;
  readonly memory: CarrierMemory;
  /** Answers the streams that the server opens. */
  readonly acceptor: AcceptorDeps;
  /** Unique for each session of the agent. */
  readonly nextId: () => number;
  readonly onChange: (link: LinkView) => void;
  /** What became of an attempt to connect. */
  readonly onTried: (direction: Direction, carrier: Carrier, outcome: ConnectOutcome) => void;
}

const moves = {
  idle: ['connecting', 'stopped'],
  connecting: ['connecting', 'up', 'waiting', 'stopped'],
  up: ['connecting', 'waiting', 'stopped'],
  waiting: ['connecting', 'stopped'],
  stopped: [],
} as const;

/**
 * The link to one server: one reverse session that takes streams, those before it that drain, and a forward session from
 * when it is first wanted. What breaks is opened again after a jittered wait; what is renewed, before the old one drains.
 */
export class Link {
  readonly #options: LinkOptions;
  readonly #deps: LinkDeps;
  readonly #machine: StateMachine<LinkState>;
  readonly #backoff: Backoff;
  readonly #changed: Poke;
  readonly #tasks: TaskGroup;
  readonly #sessions = new Set<Session>();
  readonly #forwarding = createSingleFlight<Opener>();
  #forward: Opener | undefined;
  #renewing = false;

  constructor(options: LinkOptions, deps: LinkDeps) {
    this.#options = options;
    this.#deps = deps;
    const { retryMs: initialMs, maxRetryMs: maxMs } = options.timeouts;
    this.#backoff = createBackoff({ initialMs, maxMs, resetAfterMs: maxMs }, deps);
    this.#changed = createPoke(deps.clock);
    this.#tasks = createTaskGroup(
      { name: 'link' },
      { onFailure: (error) => deps.log.error('link failed', { server: this.server, error }) },
    );
    this.#machine = createStateMachine<LinkState>(
      { name: 'tunnel link', initial: { kind: 'idle' }, moves },
      { log: deps.log.with({ server: this.server }), onMove: () => this.#tell() },
    );
  }

  get server(): string {
    return this.#options.server.address;
  }

  get view(): LinkView {
    const sessions = Array.from(this.#sessions, ({ view }) => view);
    return { server: this.server, state: this.#machine.current, sessions };
  }

  start(): void {
    this.#tasks.run('link', (signal) => this.#run(signal));
  }

  async stop(): Promise<void> {
    const closed = Array.from(this.#sessions, ({ closed: one }) => one);
    for (const session of this.#sessions) session.end('the agent stopped');
    await this.#tasks.stop();
    await Promise.all(closed);
    if (this.#machine.current.kind !== 'stopped') this.#machine.move({ kind: 'stopped' });
  }

  /** Opens new sessions; those of now drain once a new one is up. */
  renew(): void {
    this.#renewing = true;
    this.#forward?.session.drain('the agent renewed its certificate');
    this.#forward = undefined;
    this.#changed.poke();
  }

  /** What opens streams to the server's services. Rejects as `connectServer`, or with what the server said instead. */
  async forward(signal: AbortSignal): Promise<Opener> {
    if (this.#tasks.signal.aborted) throw aborted('the agent');
    const held = this.#forward;
    // One that was told to go may look alive for a moment.
    if (held?.session.state.kind === 'live' && held.session.failure === undefined) return held;
    return this.#forwarding.run('forward', signal, async (inner) => {
      const make = (connected: Connected, carrier: Carrier): Opener => this.#opener(connected, carrier);
      this.#forward = await this.#connect('forward', make, inner);
      return this.#forward;
    });
  }

  async #run(signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        await this.#hold(signal);
        if (this.#renewing) continue;
        await this.#wait(undefined, signal);
      } catch (error) {
        signal.throwIfAborted();
        await this.#wait(error, signal);
      }
    }
  }

  async #wait(error: unknown, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#deps;
    const waitMs = this.#backoff.nextDelayMs();
    if (error !== undefined) log.warn('no tunnel', { server: this.server, error: explain(error) });
    this.#machine.move({ kind: 'waiting', error, untilMs: clock.now() + waitMs });
    await clock.sleep(waitMs, signal);
  }

  /** Has a session until it no longer takes streams, or another is wanted. */
  async #hold(signal: AbortSignal): Promise<void> {
    const make = (connected: Connected, carrier: Carrier): { readonly session: Session } => ({
      session: this.#answerer(connected, carrier),
    });
    const { session } = await this.#connect('reverse', make, signal);
    const { carrier, version } = session.facts;
    this.#renewing = false;
    this.#machine.move({ kind: 'up', carrier, version, sinceMs: this.#deps.clock.now() });
    this.#backoff.up();
    for (const other of this.#sessions) {
      if (other !== session && other.facts.direction === 'reverse') other.drain('a newer session took over');
    }
    while (session.state.kind === 'live' && !this.#renewing) await this.#changed.wait(undefined, signal);
    if (session.failure !== undefined && session.state.kind === 'ended') throw session.failure;
  }

  /** Tries one carrier after the other. What the server itself refuses is not tried in another way. */
  async #connect<T extends { readonly session: Session }>(
    direction: Direction,
    make: (connected: Connected, carrier: Carrier) => T,
    signal: AbortSignal,
  ): Promise<T> {
    let failure: Error | undefined;
    for (const carrier of this.#order()) {
      if (direction === 'reverse') {
        this.#machine.move({ kind: 'connecting', carrier, sinceMs: this.#deps.clock.now() });
      }
      try {
        const made = await this.#try(direction, carrier, { make, signal });
        this.#deps.onTried(direction, carrier, 'opened');
        return made;
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof Error)) throw error;
        failure = error;
        const outcome = outcomeOf(error);
        this.#deps.onTried(direction, carrier, outcome);
        if (outcome === 'refused') break;
      }
    }
    throw failure ?? new SelvedgeError('there is no carrier to try', { code: 'Invalid' });
  }

  async #try<T extends { readonly session: Session }>(
    direction: Direction,
    carrier: Carrier,
    {
      make,
      signal,
    }: { readonly make: (connected: Connected, carrier: Carrier) => T; readonly signal: AbortSignal },
  ): Promise<T> {
    const { clock, memory } = this.#deps;
    const credentials = await this.#deps.credentials(signal);
    const connected = await connectServer(
      { ...this.#options, direction, carrier, credentials },
      clock,
      signal,
    );
    const made = make(connected, carrier);
    await this.#enter(made.session, signal);
    if (memory.get(this.server) !== carrier) memory.set(this.server, carrier);
    return made;
  }

  /** The carrier that worked last first; after a renewal, which costs nothing if it fails, as configured. */
  #order(): readonly Carrier[] {
    const { carriers } = this.#options;
    const last = this.#renewing ? undefined : this.#deps.memory.get(this.server);
    if (last === undefined || !carriers.includes(last)) return carriers;
    return [last, ...carriers.filter((one) => one !== last)];
  }

  #sessionOptions({ socket, protocol, remote = this.server }: Connected, carrier: Carrier): SessionOptions {
    const { limits, timeouts } = this.#options;
    const facts = { id: this.#deps.nextId(), peer: this.server, carrier, remote, ...protocol };
    const expiresMs = socket.getPeerX509Certificate()?.validToDate.getTime() ?? Number.POSITIVE_INFINITY;
    return { ...facts, expiresMs, initial: 'live', limits, timeouts };
  }

  #sessionDeps({ socket, unsentBytes }: Connected): SessionDeps {
    const onMove = (): void => {
      this.#changed.poke();
      this.#tell();
    };
    return { ...this.#deps, socket, unsentBytes, onMove };
  }

  #answerer(connected: Connected, carrier: Carrier): Session {
    const { socket } = connected;
    const http2 = answeringEnd(socket, this.#options.limits);
    const session = new Session(
      http2,
      this.#sessionOptions(connected, carrier),
      this.#sessionDeps(connected),
    );
    acceptStreams({ session, http2 }, this.#deps.acceptor);
    return session;
  }

  #opener(connected: Connected, carrier: Carrier): Opener {
    const { socket } = connected;
    const http2 = openingEnd(socket, this.#options.limits);
    const session = new Session(
      http2,
      this.#sessionOptions(connected, carrier),
      this.#sessionDeps(connected),
    );
    return new Opener({ session, http2 }, this.#options, this.#deps);
  }

  async #enter(session: Session, signal: AbortSignal): Promise<void> {
    await session.ready(signal);
    this.#sessions.add(session);
    this.#tasks.run('session', async () => {
      await session.closed;
      this.#sessions.delete(session);
      this.#tell();
    });
    if (this.#tasks.signal.aborted) session.end('the agent stopped');
  }

  #tell(): void {
    this.#deps.onChange(this.view);
  }
}
