import { type Clock, type Logger, type Random, type Service, createServiceGroup } from '@selvedge/kit';
import {
  type EventRecorder,
  type KubeClient,
  type KubeMetrics,
  type ObjectReader,
  createEventRecorder,
  keyOf,
} from '@selvedge/kube';
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

interface Parts {
  readonly caches: AutonomyCaches;
  readonly edgeNodes: ObjectReader<EdgeNodeObject>;
  readonly judge: Judge;
  readonly sightings: Sightings;
  readonly holding: ReturnType<typeof createHolding>;
  readonly mirror: ReturnType<typeof createMirror>;
  readonly keeper: ReturnType<typeof createPodKeeper>;
}

const sameUnit = (a: EdgeUnitObject, b: EdgeUnitObject): boolean =>
  a.spec?.autonomy === b.spec?.autonomy && membersOf(a).join() === membersOf(b).join();

/** Leads each change to who has to look at it. */
function following({ caches, edgeNodes, judge, sightings, holding, mirror, keeper }: Parts): Service {
  const subscriptions: (() => void)[] = [];
  const lookAt = (node: string): void => {
    holding.enqueue(node);
    mirror.enqueue(node);
    keeper.enqueueOf(node);
  };
  return {
    name: 'autonomy subscriptions',
    async start() {
      subscriptions.push(
        caches.leases.subscribe((change) => {
          const { name: node = '' } = change.object.metadata;
          const isOwn = sightings.see(change);
          const isBack = isOwn && judge.fate(node)?.kind !== 'Connected';
          if (isBack || change.kind === 'added') holding.enqueue(node);
        }),
        caches.nodes.subscribe(({ kind, object }) => {
          const { name: node = '' } = object.metadata;
          if (kind === 'deleted') mirror.forget(node);
          else mirror.see(object);
          if (kind === 'added') holding.enqueue(node);
          if (judge.fate(node)?.kind !== 'Connected') lookAt(node);
          else mirror.enqueue(node, gatherMs);
        }),
        caches.units.subscribe((change) => {
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
  const judge = new Judge(
    { ...options, ...times },
    { caches, edgeNodes, sightings, testimonies, clock, onMove },
  );
  const parts = { ...deps, ...caches, edgeNodes, judge, sightings, events };
  const isEdge = (node: string): boolean => edgeNodes.get(node) !== undefined;
  const keeper = createPodKeeper({ ...parts, isEdge, changes: metrics.podChanges });
  const failover = new Failover(options.failover, {
    ...parts,
    membersOf: (node) => membersOf(judge.unit(node)),
  });
  const mirror = createMirror({ ...parts, failover, failovers: metrics.failovers });
  const holding = createHolding(times, {
    ...parts,
    isReady: () => caches.synced,
    isReleased: (node) => keeper.isSettled(node),
    renewals: metrics.renewals,
  });
  const subscriptions = following({ caches, edgeNodes, judge, sightings, holding, mirror, keeper });
  const services = [events, holding, mirror, keeper, subscriptions, caches.service];
  return {
    service: createServiceGroup({ name: 'autonomy', services }, { log }),
    judge,
    testimonies,
    enqueue: (node) => void holding.enqueue(node),
  };
}
