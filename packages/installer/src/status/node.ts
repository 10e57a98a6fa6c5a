import { cloudReachable, labels } from '@selvedge/api';
import type { Node } from '@selvedge/kube/types';
import type { ClusterNode } from '../cluster/index.ts';
import type { EdgeNodeObject } from '../edge-objects.ts';
import type { MachineLook } from './machine.ts';
import type { HubStatus, JournalStatus, NodeKind, NodeStatus } from './types.ts';

/** What is known of a node, from wherever. */
export interface NodeSources {
  readonly node: Pick<ClusterNode, 'name' | 'unit' | 'isLite' | 'isReady'>;
  /** Undefined: the API server could not be asked. */
  readonly object?: Node | undefined;
  /** `unread`: it may not, or cannot, be read. */
  readonly edgeNode?: EdgeNodeObject | 'unread' | undefined;
  readonly machine?: MachineLook | undefined;
}

function hubOf(object: Node | undefined): HubStatus | undefined {
  const condition = object?.status?.conditions?.find(({ type }) => type === cloudReachable);
  if (condition === undefined) return undefined;
  const { status, lastTransitionTime, message = '' } = condition;
  // Null where nobody said it.
  return { reachesCloud: status === 'True', since: lastTransitionTime ?? '', message };
}

function interruptedKind({ status }: MachineLook): NodeKind | undefined {
  if (status.kind === 'closed') return undefined;
  const kinds: Partial<Record<JournalStatus['state'], NodeKind>> = { damaged: 'damaged', begun: 'half-done' };
  return kinds[status.journal.state];
}

/** A run that was begun counts before all else; a machine knows better than the API server what it is. */
function kindOf({ node, object, machine }: NodeSources): NodeKind {
  const interrupted = machine === undefined ? undefined : interruptedKind(machine);
  if (interrupted !== undefined) return interrupted;
  if (node.isLite) return 'lite';
  if (machine?.converted !== undefined) return machine.converted ? 'converted' : 'stock';
  if (object === undefined) return 'unknown';
  return hubOf(object) === undefined ? 'stock' : 'converted';
}

/** What the cloud decided and saw. */
function ofCloud(edgeNode: NodeSources['edgeNode']): Pick<NodeStatus, 'state' | 'banned' | 'sessions'> {
  if (edgeNode === 'unread') return {};
  const { spec, status } = edgeNode ?? {};
  const live = (status?.sessions ?? []).filter((one) => one.direction === 'reverse' && one.state === 'live');
  return { state: status?.state, banned: spec?.banned === true, sessions: live.length };
}

function versionsOf({ object, machine }: NodeSources): NodeStatus['versions'] {
  return {
    kubelet: object?.status?.nodeInfo?.kubeletVersion,
    edgeLite: machine?.version ?? object?.metadata.labels?.[labels.nodeVersion],
  };
}

/** Pure. */
export function nodeStatusOf(sources: NodeSources): NodeStatus {
  const { node, object, edgeNode, machine } = sources;
  return {
    name: node.name,
    kind: kindOf(sources),
    unit: node.unit,
    ready: object === undefined ? undefined : node.isReady,
    hub: hubOf(object),
    ...ofCloud(edgeNode),
    versions: versionsOf(sources),
    machine: machine?.status,
  };
}
