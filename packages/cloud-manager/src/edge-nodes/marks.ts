import { labels } from '@selvedge/api';
import {
  type Clock,
  type Logger,
  type Random,
  type Service,
  createServiceGroup,
  createSubscriptions,
  hasCode,
} from '@selvedge/kit';
import {
  type KubeClient,
  type KubeMetrics,
  type ObjectReader,
  createController,
  mergePatch,
  resources,
} from '@selvedge/kube';
import type { Node } from '@selvedge/kube/types';

export interface MarksDeps {
  readonly client: Pick<KubeClient, 'patch'>;
  readonly nodes: ObjectReader<Node>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly kubeMetrics: KubeMetrics;
}

const timeoutMs = 10_000;
const fieldManager = 'selvedge-edge-nodes';

/** It says that edge-lite runs it, and nobody keeps cloud-manager off it yet. Pure. */
export const needsMark = ({ metadata: { labels: all = {} } }: Pick<Node, 'metadata'>): boolean =>
  labels.nodeVersion in all && !(labels.nodeEdge in all);

const waiting = (nodes: ObjectReader<Node>): readonly string[] =>
  Array.from(nodes.values())
    .filter(needsMark)
    .map(({ metadata: { name = '' } }) => name);

/**
 * Marks lite nodes as nodes at an edge, where cloud-manager does not run, once they have said what they are: they may take back what
 * they say, and not this. Only ever adds the mark. For one server at a time.
 */
export function createEdgeMarks(deps: MarksDeps): Service {
  const { client, nodes, clock, random, log, kubeMetrics: metrics } = deps;
  const reconcile = async (name: string, signal: AbortSignal): Promise<void> => {
    const node = nodes.get(name);
    if (node === undefined || !needsMark(node)) return;
    const patch = mergePatch({ metadata: { uid: node.metadata.uid, labels: { [labels.nodeEdge]: 'true' } } });
    try {
      await client.patch(resources.nodes, { name }, { patch, fieldManager, timeoutMs, signal });
      log.info('lite node marked as one at an edge', { node: name });
    } catch (error) {
      // Gone, or another one by now: the watch brings it.
      if (!hasCode(error, 'NotFound', 'Conflict')) throw error;
    }
  };
  const controller = createController(
    { name: 'edge-marks', workers: 2 },
    { reconcile, keys: () => waiting(nodes), clock, random, log, metrics },
  );
  const following = createSubscriptions({ name: 'edge mark subscriptions' }, () => [
    nodes.subscribe(({ object, kind }) => {
      if (kind !== 'deleted' && needsMark(object)) controller.enqueue(object.metadata.name ?? '');
    }),
  ]);
  return createServiceGroup({ name: 'edge marks', services: [following, controller] }, { log });
}
