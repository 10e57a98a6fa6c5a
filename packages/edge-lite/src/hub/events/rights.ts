import {
  BoundedMap,
  type Clock,
  type Logger,
  type Service,
  type TaskGroup,
  createTaskGroup,
  hasCode,
} from '@selvedge/kit';
import { keyOfUser } from '../access/index.ts';
import type { Access, Attributes } from '../access/types.ts';
import { forbidden } from '../answers/index.ts';
import { impersonates } from '../forward/index.ts';
import { type ResourceRequest, parseRequestInfo } from '../request-info/index.ts';
import type { Caller, HubHandler, HubRequest, UserInfo } from '../request.ts';
import type { Upstream } from '../upstream/types.ts';

export interface EventRightsOptions {
  /** How long it is enough to have asked about somebody, in milliseconds. Default 24 hours. */
  readonly askEveryMs?: number;
}

export interface EventRightsDeps {
  readonly access: Pick<Access, 'authorize'>;
  readonly upstream: Pick<Upstream, 'connectivity'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly log: Logger;
}

/**
 * Who may make Events while the cloud is away. It is asked while the cloud is there about whoever watches something, as all
 * do that make Events, and about whoever makes one.
 */
export interface EventRights extends Service {
  /** Rejects with `Forbidden`, with `Unavailable` where it was never asked. */
  check(request: HubRequest, about: ResourceRequest): Promise<void>;
  /** Looks at what was answered well. */
  noticing(handler: HubHandler): HubHandler;
}

const groups = ['', 'events.k8s.io'] as const;
const verbs = ['create', 'patch'] as const;
/** Users and namespaces remembered to have been asked about; questions under way. */
const maxAsked = 1_024;
const maxTasks = 64;

type Event = Pick<ResourceRequest, 'group' | 'verb' | 'namespace'>;

/** Of no event in particular: its name is new. No namespace means all. Source: `authorization.k8s.io/v1`. */
const questionOf = ({ group, verb, namespace }: Event): Attributes => ({
  kind: 'resource',
  verb,
  group,
  version: 'v1',
  resource: 'events',
  subresource: '',
  namespace,
  name: '',
  labelSelector: '',
  fieldSelector: '',
});

const isEvent = ({ group, resource, subresource, verb }: ResourceRequest): boolean =>
  resource === 'events' &&
  subresource === '' &&
  groups.some((one) => one === group) &&
  verbs.some((one) => one === verb);

/** Where somebody makes Events: where he has made one, or where his pod is. */
function namespaceOf({ caller, path, method, query }: HubRequest): string | undefined {
  const info = parseRequestInfo(method, path, query);
  if (info.kind === 'nonResource') return undefined;
  if (isEvent(info)) return info.namespace;
  if (info.verb !== 'watch') return undefined;
  return (caller.kind === 'token' ? caller.pod?.namespace : undefined) ?? '';
}

const isTheirs = ({ kind }: Caller): boolean => kind === 'token' || kind === 'configured';

class AskedRights implements EventRights {
  readonly name = 'event rights';
  readonly #askEveryMs: number;
  readonly #deps: EventRightsDeps;
  readonly #tasks: TaskGroup;
  /** When it was asked. */
  readonly #asked = new BoundedMap<string, number>({ capacity: maxAsked });

  constructor(options: EventRightsOptions, deps: EventRightsDeps) {
    this.#askEveryMs = options.askEveryMs ?? 24 * 3_600_000;
    this.#deps = deps;
    this.#tasks = createTaskGroup(
      { name: this.name, maxTasks },
      { onFailure: (error) => deps.log.info('not known who may make events', { error }) },
    );
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {
    await this.#tasks.stop();
  }

  async check({ caller: { user }, signal }: HubRequest, about: ResourceRequest): Promise<void> {
    const decisions = await Promise.allSettled(
      [about, { ...about, namespace: '' }].map((event) =>
        this.#deps.access.authorize(user, questionOf(event), signal),
      ),
    );
    const known = decisions.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    if (known.some(({ allowed }) => allowed)) return;
    const [own] = decisions;
    if (own?.status === 'rejected') throw own.reason;
    throw forbidden(user, about, known[0]?.reason ?? '');
  }

  noticing(handler: HubHandler): HubHandler {
    return async (request) => {
      const response = await handler(request);
      if (response.status < 300 && isTheirs(request.caller) && !impersonates(request.headers))
        this.#notice(request);
      return response;
    };
  }

  #notice(request: HubRequest): void {
    const namespace = namespaceOf(request);
    if (namespace === undefined || this.#deps.upstream.connectivity.kind !== 'online') return;
    const { user } = request.caller;
    const key = `${namespace} ${keyOfUser(user)}`;
    const now = this.#deps.clock.monotonicMs();
    if (this.#tasks.size >= maxTasks) return;
    if (now - (this.#asked.get(key) ?? -Infinity) < this.#askEveryMs) return;
    this.#asked.set(key, now);
    this.#tasks.run('ask', async (signal) => {
      try {
        await this.#ask(user, namespace, signal);
      } catch (error) {
        this.#asked.delete(key);
        if (!hasCode(error, 'Unavailable')) throw error;
      }
    });
  }

  /** Everywhere, else in the namespace. Access remembers the answers. */
  async #ask(user: UserInfo, namespace: string, signal: AbortSignal): Promise<void> {
    for (const group of groups) {
      for (const verb of verbs) {
        const may = async (where: string): Promise<boolean> => {
          const question = questionOf({ group, verb, namespace: where });
          return (await this.#deps.access.authorize(user, question, signal)).allowed;
        };
        if (!(await may('')) && namespace !== '') await may(namespace);
      }
    }
  }
}

export function createEventRights(options: EventRightsOptions, deps: EventRightsDeps): EventRights {
  return new AskedRights(options, deps);
}
