import type { Clock } from '@selvedge/kit';
import type { KubeObject } from '@selvedge/kube';
import { objectName } from '../bodies/index.ts';
import type { RequestBody, TranslateBody } from '../bodies/types.ts';
import type { ApplyViews, Replica } from '../replica/types.ts';
import type { Caller, HubHandler, HubRequest, HubResponse } from '../request.ts';
import {
  type RequestInfo,
  type ResourceRequest,
  heldResource,
  parseRequestInfo,
  placeOf,
} from '../request-info/index.ts';
import type { Upstream, UpstreamResponse } from '../upstream/types.ts';
import { jsonAccept } from './accept.ts';
import { type Altered, createAltered } from './altered.ts';
import { answerAsIs, answerList, answerObject, answerWatch, isJson } from './answer.ts';
import { requestHeaders } from './headers.ts';
import { type Horizon, createHorizon } from './horizon.ts';
import { modified } from './refusals.ts';
import { type Viewed, restoreBody } from './restore.ts';
import { sentQuery } from './sent-query.ts';
import { printsHere } from './rows.ts';
import type { ShowDeps } from './show.ts';
import { upstreamText } from '../replica/index.ts';

export interface ForwardOptions {
  /** The largest object, watch event or head of a list that is rewritten. Default 8 MiB. */
  readonly maxObjectBytes?: number;
}

export interface ForwardDeps {
  readonly upstream: Pick<Upstream, 'send'>;
  readonly replica: Pick<
    Replica,
    'base' | 'coverages' | 'learn' | 'listVersion' | 'reader' | 'upstreamVersion'
  >;
  readonly views: ApplyViews;
  readonly translateBody: TranslateBody;
  readonly clock: Pick<Clock, 'now'>;
  /** See `ShowDeps`. */
  readonly takeOver: ShowDeps['takeOver'];
  /** Told of each object that its reader got with a GET of its own, as it was shown to him. */
  readonly remember: (request: ResourceRequest, caller: Caller, object: KubeObject) => void;
}

/** Bytes of somebody else pass through these: nothing in them is of the API. */
const foreign: ReadonlySet<string> = new Set(['attach', 'exec', 'log', 'portforward', 'proxy']);

/** Verbs whose body says an object, or a part of it. */
const writes: ReadonlySet<string> = new Set(['create', 'patch', 'update']);

/** What is created in a collection is named by its body. */
const nameOf = (about: ResourceRequest, body: RequestBody): string =>
  about.verb === 'create' && about.subresource === '' ? objectName(body) : about.name;

const isSuccess = ({ status }: UpstreamResponse): boolean => status >= 200 && status < 300;

/** A request that the API server answers with objects; else undefined. */
function objectRequest(info: RequestInfo): ResourceRequest | undefined {
  if (info.kind === 'nonResource' || info.verb === 'proxy') return undefined;
  return foreign.has(info.subresource) ? undefined : info;
}

function pathOf(request: HubRequest, about: ResourceRequest | undefined, horizon: Horizon): string {
  const { path, query } = request;
  const sent = about === undefined ? query : sentQuery(about, query, horizon);
  if (about !== undefined && printsHere(about, request)) sent.set('includeObject', 'Object');
  return sent.size === 0 ? path : `${path}?${sent.toString()}`;
}

function headersOf(
  { headers }: HubRequest,
  about: ResourceRequest | undefined,
  streams: boolean,
): Record<string, string> {
  const sent = requestHeaders(headers);
  if (about === undefined) return { ...sent, 'accept-encoding': headers['accept-encoding'] ?? 'identity' };
  return {
    ...sent,
    accept: jsonAccept(headers['accept']),
    'accept-encoding': streams ? 'identity' : 'gzip',
  };
}

class Forward {
  readonly #deps: ForwardDeps;
  readonly #maxObjectBytes: number;
  readonly #horizon: Horizon;
  readonly #altered: Altered;

  constructor(options: ForwardOptions, deps: ForwardDeps) {
    this.#deps = deps;
    this.#horizon = createHorizon(deps.replica);
    this.#altered = createAltered({}, deps);
    this.#maxObjectBytes = options.maxObjectBytes ?? 8 * 1024 * 1024;
  }

  handle: HubHandler = async (request) => {
    const info = parseRequestInfo(request.method, request.path, request.query);
    const about = objectRequest(info);
    const longRunning = info.kind === 'resource' && (info.verb === 'watch' || foreign.has(info.subresource));
    const deleted = about?.verb === 'delete' ? this.#viewed(about, about.name) : undefined;
    const response = await this.#deps.upstream.send(request.caller, {
      method: request.method,
      path: pathOf(request, about, this.#horizon),
      headers: headersOf(request, about, longRunning),
      body: this.#body(request, about),
      longRunning,
      signal: request.signal,
    });
    if (about !== undefined && deleted !== undefined && isSuccess(response))
      this.#altered.deleted(heldResource(about), deleted);
    return this.#answer(request, about, response);
  };

  #body({ body, headers }: HubRequest, about: ResourceRequest | undefined): Uint8Array | undefined {
    if (about === undefined || body === undefined || body.length === 0) return body;
    const contentType = headers['content-type'];
    const bytes = this.#deps.translateBody({ contentType, bytes: body }, (shown) =>
      this.#translate(about, shown),
    );
    const viewed = writes.has(about.verb)
      ? this.#viewed(about, nameOf(about, { contentType, bytes }))
      : undefined;
    return viewed === undefined ? bytes : restoreBody(bytes, contentType, viewed);
  }

  /** What a write is about, if views show another object than upstream has. */
  #viewed(about: ResourceRequest, name: string): Viewed | undefined {
    if (name === '' || about.subresource !== '') return undefined;
    return this.#altered.viewed(heldResource(about), placeOf({ ...about, name }));
  }

  #translate(about: ResourceRequest, shown: string): string {
    if (about.name === '' || shown === '') return upstreamText(shown);
    const version = this.#deps.replica.upstreamVersion(heldResource(about), placeOf(about), shown);
    if (version === undefined) throw modified(about);
    return version;
  }

  #answer(
    request: HubRequest,
    about: ResourceRequest | undefined,
    response: UpstreamResponse,
  ): HubResponse | Promise<HubResponse> {
    const unzip = about !== undefined;
    const rewritten = unzip && isSuccess(response) && isJson(response);
    if (!rewritten || request.method === 'HEAD') return answerAsIs(response, unzip);
    const own = { maxObjectBytes: this.#maxObjectBytes, horizon: this.#horizon, altered: this.#altered };
    const context = { request, about, response, ...own, ...this.#deps };
    switch (about.verb) {
      case 'watch':
        return answerWatch(context);
      case 'list':
      case 'deletecollection':
        return answerList(context);
      default:
        return answerObject(context);
    }
  }
}

/**
 * Passes any request on to the API server in its sender's name. Versions in queries and bodies are translated to the
 * upstream's; answers are JSON under the hub's versions and with the views, and the replica learns from them. Lists and
 * watches are rewritten as they come. Rejects with `Unavailable` or `DeadlineExceeded` when no answer came; answers of the
 * API server, refusals too, pass.
 */
export function createForward(options: ForwardOptions, deps: ForwardDeps): HubHandler {
  return new Forward(options, deps).handle;
}
