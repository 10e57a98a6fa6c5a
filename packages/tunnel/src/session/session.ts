import { constants, type Http2Session, type Http2Stream } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import {
  SelvedgeError,
  createStateMachine,
  createTaskGroup,
  messageOf,
  raceAbort,
  withDeadline,
  type Clock,
  type Logger,
  type StateMachine,
  type TaskGroup,
} from '@selvedge/kit';
import { broken, watchLink } from '@selvedge/kit/net';
import { decodeReason, encodeReason } from '../protocol/reason.ts';
import type { SessionLimits, SessionState, SessionTimeouts, SessionView } from '../types.ts';
import type { Holder, Ledger } from './ledger.ts';
import { TunnelStream, type TunnelStreamDeps } from './stream.ts';
import { Windows } from './windows.ts';

/** What is known of a session from its handshake. */
export type SessionFacts = Pick<SessionView, 'id' | 'peer' | 'direction' | 'carrier' | 'version' | 'remote'>;

export interface SessionOptions extends SessionFacts {
  /** When the certificate of the other end ends, in milliseconds since the Unix epoch; with it ends the session. */
  readonly expiresMs: number;
  readonly initial: 'live' | 'provisional';
  readonly limits: SessionLimits;
  readonly timeouts: SessionTimeouts;
}

export interface SessionDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly ledger: Ledger;
  readonly socket: TLSSocket;
  /** Bytes that wait under TLS because the other end does not read. Default: none, streams wait for them to be sent. */
  readonly unsentBytes?: (() => number) | undefined;
  /** Told after each change of the state. */
  readonly onMove: (session: Session) => void;
}

const moves = {
  provisional: ['live', 'draining', 'ended'],
  live: ['draining', 'ended'],
  draining: ['ended'],
  ended: [],
} as const;

/** How long the last words to the other end may take before the connection is closed under them. */
const lastWordsMs = 1_000;

/**
 * One end of a session, whichever it is. It watches the other end (a byte now and then, or an answer to a ping), follows
 * the link with the windows of its streams, drains, and ends: with it end its streams and its connection.
 */
export class Session implements Holder {
  readonly facts: SessionFacts;
  /** Resolves once nothing of it is left. */
  readonly closed: Promise<void>;
  readonly #http2: Http2Session;
  readonly #options: SessionOptions;
  readonly #deps: SessionDeps;
  readonly #machine: StateMachine<SessionState>;
  readonly #tasks: TaskGroup;
  readonly #sinceMs: number;
  readonly #streamDeps: TunnelStreamDeps;
  readonly #windows: Windows;
  #streams = 0;
  #hasDrained = false;
  #failure: SelvedgeError | undefined;

