import type { Service } from '@selvedge/kit';
import { createEventRecorder } from '@selvedge/kube';
import { createOperatorGate } from './access/index.ts';
import { decodeBody, translateBody } from './bodies/index.ts';
import type { Core, HubDeps, HubOptions } from './core.ts';
import { createCoverages } from './coverages/index.ts';
import type { Coverages } from './coverages/types.ts';
import { createArchive, createDocuments, createTypes } from './documents/index.ts';
import { type EventRing, createEventRights, createEventRing } from './events/index.ts';
import { noticeRootCa } from './facts/index.ts';
import { createForward } from './forward/index.ts';
import { carefully, createKeep } from './keep.ts';
import { createNodeLease } from './leases/index.ts';
import { applyPatchBody, replayPatch } from './merge/index.ts';
import { type PointEntries, createPointEntries, createReads } from './reads/index.ts';
import type { ApplyViews } from './replica/types.ts';
import { type Replay, createReplay } from './replay/index.ts';
import type { Caller, HubHandler } from './request.ts';
import { heldResource } from './request-info/index.ts';
import { covers } from './selection/index.ts';
import { createServe } from './serve/index.ts';
import { type PodTokens, createReviews } from './tokens/index.ts';
import { Heartbeats, createWrites } from './writes/index.ts';

export interface ServingDeps extends HubDeps, Core {
  readonly options: HubOptions;
  /** The node, for what the hub asks itself. */
  readonly self: Caller;
  readonly views: ApplyViews;
  readonly tokens: PodTokens;
}

/** What answers requests, and what works behind it. */
export interface Serving {
  readonly handler: HubHandler;
  readonly coverages: Coverages;
  readonly events: EventRing;
  /** In the order of starting. */
  readonly services: readonly Service[];
}

interface Kept {
  readonly recorder: Service;
  readonly replay: Replay;
  readonly heartbeats: Heartbeats;
  readonly coverages: Coverages;
  readonly events: EventRing;
  readonly points: PointEntries;
}

/** What is followed, and what waits to go up. */
function createKept(deps: ServingDeps): Kept {
  const { options, replica, store } = deps;
  const { nodeName } = options;
  const documents = store.runtime;
  const recorder = createEventRecorder(
    { component: 'edge-lite', host: nodeName },
    { ...deps, metrics: deps.kubeMetrics },
  );
  const heartbeats = new Heartbeats({}, deps);
  const replay = createReplay({ nodeName }, { ...deps, recorder, replayPatch, heartbeats });
  const ready = (signal: AbortSignal): Promise<void> => replay.drained(signal);
  const coverages = createCoverages(
    { unusedMs: options.keepUnusedMs },
    { ...deps, covers, documents, ready },
  );
  const onRefused = (refused: number): void => {
    const message = `${refused} Events that were made here while the cloud was away were not taken by the API server`;
    const about = { apiVersion: 'v1', kind: 'Node', name: nodeName, uid: nodeName };
    recorder.record(about, { type: 'Warning', reason: 'EventsGivenUp', message });
  };
  const events = createEventRing({}, { ...deps, runtime: documents, decodeBody, drained: ready, onRefused });
  const points = createPointEntries(
    { nodeName },
    {
      runtime: documents,
      held: (about) => replica.reader(heldResource(about)).get(about) !== undefined,
    },
  );
  return { recorder, replay, heartbeats, coverages, events, points };
}

export function createServing(deps: ServingDeps): Serving {
  const { options, store, self } = deps;
  const { nodeName } = options;
  const { recorder, replay, heartbeats, coverages, events, points } = createKept(deps);
  const keep = createKeep(deps);
  const forward = createForward(
    {},
    {
      ...deps,
      translateBody,
      takeOver: (learn) => keep('replica', learn),
      remember: (...read) => keep('object', () => points.remember(...read)),
    },
  );
  const archive = createArchive({}, { runtime: store.runtime });
  const documents = createDocuments({ nodeName }, { ...deps, archive, forward, self });
  const types = createTypes({ ...deps, archive });
  const reads = createReads({ nodeName }, { ...deps, coverages, forward, points, types });
  const lease = createNodeLease({ nodeName }, { ...deps, forward, decodeBody, applyPatchBody });
  const eventRights = createEventRights({}, deps);
  const reviews = createReviews({}, { ...deps, runtime: store.runtime, decodeBody });
  const writes = createWrites(
    { nodeName },
    {
      ...deps,
      forward,
      lease,
      events,
      eventRights,
      heartbeats,
      decodeBody,
      applyPatchBody,
      tokens: carefully(deps.tokens, 'token', keep),
      reviews: carefully(reviews, 'review', keep),
      knows: (resource, at) => points.knows(resource, at),
      replaySoon: () => replay.soon(),
    },
  );
  const serve = createServe({ documents: documents.handle, reads, writes, forward, lease });
  const gated = createOperatorGate(eventRights.noticing(serve), deps);
  const handler = noticeRootCa(gated, () => deps.trust.served());
  const services = [recorder, deps.tokens, replay, coverages, documents, lease, events, eventRights];
  return { handler, coverages, events, services };
}
