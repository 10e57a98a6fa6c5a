import { createTaskGroup, hasCode, messageOf, type Clock, type Logger, type Service } from '@selvedge/kit';
import type { Access } from '../access/types.ts';
import { forbidden, unavailable, wholeBody, type Autonomy } from '../answers/index.ts';
import { parseRequestInfo } from '../request-info/index.ts';
import type { Caller, HubHandler, HubRequest, HubResponse } from '../request.ts';
import type { Upstream } from '../upstream/types.ts';
import type { Archive, DocumentHead } from './archive.ts';
import { ownHealth } from './health.ts';
import { chosenHead, derivedAnswer, keptAnswer } from './kept-answer.ts';
import { canonicalMedia } from './media.ts';
import { aggregatedAccept } from './media-types.ts';
import { documentPath, plainPath } from './paths.ts';
import { tee } from './tee.ts';

export interface DocumentsOptions {
  readonly nodeName: string;
  /** Larger answers pass without being kept, in bytes as they come. Default 16 MiB. */
  readonly maxAnswerBytes?: number;
  /** Discovery is not fetched again before so long. Default 10 min. */
  readonly prefetchEveryMs?: number;
}

export interface DocumentsDeps {
  readonly archive: Archive;
  readonly access: Pick<Access, 'authorize'>;
  readonly upstream: Pick<Upstream, 'connectivity' | 'onConnectivity'>;
  readonly forward: HubHandler;
  /** In whose name discovery is fetched ahead. */
  readonly self: Caller;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Documents extends Service {
  /** Answers GETs of the paths that are documents or health checks, see `documentPath`. */
  readonly handle: HubHandler;
}

/** Enough for any client to find its way while the cloud is away; the rest is kept when somebody asks for it. */
const ahead: readonly (readonly [path: string, accept: string])[] = [
  ['/api', aggregatedAccept],
  ['/apis', aggregatedAccept],
  ['/version', 'application/json'],
];

const serviceAccountsGroup = 'system:serviceaccounts';

class ApiDocuments implements Documents {
  readonly name = 'hub documents';
  readonly #options: DocumentsOptions;
  readonly #deps: DocumentsDeps;
  readonly #tasks;
  #subscription: Disposable | undefined;
  #fetchedMs: number | undefined;

  constructor(options: DocumentsOptions, deps: DocumentsDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#tasks = createTaskGroup(
      { name: this.name, maxTasks: 10 },
      {
        onFailure: (error) => deps.log.info('discovery was not fetched ahead', { reason: messageOf(error) }),
      },
    );
  }

  async start(): Promise<void> {
    this.#subscription = this.#deps.upstream.onConnectivity(() => this.#fetchAhead());
    this.#fetchAhead();
  }

  async stop(): Promise<void> {
    this.#subscription?.[Symbol.dispose]();
    await this.#tasks.stop();
  }

  handle: HubHandler = async (request) => {
    const where = documentPath(request.path);
    const { connectivity } = this.#deps.upstream;
    if (connectivity.kind === 'offline') return await this.#here(request, connectivity.sinceMs);
    try {
      const kept = where.kind === 'document' && request.method === 'GET';
      return kept ? await this.#fetch(request) : await this.#deps.forward(request);
    } catch (error) {
      if (!hasCode(error, 'Unavailable', 'DeadlineExceeded') || request.signal.aborted) throw error;
      const since = error.details['offlineSinceMs'];
      return await this.#here(request, typeof since === 'number' ? since : this.#deps.clock.now());
    }
  };

  /** From upstream, but for the bytes that are here already. */
  async #fetch(request: HubRequest): Promise<HubResponse> {
    const path = plainPath(request.path);
    const head = chosenHead(request, this.#deps.archive);
    const { 'if-none-match': asked, ...headers } = request.headers;
    const condition = head === undefined ? undefined : (asked ?? head.etag);
    const conditional = condition === undefined ? headers : { ...headers, 'if-none-match': condition };
    const response = await this.#deps.forward({ ...request, headers: conditional });
    if (response.status === 304 && asked === undefined) {
      return this.#kept(request, head, undefined) ?? (await this.#deps.forward(request));
    }
    const contentType = response.headers['content-type'];
    if (response.status !== 200 || contentType === undefined) return response;
    const { etag } = response.headers;
    const media = canonicalMedia(contentType);
    return tee(response, this.#options.maxAnswerBytes ?? 16 * 1024 * 1024, (body) =>
      this.#deps.archive.put({ path, media, contentType, etag, body }),
    );
  }

  async #here(request: HubRequest, sinceMs: number): Promise<HubResponse> {
    const autonomy = { nodeName: this.#options.nodeName, sinceMs };
    const where = documentPath(request.path);
    if (where.kind === 'health') return ownHealth(where.check, where.part, request.query);
    if (where.kind === 'other' || request.method !== 'GET') throw unavailable(autonomy, request.path);
    await this.#checkRight(request);
    const { archive } = this.#deps;
    const kept = this.#kept(request, chosenHead(request, archive), autonomy);
    const answer = kept ?? derivedAnswer(request, archive, autonomy);
    if (answer === undefined) throw unavailable(autonomy, request.path);
    return answer;
  }

  #kept(
    request: HubRequest,
    head: DocumentHead | undefined,
    autonomy: Autonomy | undefined,
  ): HubResponse | undefined {
    const { archive } = this.#deps;
    return head === undefined ? undefined : keptAnswer(request, { head, archive, autonomy });
  }

  /**
   * Discovery, OpenAPI and the version are open to everybody who is authenticated; the issuer's configuration and keys to
   * every service account, if it was not refused: who may not, is not known of who was never asked about.
   * Source: Kubernetes, "Using RBAC Authorization", `system:discovery`, `system:service-account-issuer-discovery`.
   */
  async #checkRight({ method, path, query, caller: { user }, signal }: HubRequest): Promise<void> {
    const info = parseRequestInfo(method, path, query);
    const attributes = { kind: 'nonResource', verb: 'get', path: plainPath(path) } as const;
    try {
      const decision = await this.#deps.access.authorize(user, attributes, signal);
      if (!decision.allowed) throw forbidden(user, info, decision.reason);
    } catch (error) {
      if (!hasCode(error, 'Unavailable') || !user.groups.includes(serviceAccountsGroup)) throw error;
    }
  }

  #fetchAhead(): void {
    const { upstream, clock } = this.#deps;
    if (upstream.connectivity.kind !== 'online') return;
    const now = clock.monotonicMs();
    const every = this.#options.prefetchEveryMs ?? 10 * 60_000;
    if (this.#fetchedMs !== undefined && now - this.#fetchedMs < every) return;
    this.#fetchedMs = now;
    this.#tasks.run('fetch discovery ahead', (signal) => this.#fetchAll(signal));
  }

  async #fetchAll(signal: AbortSignal): Promise<void> {
    try {
      for (const [path, accept] of ahead) {
        const headers = { accept, 'accept-encoding': 'gzip' };
        const request = { method: 'GET', path, query: new URLSearchParams(), headers, body: undefined };
        await wholeBody(await this.#fetch({ ...request, caller: this.#deps.self, signal }));
      }
    } catch (error) {
      this.#fetchedMs = undefined;
      throw error;
    }
  }
}

/**
 * What clients must read before they can read anything else: discovery, OpenAPI, version, OIDC, health. Whatever passes is
 * kept, so that the same client finds it while the cloud is away; discovery and version are fetched ahead.
 */
export function createDocuments(options: DocumentsOptions, deps: DocumentsDeps): Documents {
  return new ApiDocuments(options, deps);
}
