import { randomBytes } from 'node:crypto';
import { Bed, connect, waitFor } from '@selvedge/bed';
import { hasCode, systemClock } from '@selvedge/kit';
import { resources, type KubeClient, type KubeObject, type Resource } from '@selvedge/kube';
import type { Event, Pod } from '@selvedge/kube/types';
import { afterAll, beforeAll } from 'vitest';
import { laneBed } from './lane.ts';

/** How long a test waits for something that happens on a node, unless it says otherwise. */
const patienceMs = 90_000;

export interface AwaitOptions {
  /** Named in the error, with the last state seen. */
  readonly what: string;
  /** Default 60 s. */
  readonly timeoutMs?: number;
  /** Time between two looks. Default 50 ms. */
  readonly everyMs?: number;
}

/** A bed, and a namespace of the test file's own. Usable inside tests and hooks. */
export interface Site {
  readonly bed: Bed;
  readonly client: KubeClient;
  readonly namespace: string;
  readonly signal: AbortSignal;
  /** Creates an object in the file's namespace. */
  create<T extends KubeObject>(resource: Resource<T>, object: T): Promise<T>;
  get<T extends KubeObject>(resource: Resource<T>, name: string): Promise<T>;
  /** Undefined once the API server has forgotten it. */
  find<T extends KubeObject>(resource: Resource<T>, name: string): Promise<T | undefined>;
  /** Resolves with the pod as soon as `holds`; the error of a wait in vain shows the pod's last status. */
  pod(name: string, options: AwaitOptions, holds: (pod: Pod) => boolean): Promise<Pod>;
  /** Deletes it with `gracePeriodSeconds` and resolves when it is gone. */
  deletePod(name: string, gracePeriodSeconds?: number): Promise<void>;
  events(objectName: string): Promise<readonly Event[]>;
  until<T>(options: AwaitOptions, look: () => Promise<T | undefined | false>): Promise<T>;
}

const statusOf = (pod: Pod | undefined): string =>
  pod === undefined ? 'absent' : JSON.stringify(pod.status);

class TestSite implements Site {
  readonly namespace = `e2e-${randomBytes(4).toString('hex')}`;
  readonly #abort = new AbortController();
  #bed: Bed | undefined;
  #client: KubeClient | undefined;

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get bed(): Bed {
    if (this.#bed === undefined) throw new TypeError('the site is open only inside tests and hooks');
    return this.#bed;
  }

  get client(): KubeClient {
    if (this.#client === undefined) throw new TypeError('the site is open only inside tests and hooks');
    return this.#client;
  }

  async open(bed: Promise<Bed>): Promise<void> {
    this.#bed = await bed;
    this.#client = await connect(this.#bed.kubeconfig, 'selvedge-e2e');
    const { client, signal, namespace } = this;
    await client.create(resources.namespaces, { metadata: { name: namespace } }, { signal });
    await this.until({ what: 'the default service account' }, () =>
      this.find(resources.serviceAccounts, 'default'),
    );
  }

  /** Removes the namespace without waiting: the pods' end is another file's business. */
  async close(): Promise<void> {
    const { client, signal, namespace } = this;
    await client.delete(resources.namespaces, { name: namespace }, { signal });
    await client.close();
    this.#abort.abort();
  }

  create<T extends KubeObject>(resource: Resource<T>, object: T): Promise<T> {
    const metadata = { ...object.metadata, namespace: this.namespace };
    return this.client.create(resource, { ...object, metadata }, { signal: this.signal });
  }

  get<T extends KubeObject>(resource: Resource<T>, name: string): Promise<T> {
    return this.client.get(resource, { namespace: this.namespace, name }, { signal: this.signal });
  }

  async find<T extends KubeObject>(resource: Resource<T>, name: string): Promise<T | undefined> {
    try {
      return await this.get(resource, name);
    } catch (error) {
      if (hasCode(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  async pod(name: string, options: AwaitOptions, holds: (pod: Pod) => boolean): Promise<Pod> {
    let last: Pod | undefined;
    return this.until({ ...options, what: `${options.what} (pod ${name})` }, async () => {
      last = await this.find(resources.pods, name);
      if (last !== undefined && holds(last)) return last;
      throw new Error(`its status is ${statusOf(last)}`);
    });
  }

  async deletePod(name: string, gracePeriodSeconds?: number): Promise<void> {
    const at = { namespace: this.namespace, name };
    await this.client.delete(resources.pods, at, {
      signal: this.signal,
      ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    });
    await this.until(
      { what: `pod ${name} is gone` },
      async () => (await this.find(resources.pods, name)) === undefined,
    );
  }

  async events(objectName: string): Promise<readonly Event[]> {
    const fieldSelector = `involvedObject.name=${objectName}`;
    const { namespace, signal } = this;
    return (await this.client.listAll(resources.events, { namespace, fieldSelector, signal })).items;
  }

  until<T>(options: AwaitOptions, look: () => Promise<T | undefined | false>): Promise<T> {
    return waitFor({ timeoutMs: patienceMs, ...options, signal: this.signal }, systemClock, look);
  }
}

/**
 * Registers the hooks that make and remove the file's namespace. Call it once, outside of tests. `open`: the bed; default
 * the one of the worker.
 */
export function useSite(open: () => Promise<Bed> = () => Bed.open(laneBed())): Site {
  const site = new TestSite();
  beforeAll(() => site.open(open()));
  afterAll(() => site.close());
  return site;
}
