import { SelvedgeError, withDeadline, type Clock, type Logger, type Random } from '@selvedge/kit';
import type {
  CallOptions,
  DeleteOptions,
  KubeClient,
  ListOptions,
  Selection,
  WriteOptions,
} from './client.ts';
import type { CredentialSource } from './credentials.ts';
import { parseServer } from './http/dial.ts';
import { Failover } from './http/failover.ts';
import { ServerLink } from './http/server-link.ts';
import { defaultTimeouts, type HttpTimeouts } from './http/types.ts';
import { listAll } from './list-all.ts';
import type { KubeMetrics } from './metrics.ts';
import type { KubeObject, ObjectList, ObjectRef } from './object.ts';
import type { Patch } from './patch.ts';
import { Requester, whatOf, type Call, type Query } from './requester.ts';
import { resourcePath, type Resource } from './resource.ts';
import { createWatch } from './watch/watch.ts';

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
  /** HTTP/2 connections per server, when one is full. Default 4. */
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

const watchSeconds = { least: 300, spread: 300 };

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
          maxConnections: options.maxConnections ?? 4,
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
  return new Client({ requester, servers, ...deps });
}

type Body = object | string | Uint8Array;
interface JsonCall extends Omit<Call, 'body' | 'signal'> {
  readonly body?: Body | undefined;
}

const selectionQuery = ({ labelSelector, fieldSelector }: Selection): Query => ({
  labelSelector,
  fieldSelector,
});

const writeQuery = ({ fieldManager, dryRun }: WriteOptions): Query => ({
  fieldManager,
  dryRun: dryRun === true ? 'All' : undefined,
});

function deleteBody(options: DeleteOptions): Body {
  const { gracePeriodSeconds, preconditions, propagationPolicy, dryRun } = options;
  return {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    gracePeriodSeconds,
    preconditions,
    propagationPolicy,
    dryRun: dryRun === true ? ['All'] : undefined,
  };
}

/** `apiVersion` and `kind`, which the server leaves out inside lists, in front. */
const typed = <T extends KubeObject>({ apiVersion, kind }: Resource<T>, object: T): T => ({
  apiVersion,
  kind,
  ...object,
});

/** What is applied names itself in full. */
function bodyOfPatch({ type, body }: Patch, resource: Resource<KubeObject>, at: ObjectRef): Body {
  if (!type.includes('apply-patch')) return body as Body;
  const { apiVersion, kind } = resource;
  const object = body as Partial<KubeObject>;
  return { apiVersion, kind, ...object, metadata: { ...at, ...object.metadata } };
}

interface ClientParts extends ClientDeps {
  readonly requester: Requester;
  readonly servers: Failover;
}

class Client implements KubeClient {
  readonly #parts: ClientParts;

  constructor(parts: ClientParts) {
    this.#parts = parts;
  }

  get server(): string {
    return this.#parts.servers.server;
  }

  get: KubeClient['get'] = (resource, at, options) => {
    const path = resourcePath(resource, { ...at, subresource: options.subresource });
    return this.#json({ method: 'GET', path, query: { resourceVersion: options.resourceVersion } }, options);
  };

  async list<T extends KubeObject>(resource: Resource<T>, options: ListOptions): Promise<ObjectList<T>> {
    const { namespace, resourceVersion, resourceVersionMatch, limit } = options;
    const page = { resourceVersion, resourceVersionMatch, limit, continue: options.continue };
    const call = {
      method: 'GET',
      path: resourcePath(resource, { namespace }),
      query: { ...selectionQuery(options), ...page },
    };
    const list = await this.#json<Partial<ObjectList<T>>>(call, options);
    return { metadata: list.metadata ?? {}, items: (list.items ?? []).map((item) => typed(resource, item)) };
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
      allowWatchBookmarks: true,
      resourceVersion: options.resourceVersion,
      timeoutSeconds: options.timeoutSeconds ?? Math.round(least + spread * this.#parts.random()),
      ...(options.sendInitialEvents === true
        ? { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' }
        : {}),
    };
    const call = { method: 'GET', path, query, gzip: false, signal: options.signal };
    const response = await this.#parts.requester.open(call);
    return createWatch({ response, what: `watch ${path}`, options }, this.#parts.clock);
  };

  raw: KubeClient['raw'] = (call) =>
    this.#within(call, call, (signal) => this.#parts.requester.send({ ...call, signal }));

  async close(): Promise<void> {
    await this.#parts.servers.close();
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
