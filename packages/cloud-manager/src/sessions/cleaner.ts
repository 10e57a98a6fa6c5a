import {
  type Clock,
  type Logger,
  type Random,
  type Service,
  createServiceGroup,
  createSubscriptions,
  hasCode,
} from '@selvedge/kit';
import { type KubeMetrics, type ObjectReader, createController } from '@selvedge/kube';
import type { Lease, Node } from '@selvedge/kube/types';
import type { EdgeNodeObject } from '../edge-nodes/index.ts';
import { shownOf } from './entries.ts';
import { type SessionWriter, isMadeByServer } from './writer.ts';

/** One thing to do about an EdgeNode. */
export type CleaningStep =
  | { readonly kind: 'withdraw'; readonly server: string }
  | { readonly kind: 'count'; readonly sessionCount: number }
  | { readonly kind: 'delete' };

export interface CleaningFacts {
  readonly isAlive: (server: string) => boolean;
  readonly hasNode: boolean;
}

/** Made by a server, for a Node that is gone, and it says nothing that should stay: a ban does. */
function isLeftOver(edgeNode: EdgeNodeObject, hasNode: boolean): boolean {
  const { spec, status } = edgeNode;
  const saysNothing = (status?.sessions ?? []).length === 0 && spec?.banned !== true;
  return isMadeByServer(edgeNode) && !hasNode && saysNothing;
}

/**
 * What is to be done about an EdgeNode, one step at a time: sessions of servers that died go, then an EdgeNode that nobody
 * needs goes, else the count is put right. Pure.
 */
export function planCleaning(
  edgeNode: EdgeNodeObject,
  { isAlive, hasNode }: CleaningFacts,
): CleaningStep | undefined {
  const { sessions = [], sessionCount = 0 } = edgeNode.status ?? {};
  const dead = sessions.find(({ server }) => !isAlive(server));
  if (dead !== undefined) return { kind: 'withdraw', server: dead.server };
  if (isLeftOver(edgeNode, hasNode)) return { kind: 'delete' };
  return sessionCount === sessions.length ? undefined : { kind: 'count', sessionCount: sessions.length };
}

export interface CleanerOptions {
  /** How long a new term takes no server that still has a Lease for dead: the one before may have ended with an outage. */
  readonly patienceMs: number;
}

export interface CleanerDeps {
  readonly writer: Pick<SessionWriter, 'show' | 'count' | 'delete'>;
  readonly edgeNodes: ObjectReader<EdgeNodeObject>;
  readonly nodes: ObjectReader<Node>;
  readonly serverLeases: ObjectReader<Lease>;
  readonly isAlive: (server: string) => boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly kubeMetrics: KubeMetrics;
}

/** How soon a server that fell silent is noticed, beside the duration of its Lease. */
const resyncMs = 15_000;
/** Servers write about one node at about the same time; the count of all of them is one write. */
const gatherMs = 200;

async function execute(
  step: CleaningStep,
  { edgeNode, writer, log }: Pick<CleanerDeps, 'writer' | 'log'> & { readonly edgeNode: EdgeNodeObject },
  signal: AbortSignal,
): Promise<void> {
  const { name: node = '' } = edgeNode.metadata;
  switch (step.kind) {
    case 'withdraw': {
      const { server } = step;
      log.info('sessions of a server that is gone withdrawn', { node, server });
      await writer.show({ node, server, entries: [] }, signal);
      return;
    }
    case 'count':
      await writer.count(node, step.sessionCount, signal);
      return;
    case 'delete':
      log.info('EdgeNode deleted, its Node is gone', { node });
      await writer.delete(edgeNode, signal);
  }
}

/** For one term: keeps EdgeNodes tidy while it runs; on one server at a time. */
export function createCleaner({ patienceMs }: CleanerOptions, deps: CleanerDeps): Service {
  const { writer, edgeNodes, nodes, serverLeases, clock, random, log, kubeMetrics: metrics } = deps;
  const begunMs = clock.monotonicMs();
  const hasLease = (server: string): boolean =>
    Array.from(serverLeases.values()).some(({ spec }) => spec?.holderIdentity === server);
  const isAlive = (server: string): boolean =>
    deps.isAlive(server) || (clock.monotonicMs() - begunMs < patienceMs && hasLease(server));
  const reconcile = async (node: string, signal: AbortSignal): Promise<void> => {
    const edgeNode = edgeNodes.get(node);
    if (edgeNode === undefined) return;
    const step = planCleaning(edgeNode, { isAlive, hasNode: nodes.get(node) !== undefined });
    if (step === undefined) return;
    try {
      await execute(step, { edgeNode, writer, log }, signal);
    } catch (error) {
      // It changed in between: the watch brings it.
      if (!hasCode(error, 'NotFound', 'Conflict')) throw error;
    }
  };
  const controller = createController(
    { name: 'edge-nodes', workers: 2, resyncMs },
    { reconcile, keys: () => edgeNodes.keys(), clock, random, log, metrics },
  );
  const enqueueOf = (server: string): void => {
    for (const edgeNode of edgeNodes.values()) {
      if (shownOf(server, edgeNode).length > 0) controller.enqueue(edgeNode.metadata.name ?? '');
    }
  };
  const following = createSubscriptions({ name: 'edge node subscriptions' }, () => [
    ...[edgeNodes, nodes].map((reader) =>
      reader.subscribe(({ object }) => void controller.enqueue(object.metadata.name ?? '', gatherMs)),
    ),
    // A server that says goodbye; one that dies is noticed by the resync.
    serverLeases.subscribe(({ kind, object }) => {
      if (kind === 'deleted') enqueueOf(object.spec?.holderIdentity ?? '');
    }),
  ]);
  return createServiceGroup({ name: 'edge node cleaner', services: [controller, following] }, { log });
}
