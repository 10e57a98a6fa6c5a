import { type Clock, type Logger, type Random, type Service, createServiceGroup } from '@selvedge/kit';
import {
  type EventRecorder,
  type KubeClient,
  type KubeMetrics,
  type ObjectReader,
  createEventRecorder,
  keyOf,
} from '@selvedge/kube';
import type { Node } from '@selvedge/kube/types';
import type { EdgeUnitObject } from '@selvedge/unit-controller';
import type { EdgeNodeObject } from '../edge-nodes/index.ts';
import { type AutonomyCaches, createAutonomyCaches, membersOf } from './caches.ts';
import { type Fate, messageOf } from './fate/index.ts';
import { createHolding } from './holding.ts';
import { Judge } from './judge.ts';
import { Sightings } from './lease/index.ts';
import type { AutonomyMetrics } from './metrics.ts';
import { Failover, createMirror } from './node/index.ts';
import { type AutonomyOptions, timesOf } from './options.ts';
import { createPodKeeper } from './pods/index.ts';
import { Testimonies } from './testimony/index.ts';

export interface TermDeps {
  readonly client: KubeClient;
  readonly edgeNodes: ObjectReader<EdgeNodeObject>;
  /** With `memberIndexers`. */
  readonly edgeUnits: ObjectReader<EdgeUnitObject>;
  /** Their age, taints, Ready and what is mirrored to them, at least. */
  readonly nodes: ObjectReader<Node>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly kubeMetrics: KubeMetrics;
  readonly metrics: AutonomyMetrics;
}

/** What lives as long as this server leads. */
export interface Term {
  readonly service: Service;
  readonly judge: Judge;
  readonly testimonies: Testimonies;
  /** The node's peers said something: look at it. */
  readonly enqueue: (node: string) => void;
}

const component = 'cloud-manager';
/** A node may write its own conditions, ours among them, as often as it likes; they are put right once in this time. */
const gatherMs = 1_000;

function recordMove(events: EventRecorder, node: string, to: Fate): void {
  const about = { apiVersion: 'v1', kind: 'Node', name: node, uid: node };
  const type = to.kind === 'Connected' ? 'Normal' : 'Warning';
  events.record(about, { type, reason: `Node${to.kind}`, message: messageOf(to) });
}

interface Parts extends Pick<TermDeps, 'edgeNodes' | 'edgeUnits' | 'nodes'> {
  readonly caches: AutonomyCaches;
  readonly judge: Judge;
  readonly sightings: Sightings;
  readonly holding: ReturnType<typeof createHolding>;
  readonly mirror: ReturnType<typeof createMirror>;
  readonly keeper: ReturnType<typeof createPodKeeper>;
}

const sameUnit = (a: EdgeUnitObject, b: EdgeUnitObject): boolean =>
  a.spec?.autonomy === b.spec?.autonomy && membersOf(a).join() === membersOf(b).join();

/** Leads each change to who has to look at it. */
function following(parts: Parts): Service {
  const { caches, edgeNodes, edgeUnits, nodes, judge, sightings, holding, mirror, keeper } = parts;
  const subscriptions: (() => void)[] = [];
  const lookAt = (node: string): void => {
    holding.enqueue(node);
    mirror.enqueue(node);
    keeper.enqueueOf(node);
  };
  return {
    name: 'autonomy subscriptions',
    async start() {
      for (const node of nodes.values()) mirror.see(node);
      subscriptions.push(
        caches.leases.subscribe((change) => {
          const { name: node = '' } = change.object.metadata;
          const isOwn = sightings.see(change);
          const isBack = isOwn && judge.fate(node)?.kind !== 'Connected';
          if (isBack || change.kind === 'added') holding.enqueue(node);
        }),
        nodes.subscribe(({ kind, object }) => {
          const { name: node = '' } = object.metadata;
          if (kind === 'deleted') mirror.forget(node);
          else mirror.see(object);
          if (kind === 'added') holding.enqueue(node);
          if (judge.fate(node)?.kind !== 'Connected') lookAt(node);
          else mirror.enqueue(node, gatherMs);
        }),
        edgeUnits.subscribe((change) => {
          if (change.kind === 'updated' && sameUnit(change.previous, change.object)) return;
          const before = change.kind === 'updated' ? membersOf(change.previous) : [];
          for (const node of new Set([...before, ...membersOf(change.object)])) lookAt(node);
        }),
        caches.pods.subscribe(({ kind, object }) => {
          if (kind !== 'deleted') keeper.enqueue(keyOf(object), 200);
        }),
        edgeNodes.subscribe((change) => {
          const { metadata, spec } = change.object;
          const { name: node = '' } = metadata;
          if (change.kind === 'updated' && change.previous.spec?.autonomy === spec?.autonomy) {
            mirror.enqueue(node);
          } else lookAt(node);
        }),
      );
    },
    async stop() {
      for (const unsubscribe of subscriptions.splice(0)) unsubscribe();
    },
  };
}

export function createTerm(options: AutonomyOptions, deps: TermDeps): Term {
  const { clock, log, metrics, edgeNodes } = deps;
  const times = timesOf(options);
  const sightings = new Sightings(clock);
  const testimonies = new Testimonies({ validMs: options.witnessMs }, clock);
  const caches = createAutonomyCaches({
    ...deps,
    onFollowing: (isFollowing) => sightings.follow(isFollowing),
  });
  const events = createEventRecorder(
    { component, host: options.server },
    { ...deps, metrics: deps.kubeMetrics },
  );
  const onMove = (node: string, from: Fate | undefined, to: Fate): void => {
    if (from !== undefined && from.kind !== to.kind) {
      log.info('node state changed', { node, from: from.kind, to: to.kind, reason: to.reason });
      metrics.moves.add({ state: to.kind });
      recordMove(events, node, to);
    }
    mirror.enqueue(node);
    keeper.enqueueOf(node);
  };
  const judge = new Judge({ ...options, ...times }, { ...deps, ...caches, sightings, testimonies, onMove });
  const parts = { ...deps, ...caches, judge, sightings, events };
  const isEdge = (node: string): boolean => edgeNodes.get(node) !== undefined;
  const keeper = createPodKeeper({ ...parts, isEdge, changes: metrics.podChanges });
  const failover = new Failover(options.failover, {
    ...parts,
    membersOf: (node) => membersOf(judge.unit(node)),
  });
  const mirror = createMirror({ ...parts, failover, failovers: metrics.failovers });
  const holding = createHolding(times, {
    ...parts,
    isReleased: (node) => keeper.isSettled(node),
    renewals: metrics.renewals,
  });
  const subscriptions = following({ ...deps, caches, judge, sightings, holding, mirror, keeper });
  const services = [events, subscriptions, caches.service, holding, mirror, keeper];
  return {
    service: createServiceGroup({ name: 'autonomy', services }, { log }),
    judge,
    testimonies,
    enqueue: (node) => void holding.enqueue(node),
  };
}
