import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '@selvedge/kube';
import type { Access } from '../access/types.ts';
import { forbidden } from '../answers/index.ts';
import type { EventRights, EventRing } from '../events/index.ts';
import { alreadyExists, jsonResponse } from '../forward/index.ts';
import type { HeldResource, ObjectName, Replica } from '../replica/types.ts';
import { attributesOf } from '../request-info/index.ts';
import type { AnswerMemory } from '../tokens/index.ts';
import { type ChangeDeps, changedObject } from './change.ts';
import type { Heartbeats } from './heartbeats.ts';
import { type StatusRowDeps, createNodeStatusRow, createPodStatusRow } from './status-row.ts';
import { type Row, type Write, requestBody, shownObject } from './write.ts';

export interface RowsDeps extends StatusRowDeps {
  readonly replica: Pick<Replica, 'base' | 'putOverlay' | 'reader'>;
  readonly access: Pick<Access, 'authorize'>;
  readonly events: Pick<EventRing, 'take'>;
  readonly eventRights: Pick<EventRights, 'check'>;
  readonly tokens: AnswerMemory;
  readonly reviews: AnswerMemory;
  /** Whether the object is known to exist by other means than a coverage. */
  readonly knows: (resource: HeldResource, at: ObjectName) => boolean;
  readonly heartbeats: Heartbeats;
}

const events: ReadonlySet<HeldResource> = new Set(['v1/events', 'events.k8s.io/v1/events']);
const reviews: ReadonlySet<HeldResource> = new Set([
  'authentication.k8s.io/v1/tokenreviews',
  'authorization.k8s.io/v1/subjectaccessreviews',
]);

/** What a node may do is known; of others it is what the API server said. Throws `Forbidden`, `Unavailable`. */
async function checkRight({ request, about }: Write, access: Pick<Access, 'authorize'>): Promise<void> {
  const { caller, signal } = request;
  if (caller.kind === 'node') return;
  const { allowed, reason } = await access.authorize(caller.user, attributesOf(about), signal);
  if (!allowed) throw forbidden(caller.user, about, reason);
}

/** A change of the own Node that changes nothing: the kubelet asks for it when it starts. */
function createNodeRow(
  options: { readonly nodeName: string },
  deps: ChangeDeps & { readonly replica: Pick<Replica, 'reader'> },
): Row {
  return {
    name: 'node',
    accepts: ({ about, resource, at, request }) =>
      resource === 'v1/nodes' &&
      about.subresource === '' &&
      (about.verb === 'update' || about.verb === 'patch') &&
      at.name === options.nodeName &&
      request.caller.kind === 'node',
    async answer(write) {
      const shown = shownObject(deps.replica, write.resource, write.at);
      if (shown === undefined) return undefined;
      const next = changedObject(write, shown, deps);
      // A write of the object leaves its status alone.
      const same = isDeepStrictEqual({ ...next, status: undefined }, { ...shown, status: undefined });
      return same ? jsonResponse(200, shown) : undefined;
    },
  };
}

function createEventsRow({ eventRights, events: ring }: Pick<RowsDeps, 'eventRights' | 'events'>): Row {
  return {
    name: 'events',
    accepts: ({ about, resource }) =>
      events.has(resource) && about.subresource === '' && (about.verb === 'create' || about.verb === 'patch'),
    async answer(write) {
      const { request, about } = write;
      if (request.caller.kind !== 'node') await eventRights.check(request, about);
      return ring.take(request, about);
    },
  };
}

function createMemoryRow(name: string, memory: AnswerMemory, accepts: Row['accepts']): Row {
  return {
    name,
    accepts,
    answer: async ({ request, about }) => memory.recall(request, about),
    heard: ({ request, about }, response) => memory.heard(request, about, response),
  };
}

/** What is there cannot be made. Of what is not known to be there nobody can say. */
function createExistsRow(
  deps: Pick<RowsDeps, 'access' | 'decodeBody' | 'heartbeats' | 'knows' | 'replica'>,
): Row {
  return {
    name: 'exists',
    accepts: ({ about }) => about.verb === 'create' && about.name === '' && about.subresource === '',
    async answer(write) {
      const { resource, about, request } = write;
      const body = deps.decodeBody(requestBody(request)) as Partial<KubeObject>;
      const { name = '' } = body.metadata ?? {};
      const at = { namespace: about.namespace, name };
      const there =
        name !== '' && (deps.replica.base(resource, at) !== undefined || deps.knows(resource, at));
      if (!there) return undefined;
      await checkRight(write, deps.access);
      throw alreadyExists({ ...about, name });
    },
    heard({ resource, request }) {
      // The first thing that a kubelet asks for.
      if (resource === 'v1/nodes' && request.caller.kind === 'node') deps.heartbeats.begin();
    },
  };
}

/** The table; the first row that accepts a request answers it. Whatever none accepts waits for the cloud. */
export function createRows(options: { readonly nodeName: string }, deps: RowsDeps): readonly Row[] {
  return [
    createNodeStatusRow(options, deps),
    createPodStatusRow(options, deps),
    createNodeRow(options, deps),
    createEventsRow(deps),
    createMemoryRow(
      'token',
      deps.tokens,
      ({ about, resource }) =>
        resource === 'v1/serviceaccounts' && about.subresource === 'token' && about.verb === 'create',
    ),
    createMemoryRow(
      'review',
      deps.reviews,
      ({ about, resource }) => reviews.has(resource) && about.verb === 'create',
    ),
    createExistsRow(deps),
  ];
}
