import { type KubeClient, resources } from '@selvedge/kube';
import { type ReadAnswer, type ReadApi, bytesOf } from './read-api-client.ts';

/** What stands behind the API: the server itself, or a hub with or without the cloud. */
export type ReadApiMode = 'server' | 'hub-online' | 'hub-offline';

export interface ReadApiWorld {
  readonly mode: ReadApiMode;
  readonly api: ReadApi;
  /** Writes to the API server. Not used where `mode` is `hub-offline`. */
  readonly admin: KubeClient;
  /** Made by `prepareReadApi`, with nothing else in it. */
  readonly namespace: string;
}

/** An object, list, table or Status, as it comes. */
export interface Document {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly resourceVersion: string;
    readonly continue?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly items: readonly Document[];
  readonly data: Readonly<Record<string, string>>;
  readonly spec: unknown;
  readonly columnDefinitions: readonly { readonly name: string; readonly priority: number }[] | null;
  readonly rows: readonly { readonly cells: readonly unknown[]; readonly object: Document | null }[];
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly details: { readonly causes?: readonly { readonly field: string; readonly reason: string }[] };
}

export interface ReadEvent {
  readonly type: string;
  readonly object: Document;
}

const patienceMs = 20_000;
const labelled = (app: string, tier?: string): Record<string, string> =>
  tier === undefined ? { app } : { app, tier };

/** A namespace with the objects that the cases are about. */
export async function prepareReadApi(admin: KubeClient, signal: AbortSignal): Promise<string> {
  const made = await admin.create(
    resources.namespaces,
    { metadata: { generateName: 'read-api-' } },
    { signal },
  );
  const namespace = made.metadata.name ?? '';
  const configMaps = [
    ['a', labelled('web', 'front')],
    ['b', labelled('web')],
    ['c', labelled('db', 'back')],
    ['d', {}],
  ] as const;
  for (const [name, labels] of configMaps) {
    const object = { metadata: { namespace, name, labels }, data: { name } };
    await admin.create(resources.configMaps, object, { signal });
  }
  for (const name of ['large-1', 'large-2']) {
    const object = {
      metadata: { namespace, name, labels: { large: 'yes' } },
      data: { text: 'x'.repeat(90_000) },
    };
    await admin.create(resources.configMaps, object, { signal });
  }
  const containers = [{ name: 'main', image: 'registry.test/none' }];
  for (const [name, nodeName] of [
    ['near', 'read-api-node'],
    ['far', 'other-node'],
  ] as const) {
    const spec = { nodeName, containers, automountServiceAccountToken: false };
    await admin.create(resources.pods, { metadata: { namespace, name }, spec }, { signal });
  }
  return namespace;
}

export class ReadApiClient {
  readonly #world: ReadApiWorld;

  constructor(world: ReadApiWorld) {
    this.#world = world;
  }

  get base(): string {
    return `/api/v1/namespaces/${this.#world.namespace}`;
  }

  send(path: string, accept?: string, headers?: Readonly<Record<string, string>>): Promise<ReadAnswer> {
    const signal = AbortSignal.timeout(patienceMs);
    return this.#world.api.send({ path, accept, headers, signal });
  }

  /** A JSON answer, whatever its status. */
  async json(path: string, accept = 'application/json'): Promise<Document & { readonly status: number }> {
    const answer = await this.send(path, accept);
    const text = (await bytesOf(answer)).toString('utf8');
    return { ...(JSON.parse(text) as Document), status: answer.status };
  }

  /** The events of a watch, read as they are taken; it is ended when the taker stops. */
  async *events(path: string, accept = 'application/json'): AsyncGenerator<ReadEvent, void, void> {
    const stop = new AbortController();
    const signal = AbortSignal.timeout(patienceMs);
    signal.addEventListener('abort', () => stop.abort(signal.reason), { once: true });
    const { body } = await this.#world.api.send({ path, accept, signal: stop.signal });
    let rest = '';
    try {
      for await (const chunk of body) {
        const lines = (rest + Buffer.from(chunk).toString('utf8')).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) yield JSON.parse(line) as ReadEvent;
      }
    } finally {
      stop.abort();
    }
  }

  /** The first events of a watch; fewer if it ends before. */
  async take(path: string, count: number, accept?: string): Promise<readonly ReadEvent[]> {
    const taken: ReadEvent[] = [];
    for await (const event of this.events(path, accept)) {
      taken.push(event);
      if (taken.length === count) break;
    }
    return taken;
  }
}

/** One thing that holds of every API that reads like an API server. Fails by throwing. */
export interface ReadApiCase {
  /** In the present tense. */
  readonly title: string;
  /** Where it holds. Default: everywhere. */
  readonly modes?: readonly ReadApiMode[];
  readonly run: (client: ReadApiClient, world: ReadApiWorld) => Promise<void>;
}
