import type { Duplex } from 'node:stream';
import type { Clock, Logger } from '@selvedge/kit';
import {
  createLookup,
  createMeter,
  parseProxy,
  type HttpProxy,
  type OpenBytes,
  type Traffic,
} from '@selvedge/kit/net';
import type { Credentials } from '../credentials.ts';
import type { KubeMetrics } from '../metrics.ts';
import { parseServer } from './dial.ts';
import { Failover } from './failover.ts';
import { ServerLink } from './server-link.ts';
import {
  defaultTimeouts,
  type HttpRequest,
  type HttpResponse,
  type HttpTimeouts,
  type Upgraded,
} from './types.ts';

export interface TransportOptions {
  /** `https://host:port`, in the order of preference; the first that answers is kept until it fails. */
  readonly servers: readonly [string, ...string[]];
  readonly timeouts?: Partial<HttpTimeouts> | undefined;
  /** The name that the servers' certificates must carry, if it is not the URL's host. */
  readonly serverName?: string | undefined;
  /** Default: none; the environment is not asked. */
  readonly proxy?: HttpProxy | undefined;
  /** How servers are connected, all of them `https:`, if it is not by TCP or through the proxy. */
  readonly open?: OpenBytes | undefined;
  /**
   * HTTP/2 connections per server and holder, opened when those before are full. Default 11: with 100 streams each, as API
   * servers allow, room for more than 1,000 watches. Calls that are no watches have one more for themselves then.
   */
  readonly maxConnections?: number | undefined;
  /** Sockets per server and holder where it speaks HTTP/1.1 only. Default 64. */
  readonly maxSockets?: number | undefined;
  /** How long requests, watches above all, may stay on a connection of a replaced certificate. Default 15 minutes. */
  readonly drainMs?: number | undefined;
  /** Whether silent connections are pinged even while nobody waits for an answer. Default false. */
  readonly pingIdle?: boolean | undefined;
}

export interface TransportDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Pick<KubeMetrics, 'dials'>;
  /**
   * Told of a connection that is gone. `error` says why, unless one of the two ends closed it on purpose:
   * its cause is a `DeadlineExceeded` if the connection was given up for its silence.
   */
  readonly onClosed?: ((server: string, error: unknown) => void) | undefined;
}

/**
 * Requests to the API servers of one cluster, as they are: any header but `authorization`, any status, bodies streamed.
 * For each holder (see `Credentials`) one multiplexed connection, whatever his bearer tokens. Throws `Unavailable` and
 * `DeadlineExceeded`, with `details.unsent` when no server heard of it.
 */
export interface Transport {
  /** `host:port` of the server in use. */
  readonly server: string;
  /** All of them, the one in use first. */
  readonly servers: readonly string[];
  /** Whether there is a connection to the server in use. */
  readonly connected: boolean;
  readonly traffic: Traffic;
  /** The answer's body is to be read to its end or destroyed. */
  send(request: HttpRequest, credentials: Credentials): Promise<HttpResponse>;
  /** As `send`, but to this server only. */
  sendTo(server: string, request: HttpRequest, credentials: Credentials): Promise<HttpResponse>;
  /** Over a connection of its own, HTTP/1.1. The socket ends with the request's signal. */
  upgrade(request: HttpRequest, credentials: Credentials): Promise<Upgraded>;
  /** A bare connection to the server in use, without TLS. */
  dialRaw(signal: AbortSignal): Promise<Duplex>;
  /** Requests go to this server from now on; what is under way with others breaks. */
  use(server: string): void;
  /** Requests go over new connections from now on; those under way may end on the old ones. */
  renew(): void;
  /** Ends all requests and connections. */
  close(): Promise<void>;
}

const lookupPatienceMs = 500;

function authorized(request: HttpRequest, { bearerToken }: Credentials): HttpRequest {
  if (bearerToken === undefined) return request;
  return { ...request, headers: { ...request.headers, authorization: `Bearer ${bearerToken}` } };
}

/** Does no I/O before the first request. Throws `Invalid` for a URL that is none. */
export function createTransport(options: TransportOptions, deps: TransportDeps): Transport {
  const { serverName, proxy, open } = options;
  if (proxy !== undefined) parseProxy(proxy);
  const meter = createMeter();
  const lookup = createLookup({ patienceMs: lookupPatienceMs }, deps);
  const link = (server: string): ServerLink =>
    new ServerLink(
      {
        url: parseServer(server),
        timeouts: { ...defaultTimeouts, ...options.timeouts },
        serverName,
        proxy,
        open,
        lookup,
        meter,
        maxConnections: options.maxConnections ?? 11,
        maxSockets: options.maxSockets ?? 64,
        drainMs: options.drainMs ?? 15 * 60_000,
        pingIdle: options.pingIdle ?? false,
      },
      deps,
    );
  const [first, ...others] = options.servers;
  const failover = new Failover([link(first), ...others.map(link)], deps.log);
  return {
    get server() {
      return failover.servers[0] ?? '';
    },
    get servers() {
      return failover.servers;
    },
    get connected() {
      return failover.connected;
    },
    traffic: meter,
    send: (request, credentials) => failover.send(authorized(request, credentials), credentials),
    sendTo: (server, request, credentials) =>
      failover.sendTo(server, authorized(request, credentials), credentials),
    upgrade: (request, credentials) => failover.upgrade(authorized(request, credentials), credentials),
    dialRaw: (signal) => failover.dialRaw(signal),
    use: (server) => failover.use(server),
    renew: () => failover.renew(),
    close: () => failover.close(),
  };
}
