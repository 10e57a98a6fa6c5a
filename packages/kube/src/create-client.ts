import type { Clock, Logger, Random } from '@selvedge/kit';
import type { KubeClient } from './client.ts';
import type { CredentialSource } from './credentials.ts';
import { createTransport, type TransportOptions } from './http/transport.ts';
import { defaultTimeouts, type HttpTimeouts } from './http/types.ts';
import type { KubeMetrics } from './metrics.ts';
import { Requester, type Sender } from './requester.ts';
import { RestClient } from './rest-client.ts';

export interface CallingOptions {
  /** `program/version (os/arch)`. */
  readonly userAgent: string;
  /** Larger answers are refused, compressed or not. Default 32 MiB. */
  readonly maxBodyBytes?: number | undefined;
  /** How often a call waits as `Retry-After` says. Default 3. */
  readonly maxRetries?: number | undefined;
  readonly timeouts?: Partial<HttpTimeouts> | undefined;
}

export interface ClientOptions extends CallingOptions, TransportOptions {}

export interface CallingDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: KubeMetrics;
}

export interface ClientDeps extends CallingDeps {
  readonly credentials: CredentialSource;
}

/** A client over anything that sends requests: a transport shared with others, or a handler of the same process. */
export function createClientOver(
  options: CallingOptions,
  deps: CallingDeps & { readonly sender: Sender },
): KubeClient {
  const requester = new Requester(
    {
      userAgent: options.userAgent,
      timeouts: { ...defaultTimeouts, ...options.timeouts },
      maxBodyBytes: options.maxBodyBytes ?? 32 * 1024 * 1024,
      maxRetries: options.maxRetries ?? 3,
    },
    deps,
  );
  return new RestClient({ requester, ...deps });
}

/** A client with connections of its own. Does no I/O before the first call. */
export function createKubeClient(options: ClientOptions, deps: ClientDeps): KubeClient {
  const transport = createTransport(options, deps);
  const sender: Sender = {
    get server() {
      return transport.server;
    },
    send: async (request) => transport.send(request, await deps.credentials(request.signal)),
    close: () => transport.close(),
  };
  return createClientOver(options, { ...deps, sender });
}
