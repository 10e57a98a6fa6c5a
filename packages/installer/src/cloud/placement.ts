import { labels as labelNames } from '@selvedge/api';
import { SelvedgeError } from '@selvedge/kit';
import { type KubeObject, type LabelSet, isObject, matchesLabels } from '@selvedge/kube';
import type { Node, NodeSelectorTerm, PodSpec, Taint, Toleration } from '@selvedge/kube/types';
import type { CloudChange } from './types.ts';

/** What a pod says about where it runs. */
export type Placement = Pick<PodSpec, 'nodeSelector' | 'affinity' | 'tolerations'>;

const operators = ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'] as const;

/** Fields of Nodes, and operators that are not known here, are the scheduler's to judge. */
const matchesTerm = ({ matchExpressions = [] }: NodeSelectorTerm, labels: LabelSet): boolean =>
  matchExpressions.every(({ key, operator, values = [] }) => {
    const known = operators.find((one) => one === operator);
    return known === undefined || matchesLabels([{ key, operator: known, values }], labels);
  });

/** Source: v1 Toleration.ToleratesTaint. */
const tolerates = (one: Toleration, taint: Taint): boolean =>
  isFor(one.effect, taint.effect) &&
  isFor(one.key, taint.key) &&
  (one.operator === 'Exists' || (one.value ?? '') === (taint.value ?? ''));

/** What says nothing is for all. */
const isFor = (said: string | undefined, word: string): boolean => (said ?? '') === '' || said === word;

/** Whose presence alone says that a Node is at an edge. */
const edgeLabels = [labelNames.nodeEdge, labelNames.nodeUnit, labelNames.nodeVersion] as const;

function fitsLabels(labels: LabelSet, { nodeSelector = {}, affinity }: Placement): boolean {
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return (
    Object.entries(nodeSelector).every(([key, value]) => labels[key] === value) &&
    (required?.nodeSelectorTerms.some((term) => matchesTerm(term, labels)) ?? true)
  );
}

function whyTainted({ key, effect }: Taint): string {
  const isAway = /^node\.kubernetes\.io\/(not-ready|unreachable)$/.test(key);
  return isAway ? 'it is not Ready' : `it has the taint ${key}:${effect}`;
}

/** Why a Node cannot take such a pod; undefined: nothing is known against it. */
function whyNot({ metadata: { labels = {} }, spec = {} }: Node, placement: Placement): string | undefined {
  if (edgeLabels.some((label) => label in labels)) return 'it is an edge node';
  if (spec.unschedulable === true) return 'it is cordoned';
  if (!fitsLabels(labels, placement)) return 'its labels do not match';
  const { tolerations = [] } = placement;
  const against = (spec.taints ?? []).find(
    (taint) => taint.effect !== 'PreferNoSchedule' && !tolerations.some((one) => tolerates(one, taint)),
  );
  return against && whyTainted(against);
}

const isRunner = (
  value: unknown,
): value is { readonly spec: { readonly template: { readonly spec: Placement } } } =>
  isObject(value) && isObject(value['spec']) && isObject(value['spec']['template']);

/** What a Deployment says about where its pods run. */
const placementOf = (deployment: unknown): Placement =>
  isRunner(deployment) ? deployment.spec.template.spec : {};

/**
 * Why none of the Nodes can take such a pod, for people; undefined: one can, or there is no Node at all, which is so while
 * they are made on demand. `becoming`: names of those that become edge nodes. Pure.
 */
function whyNowhere(
  nodes: readonly Node[],
  placement: Placement,
  becoming: ReadonlySet<string>,
): readonly string[] | undefined {
  const against = nodes.map((node) => {
    const { name = '' } = node.metadata;
    const why = becoming.has(name) ? 'it becomes an edge node' : whyNot(node, placement);
    return why && `${name}: ${why}`;
  });
  const told = against.filter((one) => one !== undefined);
  return told.length === nodes.length && nodes.length > 0 ? told : undefined;
}

/** A Deployment that nothing can run would be waited for in vain. Throws `Unsupported`. */
export function refuseNowhere(
  program: readonly KubeObject[],
  nodes: readonly Node[],
  becoming: readonly string[],
): void {
  const placement = placementOf(program.find(({ kind }) => kind === 'Deployment'));
  const why = whyNowhere(nodes, placement, new Set(becoming));
  if (why === undefined) return;
  const more = why.length > 5 ? [`and ${why.length - 5} more`] : [];
  throw new SelvedgeError(`no Node can run cloud-manager: ${[...why.slice(0, 5), ...more].join('; ')}`, {
    code: 'Unsupported',
    hint: 'it needs a Node in the cloud that is not an edge node; nodeSelector, affinity and tolerations in --values decide which it may use (docs/tasks/cloud-manager.md)',
  });
}

/** Nodes that become edge nodes are marked before the Deployment is made. Pure. */
export const edgeChanges = (becoming: readonly string[], nodes: readonly Node[]): readonly CloudChange[] =>
  nodes.flatMap(({ metadata: { name = '', labels = {} } }) =>
    becoming.includes(name) && !(labelNames.nodeEdge in labels) ? [{ kind: 'edge', node: name }] : [],
  );
