import {
  createListeners,
  createTaskGroup,
  raceAbort,
  type Clock,
  type Listeners,
  type Logger,
  type TaskGroup,
} from '@selvedge/kit';
import type { AcceptorDeps } from '../session/acceptor.ts';
import { beginAnswering, beginOpening } from '../session/begin.ts';
import type { Ledger } from '../session/ledger.ts';
import type { Session } from '../session/session.ts';
import type { Direction, SessionTimeouts } from '../types.ts';
import type { Proved } from './gate.ts';
import { Peer, type Held } from './peer.ts';
import type { SessionChange, TunnelServerLimits } from './types.ts';

export interface SessionsOptions {
  readonly limits: TunnelServerLimits;
  readonly timeouts: SessionTimeouts;
}

export interface SessionsDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly ledger: Ledger;
  /** Answers the streams of forward sessions. */
  readonly services: (peer: string) => AcceptorDeps;
}

/** A session before it is admitted. */
interface Begun {
  readonly held: Held;
  /** Lets its streams in. */
  readonly admit: () => void;
}

/** The first streams of a peer may come in one piece with the answer that it is admitted for. */
const onceAdmitted = (admitted: Promise<void>, services: AcceptorDeps): AcceptorDeps => ({
  ...services,
  connect: async (name, signal) => {
    await raceAbort(admitted, signal);
    return services.connect(name, signal);
  },
});

/** Who holds a session with this server. */
export class Sessions {
  readonly changes: Listeners<SessionChange>;
  readonly #options: SessionsOptions;
  readonly #deps: SessionsDeps;
  readonly #peers = new Map<string, Peer>();
  readonly #held = new Map<Session, Held>();
  readonly #tasks: TaskGroup;
  #lastId = 0;
  #draining: string | undefined;

  constructor(options: SessionsOptions, deps: SessionsDeps) {
    this.#options = options;
    this.#deps = deps;
    this.changes = createListeners(deps.log);
    const maxTasks = options.limits.maxSessions * 2 + options.limits.maxHandshakes;
    this.#tasks = createTaskGroup({ name: 'sessions', maxTasks }, { onFailure: () => undefined });
  }

  get all(): readonly Session[] {
    return [...this.#held.keys()];
  }

  peer(name: string): Peer | undefined {
    return this.#peers.get(name);
  }

  /** Makes a session of a connection, or tells the other end why not. */
  add(proved: Proved): void {
    this.#tasks.run('handshake', async (signal) => {
      const { handshake } = proved;
      const { held, admit } = this.#begin(proved);
      const refusal = this.#refusal(proved) ?? (await this.#greet(held, proved, signal));
      if (refusal === undefined) {
        handshake.done();
        this.#keep(held);
        admit();
        return;
      }
      this.#deps.log.warn('session refused', { peer: held.session.facts.peer, reason: refusal });
      held.session.end(refusal);
      await held.session.closed;
      handshake.fail('refused');
    });
  }

  /** Ends the sessions of a peer at once. */
  end(name: string, reason: string): void {
    for (const { session } of this.peer(name)?.held ?? []) session.end(reason);
  }

  /** Lets no more in, sends those away that are here, and waits for them. */
  async drain(reason: string): Promise<void> {
    this.#draining = reason;
    for (const session of this.all) session.drain(reason);
    await Promise.all(this.all.map(({ closed }) => closed));
  }

  async close(): Promise<void> {
    for (const session of this.all) session.end('the server stopped');
    await this.#tasks.stop();
  }

  /** Until it ends. What the handshake needed, the certificate above all, is not kept. */
  #keep(held: Held): void {
    this.#enter(held);
    this.#tasks.run('session', async () => {
      await held.session.closed;
      this.#leave(held);
    });
  }

  /** Waits for its first answer. Meanwhile it may have been banned, or others may have come. */
  async #greet(held: Held, proved: Proved, signal: AbortSignal): Promise<string | undefined> {
    await held.session.ready(signal);
    return this.#refusal(proved);
  }

  /** The session is nobody's yet: streams that it asks for wait until it is admitted. */
  #begin({ socket, identify, expiresMs, protocol, carrier, handshake }: Proved): Begun {
    const identity = identify();
    const { limits, timeouts } = this.#options;
    const peer = identity.kind === 'accepted' ? identity.peer : handshake.remote;
    this.#lastId += 1;
    const initial = protocol.direction === 'reverse' ? 'provisional' : 'live';
    const facts = { id: this.#lastId, peer, ...protocol, carrier, remote: handshake.remote };
    const options = { ...facts, expiresMs, initial, limits, timeouts } as const;
    const deps = { ...this.#deps, socket, onMove: (session: Session) => this.#moved(session) };
    if (protocol.direction === 'reverse') {
      const opener = beginOpening(options, deps);
      return { held: { session: opener.session, opener }, admit: () => undefined };
    }
    const { promise: admitted, resolve: admit } = Promise.withResolvers<void>();
    const acceptor = onceAdmitted(admitted, this.#deps.services(peer));
    const session = beginAnswering(options, { ...deps, acceptor });
    return { held: { session, opener: undefined }, admit };
  }

  #refusal({ identify, protocol }: Proved): string | undefined {
    const identity = identify();
    const { maxSessions, maxSessionsPerPeer } = this.#options.limits;
    if (identity.kind === 'refused') return identity.reason;
    if (this.#draining !== undefined) return this.#draining;
    if (this.#held.size >= maxSessions) return `this server has ${maxSessions} sessions already`;
    const own = this.#count(identity.peer, protocol.direction);
    return own < maxSessionsPerPeer ? undefined : `${identity.peer} has ${own} sessions here already`;
  }

  #count(name: string, direction: Direction): number {
    return this.peer(name)?.count(direction) ?? 0;
  }

  #enter(held: Held): void {
    const { peer: name } = held.session.facts;
    const peer = this.peer(name) ?? new Peer();
    this.#peers.set(name, peer);
    peer.add(held);
    this.#held.set(held.session, held);
    this.changes.tell({ kind: 'opened', session: held.session.view });
  }

  #leave(held: Held): void {
    const { peer: name } = held.session.facts;
    const peer = this.peer(name);
    this.#held.delete(held.session);
    peer?.remove(held);
    if (peer?.held.size === 0) this.#peers.delete(name);
    else peer?.settle();
    this.changes.tell({ kind: 'ended', session: held.session.view });
  }

  #moved(session: Session): void {
    if (!this.#held.has(session)) return;
    this.peer(session.facts.peer)?.settle();
    if (session.state.kind !== 'ended') this.changes.tell({ kind: 'moved', session: session.view });
  }
}
