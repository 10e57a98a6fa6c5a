import { SelvedgeError, withDeadline, type Clock, type Random } from '@selvedge/kit';
import {
  acceptOf,
  bodyOfPatch,
  deleteBody,
  itemTypeOf,
  selectionQuery,
  typed,
  writeQuery,
  type Body,
} from './call-parts.ts';
import type { CallOptions, DeleteOptions, KubeClient, ListOptions, Selection } from './client.ts';
import { listAll } from './list-all.ts';
import { takeItems, type ListItemsOptions } from './list-items.ts';
import type { KubeObject, ObjectList, ObjectRef } from './object.ts';
import { whatOf, type Call, type Requester, type Sender } from './requester.ts';
import { resourcePath, type Resource } from './resource.ts';
import { createWatch } from './watch/watch.ts';

export interface RestClientParts {
  readonly requester: Requester;
  readonly sender: Sender;
  readonly clock: Clock;
  readonly random: Random;
}

interface JsonCall extends Omit<Call, 'body' | 'signal'> {
  readonly body?: Body | undefined;
}

const watchSeconds = { least: 300, spread: 300 };

/** The verbs: options into calls, answers into objects. */
export class RestClient implements KubeClient {
  readonly #parts: RestClientParts;

  constructor(parts: RestClientParts) {
    this.#parts = parts;
  }

  get server(): string {
    return this.#parts.sender.server;
  }

  get: KubeClient['get'] = (resource, at, options) => {
    const path = resourcePath(resource, { ...at, subresource: options.subresource });
    return this.#json({ method: 'GET', path, query: { resourceVersion: options.resourceVersion } }, options);
  };

  async list<T extends KubeObject>(resource: Resource<T>, options: ListOptions<T>): Promise<ObjectList<T>> {
    const { namespace, resourceVersion, resourceVersionMatch, limit } = options;
    const page = { resourceVersion, resourceVersionMatch, limit, continue: options.continue };
    const call = {
      method: 'GET',
      path: resourcePath(resource, { namespace }),
      query: { ...selectionQuery(options), ...page },
      accept: acceptOf(options, 'PartialObjectMetadataList'),
    };
    if (options.take !== undefined) return this.#taken(resource, call, { ...options, take: options.take });
    const list = await this.#json<Partial<ObjectList<T>> & { readonly kind?: string }>(call, options);
    const type = itemTypeOf(resource, list);
    return { metadata: list.metadata ?? {}, items: (list.items ?? []).map((item) => typed(type, item)) };
  }

  listAll: KubeClient['listAll'] = (resource, options) => listAll(this, resource, options);

  create: KubeClient['create'] = (resource, object, options) => {
    const { namespace } = object.metadata;
    const path = resourcePath(resource, { namespace, subresource: options.subresource });
    return this.#json(
      { method: 'POST', path, query: writeQuery(options), body: typed(resource, object) },
      options,
    );
  };

  createSubresource: KubeClient['createSubresource'] = (resource, at, options) => {
    const { body } = options;
    return this.#json(
      { method: 'POST', path: resourcePath(resource, at), query: writeQuery(options), body },
      options,
    );
  };

  replace: KubeClient['replace'] = (resource, object, options) => {
    const { namespace, name } = object.metadata;
    if (name === undefined) throw new SelvedgeError('the object has no name', { code: 'Invalid' });
    const path = resourcePath(resource, { namespace, name, subresource: options.subresource });
    return this.#json(
      { method: 'PUT', path, query: writeQuery(options), body: typed(resource, object) },
      options,
    );
  };

  patch: KubeClient['patch'] = (resource, at, options) => {
    const path = resourcePath(resource, { ...at, subresource: options.subresource });
    const query = { ...writeQuery(options), force: options.force };
    const { patch } = options;
    return this.#json(
      { method: 'PATCH', path, query, contentType: patch.type, body: bodyOfPatch(patch, resource, at) },
      options,
    );
  };

  async delete(resource: Resource<KubeObject>, at: ObjectRef, options: DeleteOptions): Promise<void> {
    await this.#json(
      { method: 'DELETE', path: resourcePath(resource, at), body: deleteBody(options) },
      options,
    );
  }

  async deleteCollection(resource: Resource<KubeObject>, options: DeleteOptions & Selection): Promise<void> {
    const path = resourcePath(resource, { namespace: options.namespace });
    await this.#json(
      { method: 'DELETE', path, query: selectionQuery(options), body: deleteBody(options) },
      options,
    );
  }

  watch: KubeClient['watch'] = async (resource, options) => {
    const path = resourcePath(resource, { namespace: options.namespace });
    const { least, spread } = watchSeconds;
    const query = {
      ...selectionQuery(options),
      watch: true,
      allowWatchBookmarks: options.bookmarks === false ? undefined : true,
      resourceVersion: options.resourceVersion,
      timeoutSeconds: options.timeoutSeconds ?? Math.round(least + spread * this.#parts.random()),
      ...(options.sendInitialEvents === true
        ? { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' }
        : {}),
    };
    const accept = acceptOf(options, 'PartialObjectMetadata');
    const { signal } = options;
    const call = { method: 'GET', path, query, accept, longRunning: true, gzip: false, signal };
    const response = await this.#parts.requester.open(call);
    return createWatch({ response, what: `watch ${path}`, options }, this.#parts.clock);
  };

  raw: KubeClient['raw'] = (call) =>
    this.#within(call, call, (signal) => this.#parts.requester.send({ ...call, signal }));

  async close(): Promise<void> {
    await this.#parts.sender.close();
  }

  async #taken<T extends KubeObject>(
    resource: Resource<T>,
    call: Omit<JsonCall, 'body'>,
    options: CallOptions & Pick<ListItemsOptions<T>, 'take'>,
  ): Promise<ObjectList<T>> {
    const { take } = options;
    const metadata = await this.#within(call, options, (signal) =>
      takeItems(this.#parts.requester.read({ ...call, signal }), { what: whatOf(call), resource, take }),
    );
    return { metadata, items: [] };
  }

  async #json<T>({ body, ...call }: JsonCall, options: CallOptions): Promise<T> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const send = (signal: AbortSignal): ReturnType<Requester['send']> =>
      this.#parts.requester.send({ ...call, body: text, signal });
    const answer = await this.#within(call, options, send);
    try {
      return JSON.parse(answer.body.toString('utf8')) as T;
    } catch (cause) {
      throw new SelvedgeError(`${whatOf(call)}: the answer is not JSON`, { code: 'Corrupt', cause });
    }
  }

  #within<T>(
    call: Pick<Call, 'method' | 'path'>,
    { timeoutMs, signal }: CallOptions,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    if (timeoutMs === undefined) return work(signal);
    return withDeadline({ what: whatOf(call), timeoutMs, signal }, this.#parts.clock, work);
  }
}
