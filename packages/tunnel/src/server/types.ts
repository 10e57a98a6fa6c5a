import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock, Logger, MetricsRegistry, Service } from '@selvedge/kit';
import type { SessionLimits, SessionTimeouts, SessionView, TunnelCredentials } from '../types.ts';

/** What a listening port expects. */
export interface ListenAddress {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /**
   * `tls`, the default: direct sessions and WebSocket upgrades, told apart by ALPN. `http`: upgrades only, without the
   * outer TLS that a load balancer has ended; who comes still proves itself inside.
   */
  readonly entry?: Entry;
}

export type Entry = 'tls' | 'http';

export interface TunnelServerLimits extends SessionLimits {
  /** Sessions of all peers. Default 20,000; further ones are refused with the reason. */
  readonly maxSessions: number;
  /** Sessions of one peer and direction. Default 4. */
  readonly maxSessionsPerPeer: number;
  /** Connections that have not proved who they are. Default 1,000; a further one costs the eldest its place. */
  readonly maxHandshakes: number;
}

export interface TunnelServerOptions {
  /** Default: none, sockets come by `accept`. */
  readonly listen?: readonly ListenAddress[];
  readonly limits?: Partial<TunnelServerLimits>;
  readonly timeouts?: Partial<SessionTimeouts>;
}

/** Whose a certificate is. `reason` is shown to the peer. */
export type Identity =
  | { readonly kind: 'accepted'; readonly peer: string }
  | { readonly kind: 'refused'; readonly reason: string };

export interface TunnelServerDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
  /** Asked for each connection, so it must be cheap; the same object as long as nothing changed. */
  readonly credentials: () => TunnelCredentials;
  /** Asked about certificates that `certificateAuthority` has signed and that are valid now, and about no others. */
  readonly identify: (certificate: X509Certificate) => Identity;
  /**
   * What agents may reach by name over forward sessions: the dial of a service, or undefined where there is none of that
   * name for that peer. Default: none. The stream that it gives is ended and destroyed by the session.
   */
  readonly service?: (name: string, peer: string) => ServiceDial | undefined;
}

/** Opens a stream to a service. What it rejects with is shown to the peer. */
export type ServiceDial = (signal: AbortSignal) => Promise<Duplex>;

export interface OpenRequest {
  readonly peer: string;
  /** `host:port`; what it means is the agent's to say. */
  readonly target: string;
  /** Gives the opening up. It does not end the stream afterwards. */
  readonly signal: AbortSignal;
}

export interface SessionChange {
  readonly kind: 'opened' | 'moved' | 'ended';
  readonly session: SessionView;
}

/** Holds the sessions of agents and opens streams to them. Stopping drains. */
export interface TunnelServer extends Service {
  /** Where it listens, in the order of the options, once started. */
  readonly ports: readonly number[];
  /** In the order in which they came; those that ended are gone. */
  readonly sessions: readonly SessionView[];
  /** Takes a TCP connection over. */
  accept(socket: Socket, entry?: Entry): void;
  onChange(listener: (change: SessionChange) => void): Disposable;
  /** Whether `open` would find a session of that peer now. */
  reaches(peer: string): boolean;
  /**
   * A stream to a target of a peer, over its live session; half-closes and resets pass in both directions. Rejects with
   * `Unavailable` (`details.noSession` where there is no session, else the agent could not connect), `Forbidden` (its
   * allow-list; the message says why), `Invalid` (no target), `ResourceExhausted` (a limit, ours or the agent's),
   * `DeadlineExceeded` (no answer), or the signal's reason. What the agent itself answered has its `details.status`.
   */
  open(request: OpenRequest): Promise<Duplex>;
  /** Ends all sessions of a peer at once, and their streams; it is told the reason. */
  end(peer: string, reason: string): void;
  /**
   * Takes no more connections and sends the agents elsewhere; resolves when the last stream has ended or `drainMs` have
   * passed. Idempotent.
   */
  drain(reason?: string): Promise<void>;
}
