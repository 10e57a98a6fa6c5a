import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import { SelvedgeError } from '@selvedge/kit';
import type { KubeObject } from '@selvedge/kube';
import type { Caller, HubRequest, HubResponse } from '../request.ts';
import type { HeldResource, ObjectName, Replica } from '../replica/types.ts';
import type { Upstream, UpstreamRequest, UpstreamResponse } from '../upstream/types.ts';
import { naturalText, upstreamText } from '../replica/index.ts';

export const nodeCaller: Caller = {
  kind: 'node',
  user: { username: 'system:node:edge-1', groups: ['system:nodes', 'system:authenticated'] },
};

export interface HubRequestParts {
  readonly caller?: Caller;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body?: object | Uint8Array | undefined;
  readonly signal?: AbortSignal;
}

/** A request as the endpoint would make it. `url` with its query. */
export function hubRequest(method: string, url: string, parts: HubRequestParts = {}): HubRequest {
  const { body, headers = {} } = parts;
  const [path = '', query = ''] = url.split('?');
  const json = body !== undefined && !(body instanceof Uint8Array);
  return {
    method,
    path,
    query: new URLSearchParams(query),
    headers: { ...(json ? { 'content-type': 'application/json' } : {}), ...headers },
    body: json ? Buffer.from(JSON.stringify(body)) : body,
    caller: parts.caller ?? nodeCaller,
    signal: parts.signal ?? new AbortController().signal,
  };
}

export async function bytesOf({ body }: HubResponse): Promise<Buffer> {
  if (body instanceof Uint8Array) return Buffer.from(body);
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts);
}

export async function jsonOf<T = Record<string, unknown>>(response: HubResponse): Promise<T> {
  return JSON.parse((await bytesOf(response)).toString('utf8')) as T;
}

export interface ScriptedAnswer {
  readonly status?: number;
  readonly headers?: IncomingHttpHeaders;
  /** In the pieces in which it comes; an object is JSON. */
  readonly body?: object | readonly Uint8Array[];
  /** The connection breaks at the end of the body. */
  readonly breaks?: boolean;
}

function responseOf({ status = 200, headers, body = [], breaks = false }: ScriptedAnswer): UpstreamResponse {
  const pieces = Array.isArray(body) ? body : [Buffer.from(JSON.stringify(body))];
  return {
    status,
    headers: headers ?? { 'content-type': 'application/json' },
    body: Readable.from(pieces, { objectMode: false }),
    checkComplete() {
      if (breaks) throw new SelvedgeError('the connection broke', { code: 'Unavailable' });
    },
  };
}

/** An upstream that answers as it is told and keeps what it was asked. */
export interface ScriptedUpstream extends Pick<Upstream, 'send'> {
  readonly requests: UpstreamRequest[];
  readonly responses: UpstreamResponse[];
  /** The parsed bodies of the requests. */
  bodies(): readonly unknown[];
}

export function scriptedUpstream(
  answer: (request: UpstreamRequest) => ScriptedAnswer | Promise<ScriptedAnswer>,
): ScriptedUpstream {
  const requests: UpstreamRequest[] = [];
  const responses: UpstreamResponse[] = [];
  return {
    requests,
    responses,
    bodies: () =>
      requests.map(({ body }) => (body === undefined ? undefined : JSON.parse(Buffer.from(body).toString()))),
    async send(_caller, request) {
      requests.push(request);
      const response = responseOf(await answer(request));
      responses.push(response);
      return response;
    },
  };
}

/** What forwarding needs of a replica: it holds every object of the resources that it is told to hold. */
export interface MapReplica
  extends Pick<Replica, 'base' | 'coverages' | 'learn' | 'listVersion' | 'reader' | 'upstreamVersion'> {
  readonly learned: KubeObject[];
  /** Shows an object under a version of its own, as after a local change. */
  raise(resource: HeldResource, at: ObjectName, version: bigint): void;
}

const keyOf = (resource: HeldResource, { namespace, name }: ObjectName): string =>
  `${resource} ${namespace}/${name}`;

export function mapReplica(held: readonly HeldResource[]): MapReplica {
  const bases = new Map<string, KubeObject>();
  const versions = new Map<string, bigint>();
  const learned: KubeObject[] = [];
  const shown = (key: string): bigint => {
    const version = bases.get(key)?.metadata.resourceVersion ?? '0';
    return versions.get(key) ?? BigInt(naturalText(version));
  };
  return {
    learned,
    coverages: () => [],
    raise: (resource, at, version) => void versions.set(keyOf(resource, at), version),
    listVersion: (_resource, upstream) => naturalText(upstream),
    base: (resource, at) => bases.get(keyOf(resource, at)),
    learn(resource, object) {
      const { namespace = '', name = '' } = object.metadata;
      const key = keyOf(resource, { namespace, name });
      if (!held.includes(resource)) return undefined;
      learned.push(object);
      bases.set(key, object);
      return { ...object, metadata: { ...object.metadata, resourceVersion: String(shown(key)) } };
    },
    upstreamVersion(resource, at, version) {
      const key = keyOf(resource, at);
      const base = bases.get(key);
      if (base === undefined) return upstreamText(version);
      if (String(shown(key)) === version) return base.metadata.resourceVersion;
      return naturalText(upstreamText(version)) === version ? upstreamText(version) : undefined;
    },
    reader: (resource) => ({
      resource,
      version: 0n,
      lastEntry: 0n,
      get(at) {
        const key = keyOf(resource, at);
        const base = bases.get(key);
        return base === undefined ? undefined : { ...at, version: shown(key), json: JSON.stringify(base) };
      },
      page: () => [],
      changesAfter: () => [],
      subscribe: () => ({ [Symbol.dispose]: () => undefined }),
    }),
  };
}