  constructor(http2: Http2Session, options: SessionOptions, deps: SessionDeps) {
    this.facts = options;
    this.#http2 = http2;
    this.#options = options;
    this.#deps = deps;
    this.#sinceMs = deps.clock.now();
    this.#windows = this.#createWindows();
    this.#streamDeps = {
      ledger: deps.ledger,
      owner: this,
      brokenBy: () => this.#failure ?? (http2.destroyed ? this.#lost() : undefined),
      onData: (bytes) => this.#windows.take(bytes),
      unsent: { bytes: 0 },
    };
    const { peer, id, direction } = options;
    const log = deps.log.with({ peer, session: id, direction });
    this.#machine = createStateMachine<SessionState>(
      { name: 'tunnel session', initial: { kind: options.initial }, moves },
      { log, onMove: () => deps.onMove(this) },
    );
    this.#tasks = createTaskGroup({ name: 'session' }, { onFailure: (error) => this.#fail(error) });
    http2.on('error', (error) => this.#fail(error));
    http2.on('goaway', (code, _last, words) => this.#told(code, words));
    // HTTP/2 tells its own reason only after its connection has gone.
    deps.socket.once('close', () => this.#fail(deps.socket.errored ?? undefined));
    this.closed = new Promise<void>((resolve) => {
      http2.once('close', resolve);
    }).then(() => {
      this.#fail(undefined);
      return this.#tasks.stop();
    });
    this.#tasks.run('watch', (signal) => this.#watch(signal));
  }

  get state(): SessionState {
    return this.#machine.current;
  }

  get streams(): number {
    return this.#streams;
  }

  get owner(): object {
    return this;
  }

  /** What is unsent of it; what is being written just now, its stream counts too. */
  get heldBytes(): number {
    return this.#deps.unsentBytes?.() ?? 0;
  }

  /** Whether one of the ends has drained it, also once it has ended. */
  get hasDrained(): boolean {
    return this.#hasDrained;
  }

  /** Why it ended, once it has. */
  get failure(): SelvedgeError | undefined {
    return this.#failure;
  }

  get view(): SessionView {
    const { id, peer, direction, carrier, version, remote } = this.#options;
    const { bytesRead, bytesWritten } = this.#deps.socket;
    return {
      id,
      peer,
      direction,
      carrier,
      version,
      remote,
      sinceMs: this.#sinceMs,
      streams: this.#streams,
      receivedBytes: bytesRead,
      sentBytes: bytesWritten,
      state: this.state,
    };
  }

  /** Resolves when the other end has answered in HTTP/2. Rejects with what it said instead. */
  async ready(signal: AbortSignal): Promise<void> {
    const { peer, timeouts } = this.#options;
    const wait = { what: `the first answer of ${peer}`, timeoutMs: timeouts.handshakeMs, signal };
    const ended = this.closed.then(() => {
      throw this.#failure ?? broken(peer);
    });
    try {
      await withDeadline(wait, this.#deps.clock, () => Promise.race([this.#ping(), ended]));
    } catch (error) {
      this.end(messageOf(error));
      throw this.#failure ?? error;
    }
  }

  /** Asks the other end for a sign of life; without one the session ends. */
  async prove(): Promise<void> {
    const { peer, timeouts } = this.#options;
    const wait = { what: `a ping of ${peer}`, timeoutMs: timeouts.pingMs };
    try {
      await withDeadline(wait, this.#deps.clock, (inner) => raceAbort(this.#ping(), inner));
    } catch (error) {
      this.#fail(error);
    }
  }

  /** No elder session of the peer is in its way any more. */
  promote(): void {
    if (this.state.kind === 'provisional') this.#machine.move({ kind: 'live' });
  }

  /** A stream of it, counted and measured. */
  wrap(stream: Http2Stream): TunnelStream {
    return new TunnelStream(stream, this.#streamDeps);
  }

  /** Counts a stream from its first frame until it is closed. */
  count(stream: Http2Stream): void {
    this.#windows.share((this.#streams += 1));
    stream.on('close', () => this.#windows.share((this.#streams -= 1)));
  }

  /** Takes no more streams and ends after the last, or after `drainMs`. The other end is told the reason. */
  drain(reason: string): void {
    if (this.#http2.destroyed || this.state.kind === 'draining' || this.state.kind === 'ended') return;
    this.#machine.move({ kind: 'draining', reason });
    this.#http2.goaway(constants.NGHTTP2_NO_ERROR, 0, Buffer.from(encodeReason(reason)));
    this.#drained();
  }

  /** Ends it at once. The other end is told the reason, if it still listens. */
  end(reason: string): void {
    if (!this.#http2.destroyed && !this.#http2.connecting) {
      this.#http2.goaway(constants.NGHTTP2_CANCEL, 0, Buffer.from(encodeReason(reason)));
    }
    this.#close(new SelvedgeError(reason, { code: 'Unavailable' }));
    this.#tasks.run('last words', async (signal) => {
      await this.#deps.clock.sleep(lastWordsMs, signal);
      this.#deps.socket.destroy();
    });
  }

  /** Ends it for what it holds. */
  destroy(error: Error): void {
    this.#fail(error);
  }

  /** Looked at as often as the link is. A clock that is set counts at once. */
  #look(): void {
    const { peer, expiresMs } = this.#options;
    if (this.heldBytes > 0) this.#deps.ledger.hold(this);
    if (this.#deps.clock.now() >= expiresMs) this.drain(`the certificate of ${peer} has ended`);
  }

  #drained(): void {
    this.#hasDrained = true;
    this.#http2.close();
    this.#tasks.run('drain', async (signal) => {
      await this.#deps.clock.sleep(this.#options.timeouts.drainMs, signal);
      this.end('the time to drain is over');
    });
  }

  /** The other end said that it goes. */
  #told(code: number, words: Uint8Array | undefined): void {
    const reason = decodeReason(words === undefined ? undefined : Buffer.from(words).toString('latin1'));
    if (code !== constants.NGHTTP2_NO_ERROR) {
      this.#failure ??= new SelvedgeError(reason || `${this.#options.peer} ended the session`, {
        code: 'Unavailable',
        details: { goaway: code },
      });
      return;
    }
    if (this.state.kind === 'draining' || this.state.kind === 'ended') return;
    this.#machine.move({ kind: 'draining', reason: reason || 'the other end drains' });
    this.#drained();
  }

  /** It is dead, or silent. What it was told before is the better reason. */
  #fail(cause: unknown): void {
    this.#deps.ledger.forget(this);
    this.#close(this.#failure ?? this.#lost(cause));
    this.#deps.socket.destroy();
  }

  #lost(cause?: unknown): SelvedgeError {
    return this.#failure ?? broken(this.#options.peer, cause);
  }

  #close(failure: SelvedgeError): void {
    this.#failure ??= failure;
    // With an error: else streams under way would end as if they were complete.
    if (!this.#http2.destroyed) this.#http2.destroy(this.#failure);
    if (this.state.kind !== 'ended') this.#machine.move({ kind: 'ended', reason: this.#failure.message });
  }

  #watch(signal: AbortSignal): Promise<never> {
    const { clock, socket } = this.#deps;
    const pulse = {
      bytesHeard: () => socket.bytesRead,
      inUse: () => true,
      vouched: () => false,
      heard: () => this.#look(),
      ping: () => this.#ping(),
    };
    return watchLink({ ...this.#options.timeouts, host: this.#options.peer }, pulse, { clock, signal });
  }

  #ping(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#http2.ping((error) => (error === null ? resolve() : reject(error)));
    return promise;
  }

  #createWindows(): Windows {
    const http2 = this.#http2;
    return new Windows(this.#options.limits, {
      clock: this.#deps.clock,
      ping: (answered) => {
        if (!http2.destroyed) http2.ping((error) => (error === null ? answered() : undefined));
      },
      announce: (initialWindowSize, noted) => {
        if (!http2.destroyed) http2.settings({ initialWindowSize }, noted);
      },
    });
  }
}
