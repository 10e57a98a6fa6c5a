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
import type { AcceptorDeps } from '../session/acceptor.ts';
import { beginAnswering, beginOpening } from '../session/begin.ts';
import type { Ledger } from '../session/ledger.ts';
import type { Opener } from '../session/opener.ts';
import type { Session, SessionDeps, SessionOptions } from '../session/session.ts';
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

const renewed = 'the agent renewed its certificate';

/** How far agents that are sent away at one time spread their next attempts. */
const drainSpreadMs = 200;

/**
 * The link to one server: one reverse session that takes streams, those before it that drain, and a forward session from
 * when it is first wanted. What breaks is opened again after a jittered wait, what the server sends away almost at once; what
 * is renewed, before the old one drains.
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
  /** Of the credentials, and that with which the newest reverse session was opened. */
  #generation = 0;
  #openedGeneration = 0;

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
    this.#generation += 1;
    this.#forward?.session.drain(renewed);
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
      const make = (connected: Connected, carrier: Carrier): Opener =>
        beginOpening(this.#sessionOptions(connected, carrier), this.#sessionDeps(connected));
      for (;;) {
        const generation = this.#generation;
        const opener = await this.#connect('forward', make, inner);
        if (generation === this.#generation) {
          this.#forward = opener;
          return opener;
        }
        opener.session.drain(renewed);
      }
    });
  }

  async #run(signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        const waitMs = await this.#hold(signal);
        if (waitMs > 0) await this.#wait({ waitMs, error: undefined }, signal);
      } catch (error) {
        signal.throwIfAborted();
        this.#deps.log.warn('no tunnel', { server: this.server, error: explain(error) });
        await this.#wait({ waitMs: this.#backoff.nextDelayMs(), error }, signal);
      }
    }
  }

  async #wait(
    { waitMs, error }: { readonly waitMs: number; readonly error: unknown },
    signal: AbortSignal,
  ): Promise<void> {
    const { clock } = this.#deps;
    this.#machine.move({ kind: 'waiting', error, untilMs: clock.now() + waitMs });
    await clock.sleep(waitMs, signal);
  }

  /** Has a session until it no longer takes streams, or another is wanted. Resolves with the wait before the next. */
  async #hold(signal: AbortSignal): Promise<number> {
    const make = (connected: Connected, carrier: Carrier): { readonly session: Session } => ({
      session: beginAnswering(this.#sessionOptions(connected, carrier), this.#sessionDeps(connected)),
    });
    const generation = this.#generation;
    const { session } = await this.#connect('reverse', make, signal);
    const { carrier, version } = session.facts;
    const { clock } = this.#deps;
    const sinceMs = clock.monotonicMs();
    this.#openedGeneration = generation;
    this.#machine.move({ kind: 'up', carrier, version, sinceMs: clock.now() });
    this.#backoff.up();
    for (const other of this.#sessions) {
      if (other !== session && other.facts.direction === 'reverse') other.drain('a newer session took over');
    }
    const isRenewed = (): boolean => generation !== this.#generation;
    while (session.state.kind === 'live' && !isRenewed()) await this.#changed.wait(undefined, signal);
    return isRenewed() ? 0 : this.#pauseAfter(session, clock.monotonicMs() - sinceMs);
  }

  /** How long to wait after a session. Rejects with why it broke. */
  #pauseAfter(session: Session, livedMs: number): number {
    if (!session.hasDrained && session.failure !== undefined) throw session.failure;
    // A server that sends everybody away at once is left alone.
    const isSentAway = session.hasDrained && livedMs >= this.#options.timeouts.retryMs;
    return isSentAway ? drainSpreadMs * this.#deps.random() : this.#backoff.nextDelayMs();
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
    const isRenewal = this.#openedGeneration !== this.#generation;
    const last = isRenewal ? undefined : this.#deps.memory.get(this.server);
    if (last === undefined || !carriers.includes(last)) return carriers;
    return [last, ...carriers.filter((one) => one !== last)];
  }

  #sessionOptions({ socket, protocol, remote = this.server }: Connected, carrier: Carrier): SessionOptions {
    const { limits, timeouts } = this.#options;
    const facts = { id: this.#deps.nextId(), peer: this.server, carrier, remote, ...protocol };
    const expiresMs = socket.getPeerX509Certificate()?.validToDate.getTime() ?? Number.POSITIVE_INFINITY;
    return { ...facts, expiresMs, initial: 'live', limits, timeouts };
  }

  #sessionDeps({ socket, unsentBytes }: Connected): SessionDeps & Pick<LinkDeps, 'acceptor'> {
    const onMove = (): void => {
      this.#changed.poke();
      this.#tell();
    };
    return { ...this.#deps, socket, unsentBytes, onMove };
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
