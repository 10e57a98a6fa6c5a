import type { Clock, Logger, Random } from '@selvedge/kit';
import type { KubeClient } from './client.ts';
import type { CredentialSource } from './credentials.ts';
import { parseServer } from './http/dial.ts';
import { Failover } from './http/failover.ts';
import { ServerLink } from './http/server-link.ts';
import { defaultTimeouts, type HttpTimeouts } from './http/types.ts';
import type { KubeMetrics } from './metrics.ts';
import { Requester } from './requester.ts';
import { RestClient } from './rest-client.ts';

export interface ClientOptions {
  /** `https://host:port`, in the order of preference; the first that answers is kept until it fails. */
  readonly servers: readonly [string, ...string[]];
  /** `program/version (os/arch)`. */
  readonly userAgent: string;
  readonly timeouts?: Partial<HttpTimeouts>;
  /** The name that the servers' certificates must carry, if it is not the URL's host. */
  readonly serverName?: string | undefined;
  /** Larger answers are refused, compressed or not. Default 32 MiB. */
  readonly maxBodyBytes?: number;
  /**
   * HTTP/2 connections per server, opened when those before are full. Default 11: with 100 streams each, as API servers
   * allow, room for more than 1,000 watches. Calls that are no watches have one more for themselves then.
   */
  readonly maxConnections?: number;
  /** Sockets per server where it speaks HTTP/1.1 only. Default 64. */
  readonly maxSockets?: number;
  /** How long requests, watches above all, may stay on a connection of a replaced certificate. Default 15 minutes. */
  readonly drainMs?: number;
  /** How often a call waits as `Retry-After` says. Default 3. */
  readonly maxRetries?: number;
}

export interface ClientDeps {
  readonly credentials: CredentialSource;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: KubeMetrics;
}

/** Does no I/O before the first call. */
export function createKubeClient(options: ClientOptions, deps: ClientDeps): KubeClient {
  const timeouts = { ...defaultTimeouts, ...options.timeouts };
  const links = options.servers.map(
    (server) =>
      new ServerLink(
        {
          url: parseServer(server),
          timeouts,
          serverName: options.serverName,
          maxConnections: options.maxConnections ?? 11,
          maxSockets: options.maxSockets ?? 64,
          drainMs: options.drainMs ?? 15 * 60_000,
        },
        deps,
      ),
  );
  const servers = new Failover(links, deps.log);
  const maxBodyBytes = options.maxBodyBytes ?? 32 * 1024 * 1024;
  const { userAgent, maxRetries = 3 } = options;
  const requester = new Requester({ userAgent, timeouts, maxBodyBytes, maxRetries }, { ...deps, servers });
  return new RestClient({ requester, servers, ...deps });
}
