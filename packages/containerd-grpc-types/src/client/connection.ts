import { type ClientHttp2Session, constants } from 'node:http2';
import {
  type Backoff,
  type Clock,
  type Logger,
  type StateMachine,
  SelvedgeError,
  aborted,
  createStateMachine,
  raceAbort,
  scoped,
} from '@selvedge/kit';
import { type DialOptions, type Link, dial } from './dial.ts';

export interface ConnectionDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly backoff: Backoff;
}

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'dialing'; readonly session: Promise<ClientHttp2Session> }
  | { readonly kind: 'open'; readonly session: ClientHttp2Session }
  | { readonly kind: 'pausing'; readonly untilMs: number; readonly cause: unknown }
  | { readonly kind: 'closed' };

const moves = {
  idle: ['dialing', 'closed'],
  dialing: ['open', 'pausing', 'closed'],
  open: ['idle', 'pausing', 'closed'],
  pausing: ['dialing', 'closed'],
  closed: [],
} as const;

const lost = (): SelvedgeError => new SelvedgeError('the connection was lost', { code: 'Unavailable' });

async function destroy({ session, socket }: Link): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  if (socket.closed) resolve(undefined);
  else socket.once('close', resolve);
  session.destroy();
  socket.destroy();
  await promise;
}

/**
 * Keeps at most one session. A lost one is replaced by the next call after a jittered pause; one that the server
 * drains (GOAWAY without an error) finishes its streams while the next call already opens another. There is no
 * keepalive: on a local socket the death of the server shows at once, and gRPC servers punish frequent PINGs.
 */
export class Connection {
  readonly #options: DialOptions;
  readonly #deps: ConnectionDeps;
  readonly #life = scoped();
  readonly #links = new Set<Link>();
  readonly #state: StateMachine<State>;

  constructor(options: DialOptions, deps: ConnectionDeps) {
    this.#options = options;
    this.#deps = deps;
    const initial: State = { kind: 'idle' };
    this.#state = createStateMachine<State>({ name: 'gRPC connection', initial, moves }, { log: deps.log });
  }

  /** The open session. Rejects with `Unavailable`; at once while the pause after a failure lasts. */
  async session(signal: AbortSignal): Promise<ClientHttp2Session> {
    const { current } = this.#state;
    if (current.kind === 'closed') throw aborted('the gRPC connection');
    if (current.kind === 'open') return current.session;
    if (current.kind === 'dialing') return raceAbort(current.session, signal);
    if (current.kind === 'pausing' && this.#deps.clock.monotonicMs() < current.untilMs) {
      throw this.#unavailable(current.cause);
    }
    const session = this.#open();
    session.catch(() => undefined);
    this.#state.move({ kind: 'dialing', session });
    return raceAbort(session, signal);
  }

  /** Destroys the sessions and everything on them. Idempotent. */
  async close(): Promise<void> {
    const { current } = this.#state;
    if (current.kind === 'closed') return;
    this.#state.move({ kind: 'closed' });
    this.#life.abort(aborted('the gRPC connection'));
    await Promise.all(Array.from(this.#links, destroy));
    if (current.kind === 'dialing') await current.session.catch(() => undefined);
  }

  async #open(): Promise<ClientHttp2Session> {
    const { signal } = this.#life;
    try {
      const link = await dial(this.#options, this.#deps.clock, signal);
      if (signal.aborted) await destroy(link);
      if (link.session.destroyed) throw lost();
      this.#adopt(link);
      return link.session;
    } catch (cause) {
      signal.throwIfAborted();
      this.#pause(cause);
      throw this.#unavailable(cause);
    }
  }

  #adopt(link: Link): void {
    const { session, socket } = link;
    this.#links.add(link);
    socket.once('close', () => this.#links.delete(link));
    session.once('close', () => {
      if (this.#isCurrent(session)) this.#pause(lost());
    });
    session.once('goaway', (code) => {
      if (code === constants.NGHTTP2_NO_ERROR && this.#isCurrent(session)) this.#state.move({ kind: 'idle' });
    });
    this.#state.move({ kind: 'open', session });
    this.#deps.backoff.up();
  }

  #isCurrent(session: ClientHttp2Session): boolean {
    const { current } = this.#state;
    return current.kind === 'open' && current.session === session;
  }

  #pause(cause: unknown): void {
    const { backoff, clock } = this.#deps;
    this.#state.move({ kind: 'pausing', untilMs: clock.monotonicMs() + backoff.nextDelayMs(), cause });
  }

  #unavailable(cause: unknown): SelvedgeError {
    return new SelvedgeError(`cannot reach ${this.#options.socketPath}`, { code: 'Unavailable', cause });
  }
}
