import { labels } from '@selvedge/api';
import { hasCode, type Logger } from '@selvedge/kit';
import { type EventRecorder, type KubeClient, mergePatch, resources } from '@selvedge/kube';
import type { ClusterView } from './cluster-view.ts';
import { hasFinalizer } from '../units/index.ts';
import type { UnitMetrics } from '../metrics.ts';
import { edgeNodeResource, edgeUnitResource, fieldManager } from '../objects.ts';
import { type NodeFacts, type NodeStep, patchOfNode, planNode } from '../nodes/index.ts';

export interface NodeReconcilerDeps {
  readonly client: Pick<KubeClient, 'create' | 'patch'>;
  readonly view: ClusterView;
  readonly events: Pick<EventRecorder, 'record'>;
  readonly log: Logger;
  readonly metrics: UnitMetrics;
}

const timeoutMs = 10_000;
/** To leave one unit, to join another, and to see that nothing is left. */
const maxRounds = 3;
/** Whose EdgeNodes go with their Nodes. */
const owner = 'selvedge-cloud-manager';

type Executor = (name: string, facts: NodeFacts, signal: AbortSignal) => Promise<NodeFacts>;

function executorOf({ client, view, metrics }: NodeReconcilerDeps, step: NodeStep): Executor {
  const written = { fieldManager, timeoutMs };
  switch (step.kind) {
    case 'create':
      return async (name, facts, signal) => {
        const metadata = { name, labels: { [labels.managedBy]: owner } };
        metrics.writes.add({ what: 'edge-node' });
        view.edgeNodes.wrote(await client.create(edgeNodeResource, { metadata }, { ...written, signal }));
        return { ...facts, hasEdgeNode: true };
      };
    case 'record':
      return async (name, facts, signal) => {
        const patch = mergePatch({ status: { unit: step.pushed ?? null } });
        const options = { patch, subresource: 'status', ...written, signal };
        metrics.writes.add({ what: 'record' });
        const edgeNode = await client.patch(edgeNodeResource, { name }, options);
        view.edgeNodes.wrote(edgeNode);
        return { ...facts, pushed: edgeNode.status?.unit };
      };
    case 'change':
      return async (name, facts, signal) => {
        const patch = mergePatch(patchOfNode(facts.node, step.change));
        metrics.writes.add({ what: 'node' });
        const node = await client.patch(resources.nodes, { name }, { patch, ...written, signal });
        view.nodes.wrote(node);
        return { ...facts, node };
      };
  }
}

/** Tells the units that were left and joined. */
function announce(
  { events, view, log }: NodeReconcilerDeps,
  {
    node,
    from,
    to,
  }: { readonly node: string; readonly from: string | undefined; readonly to: string | undefined },
): void {
  if (from === to) return;
  const tell = (unit: string | undefined, reason: string, message: string): void => {
    if (unit === undefined) return;
    log.info(message, { node, unit });
    const { apiVersion, kind } = edgeUnitResource;
    const uid = view.uidOf(unit);
    events.record(
      { apiVersion, kind, name: unit, uid },
      { type: 'Normal', reason, message: `${message}: ${node}` },
    );
  };
  tell(from, 'NodeLeft', 'node left');
  tell(to, 'NodeJoined', 'node joined');
}

/** Whoever changed something in between is looked at first: the watch brings it. */
const passing = ['Conflict', 'NotFound', 'AlreadyExists'] as const;

/** Brings one node to where its unit, or none, wants it. */
export function createNodeReconciler(
  deps: NodeReconcilerDeps,
): (name: string, signal: AbortSignal) => Promise<void> {
  const { view } = deps;
  const carryOut = async (name: string, start: NodeFacts, signal: AbortSignal): Promise<void> => {
    let facts = start;
    for (let round = 0; round < maxRounds; round += 1) {
      const { steps } = planNode(facts);
      if (steps.length === 0) return;
      const from = facts.pushed?.name;
      for (const step of steps) facts = await executorOf(deps, step)(name, facts, signal);
      announce(deps, { node: name, from, to: facts.pushed?.name });
    }
  };
  return async (name, signal) => {
    const unit = view.unitOf(name);
    // It is to be there until its members have nothing of it: they get nothing before it says so.
    if (unit !== undefined && !hasFinalizer(unit)) return;
    try {
      await carryOut(name, view.factsOf(name), signal);
    } catch (error) {
      view.nodes.forget(name);
      view.edgeNodes.forget(name);
      if (!hasCode(error, ...passing)) throw error;
    }
  };
}
