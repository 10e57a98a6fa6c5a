import { labels } from '@selvedge/api';
import {
  type Clock,
  type Logger,
  type Random,
  type Service,
  createServiceGroup,
  hasCode,
} from '@selvedge/kit';
import { type KubeClient, type KubeMetrics, type ObjectReader, createController } from '@selvedge/kube';
import type { Lease, Node } from '@selvedge/kube/types';
import { type EdgeNodeObject, edgeNodeResource } from '../edge-nodes/index.ts';
import { shownOf } from './entries.ts';
import { manager, writeCount, writeEntries } from './writer.ts';

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
function isLeftOver({ metadata, spec, status }: EdgeNodeObject, hasNode: boolean): boolean {
  const made = metadata.labels?.[labels.managedBy] === manager;
  return made && !hasNode && (status?.sessions ?? []).length === 0 && spec?.banned !== true;
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

export interface CleanerDeps {
  readonly client: Pick<KubeClient, 'patch' | 'delete'>;
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
const timeoutMs = 10_000;
/** Servers write about one node at about the same time; the count of all of them is one write. */
const gatherMs = 200;

type Execute = (edgeNode: EdgeNodeObject, step: CleaningStep, signal: AbortSignal) => Promise<unknown>;

const executor =
  ({ client, log }: CleanerDeps): Execute =>
  async (edgeNode, step, signal) => {
    const { name: node = '', uid = '', resourceVersion = '' } = edgeNode.metadata;
    switch (step.kind) {
      case 'withdraw': {
        const { server } = step;
        log.info('sessions of a server that is gone withdrawn', { node, server });
        return writeEntries(client, { node, server, entries: [] }, signal);
      }
      case 'count':
        return writeCount(client, { node, sessionCount: step.sessionCount }, signal);
      case 'delete': {
        log.info('EdgeNode deleted, its Node is gone', { node });
        const preconditions = { uid, resourceVersion };
        return client.delete(edgeNodeResource, { name: node }, { preconditions, timeoutMs, signal });
      }
    }
  };

/** Keeps EdgeNodes tidy while it runs; on one server at a time. */
export function createCleaner(deps: CleanerDeps): Service {
  const { edgeNodes, nodes, serverLeases, isAlive, clock, random, log, kubeMetrics: metrics } = deps;
  const execute = executor(deps);
  const reconcile = async (node: string, signal: AbortSignal): Promise<void> => {
    const edgeNode = edgeNodes.get(node);
    if (edgeNode === undefined) return;
    const step = planCleaning(edgeNode, { isAlive, hasNode: nodes.get(node) !== undefined });
    if (step === undefined) return;
    try {
      await execute(edgeNode, step, signal);
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
  const subscriptions: (() => void)[] = [];
  const following: Service = {
    name: 'edge node subscriptions',
    async start() {
      for (const reader of [edgeNodes, nodes]) {
        subscriptions.push(
          reader.subscribe(({ object }) => void controller.enqueue(object.metadata.name ?? '', gatherMs)),
        );
      }
      // A server that says goodbye; one that dies is noticed by the resync.
      const goodbye = serverLeases.subscribe(({ kind, object }) => {
        if (kind === 'deleted') enqueueOf(object.spec?.holderIdentity ?? '');
      });
      subscriptions.push(goodbye);
    },
    async stop() {
      for (const unsubscribe of subscriptions.splice(0)) unsubscribe();
    },
  };
  return createServiceGroup({ name: 'edge node cleaner', services: [controller, following] }, { log });
}
