import { SelvedgeError, raceAbort, type Clock } from '@selvedge/kit';
import type { Lease } from '../gen/types.ts';
import type { KubeClient } from '../client.ts';
import type { KubeObject } from '../object.ts';

/** The way from one candidate to the API server. */
export interface Link {
  /** Requests, or answers, are lost: nothing is heard of them any more. */
  cut: boolean;
  /** Each way, in milliseconds. */
  delayMs: number;
}

const refuse = (code: 'AlreadyExists' | 'Conflict' | 'NotFound'): never => {
  throw new SelvedgeError(`leases: ${code}`, { code });
};

/** An API server that knows Leases only, in the time of a test's clock. */
export class LeaseServer {
  readonly #clock: Clock;
  readonly #leases = new Map<string, Lease>();
  #version = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  lease(name: string): Lease | undefined {
    return this.#leases.get(name);
  }

  client(link: Link): Pick<KubeClient, 'get' | 'create' | 'replace'> {
    const call = async <T>(signal: AbortSignal, work: () => Lease): Promise<T> => {
      await this.#travel(link, signal);
      // What the server did is done, also when nobody hears of it.
      let outcome: { readonly lease: Lease } | { readonly error: unknown };
      try {
        outcome = { lease: work() };
      } catch (error) {
        outcome = { error };
      }
      await this.#travel(link, signal);
      if ('error' in outcome) throw outcome.error;
      return outcome.lease as unknown as T;
    };
    return {
      get: (_resource, { name }, { signal }) =>
        call(signal, () => this.#leases.get(name) ?? refuse('NotFound')),
      create: (_resource, lease, { signal }) => call(signal, () => this.#create(lease)),
      replace: (_resource, lease, { signal }) => call(signal, () => this.#replace(lease)),
    };
  }

  async #travel(link: Link, signal: AbortSignal): Promise<void> {
    await this.#clock.sleep(link.delayMs, signal);
    if (link.cut) await raceAbort(Promise.withResolvers<never>().promise, signal);
  }

  #create(lease: KubeObject): Lease {
    if (this.#leases.has(lease.metadata.name ?? '')) refuse('AlreadyExists');
    return this.#store(lease);
  }

  #replace(lease: KubeObject): Lease {
    const current = this.#leases.get(lease.metadata.name ?? '') ?? refuse('NotFound');
    if (current.metadata.resourceVersion !== lease.metadata.resourceVersion) refuse('Conflict');
    return this.#store(lease);
  }

  #store(lease: KubeObject): Lease {
    this.#version += 1;
    const stored = { ...lease, metadata: { ...lease.metadata, resourceVersion: String(this.#version) } };
    this.#leases.set(lease.metadata.name ?? '', stored);
    return stored;
  }
}
