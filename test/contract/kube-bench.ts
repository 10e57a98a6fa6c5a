import { createMetricsRegistry, systemClock, type Clock } from '@selvedge/kit';
import { recordingLogger } from '@selvedge/kit/testing';
import {
  createKubeClient,
  createKubeMetrics,
  staticCredentials,
  type ClientOptions,
  type CredentialSource,
  type Credentials,
  type KubeClient,
  type WatchEvent,
} from '@selvedge/kube';
import type { ConfigMap } from '@selvedge/kube/types';
import type { Authority } from '../bed/pki/certificate.ts';
import { waitFor } from '../bed/wait.ts';
import { newTestAuthority } from './http-server.ts';

interface ConnectOptions extends Partial<ClientOptions> {
  /** Default: the machine's. */
  readonly clock?: Clock;
}

/** Clients of test servers that one authority vouches for. */
export interface ClientBench {
  readonly authority: Authority;
  /** Default credentials: those of someone unknown who trusts the authority. */
  connectTo(url: string, options?: ConnectOptions, credentials?: Credentials | CredentialSource): KubeClient;
  closeClients(): Promise<void>;
}

export async function createClientBench(): Promise<ClientBench> {
  const authority = await newTestAuthority();
  const certificateAuthority = authority.keyPair.certificate;
  const clients: KubeClient[] = [];
  return {
    authority,
    connectTo(url, { clock = systemClock, ...options } = {}, credentials = { certificateAuthority }) {
      const client = createKubeClient(
        { servers: [url], userAgent: 'test/1', ...options },
        {
          credentials: typeof credentials === 'function' ? credentials : staticCredentials(credentials),
          clock,
          random: Math.random,
          log: recordingLogger(),
          metrics: createKubeMetrics(createMetricsRegistry()),
        },
      );
      clients.push(client);
      return client;
    },
    async closeClients() {
      await Promise.all(clients.splice(0).map((client) => client.close()));
    },
  };
}

export const until = (what: string, look: () => boolean): Promise<true> =>
  waitFor({ what, everyMs: 5 }, systemClock, async () => (look() ? true : undefined));

/** A line of a watch. */
export const event = (name: string, resourceVersion: string): string =>
  `${JSON.stringify({ type: 'ADDED', object: { metadata: { name, resourceVersion } } })}\n`;

/** The names in a watch's events, once it has ended. */
export async function namesOf(
  watch: AsyncIterable<readonly WatchEvent<ConfigMap>[]>,
): Promise<(string | undefined)[]> {
  const names: (string | undefined)[] = [];
  for await (const batch of watch) {
    for (const one of batch) names.push(one.type === 'BOOKMARK' ? 'bookmark' : one.object.metadata.name);
  }
  return names;
}
