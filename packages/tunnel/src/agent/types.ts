import type { Duplex } from 'node:stream';
import type { Clock, Logger, MetricsRegistry, Random, Service } from '@selvedge/kit';
import type { HttpProxy, SocketServices } from '@selvedge/kit/net';
import type {
  Carrier,
  SessionLimits,
  SessionTimeouts,
  SessionView,
  Target,
  TunnelCredentials,
} from '../types.ts';

export interface TunnelServerAddress {
  /** `host:port`. */
  readonly address: string;
  /** The name that the server's certificate must carry. Default: the host. */
  readonly serverName?: string | undefined;
  /**
   * Where the WebSocket carrier goes: `wss://host[:port]/path`, or `ws:` in a site that has no TLS to the balancer.
   * Default: `wss://ADDRESS/selvedge/tunnel`.
   */
  readonly webSocketUrl?: string | undefined;
  /**
   * PEM of the authorities of the outer TLS of the WebSocket carrier, which may be a balancer's or an inspecting proxy's, or
   * `system` for those that the system trusts. Nothing depends on it: the inner TLS is what proves. Default: the
   * `certificateAuthority` of the credentials.
   */
  readonly webSocketAuthority?: string | undefined;
}

export interface TunnelAgentOptions {
  /** A session to each is held. */
  readonly servers: readonly TunnelServerAddress[];
  /** In the order in which they are tried, the one that worked last first. Default: `tls`, then `websocket`. */
  readonly carriers?: readonly Carrier[] | undefined;
  /** For either carrier. Default: none; the environment is not asked. */
  readonly proxy?: HttpProxy | undefined;
  readonly limits?: Partial<SessionLimits>;
  readonly timeouts?: Partial<AgentTimeouts>;
}

export interface AgentTimeouts extends SessionTimeouts {
  /** TCP connection, name look-up included. Default 5,000. */
  readonly dialMs: number;
  /** Upper bound of the first wait after a failure. Default 1,000. */
  readonly retryMs: number;
  /** Upper bound of every wait. Default 30,000. */
  readonly maxRetryMs: number;
}

/** What the allow-list says about a target. `connect` is what is dialled for it; `reason` is shown to who asked. */
export type Verdict =
  | { readonly kind: 'allowed'; readonly connect: Target }
  | { readonly kind: 'refused'; readonly reason: string };

/** Which carrier worked last, kept over restarts. */
export interface CarrierMemory {
  get(server: string): Carrier | undefined;
  set(server: string, carrier: Carrier): void;
}

export interface TunnelAgentDeps extends SocketServices {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
  /** Asked for each connection. Rejections are retried. */
  readonly credentials: (signal: AbortSignal) => Promise<TunnelCredentials>;
  /** Asked for each stream. */
  readonly allow: (target: Target) => Verdict;
  /** Default: TCP. The stream that it gives is ended and destroyed by the session. */
  readonly dial?: ((target: Target, signal: AbortSignal) => Promise<Duplex>) | undefined;
  /** Default: it is forgotten at the end of the process. */
  readonly memory?: CarrierMemory | undefined;
}

/** The life of the link to one server. Times are milliseconds since the Unix epoch. */
export type LinkState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'connecting'; readonly carrier: Carrier; readonly sinceMs: number }
  | { readonly kind: 'up'; readonly carrier: Carrier; readonly version: number; readonly sinceMs: number }
  | { readonly kind: 'waiting'; readonly error: unknown; readonly untilMs: number }
  | { readonly kind: 'stopped' };

export interface LinkView {
  /** `host:port`. */
  readonly server: string;
  readonly state: LinkState;
  /** Those that drain too. */
  readonly sessions: readonly SessionView[];
}

/** Bytes from and to the target itself, since the start of the process. */
export interface TargetTraffic {
  /** `host:port`, as it was asked for. */
  readonly target: string;
  readonly streams: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** Holds a session to each server and serves what the servers open over it. */
export interface TunnelAgent extends Service {
  readonly links: readonly LinkView[];
  onChange(listener: (link: LinkView) => void): Disposable;
  /** The 1,000 targets used last. */
  readonly traffic: readonly TargetTraffic[];
  /** The credentials were replaced: new sessions take the place of those with the old ones, whose streams may end. */
  renew(): void;
  /**
   * A stream to a named service behind a server, over a forward session that is opened when it is first wanted. Rejects as
   * the server's `open`, with `NotFound` for a service that no server knows.
   */
  openForward(service: string, signal: AbortSignal): Promise<Duplex>;
}
