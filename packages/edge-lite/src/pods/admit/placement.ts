import { matchesLabels } from '@selvedge/kube';
import type { ContainerPort, Node, NodeSelectorTerm, Pod, Taint, Toleration } from '@selvedge/kube/types';

import { allContainers } from '../spec/index.ts';
import type { Verdict } from '../status/index.ts';

interface Where {
  readonly node: Node | undefined;
  readonly others: readonly Pod[];
}

function failed(predicate: string, why: string): Verdict {
  return { reason: predicate, message: `Predicate ${predicate} failed: ${why}` };
}

/** Requirements as the label selector has them; one with an unknown operator matches nothing. */
function meets(
  requirements: NodeSelectorTerm['matchExpressions'],
  values: Readonly<Record<string, string>>,
): boolean {
  return (requirements ?? []).every(({ key, operator, values: wanted = [] }) => {
    switch (operator) {
      case 'In':
      case 'NotIn':
      case 'Exists':
      case 'DoesNotExist':
      case 'Gt':
      case 'Lt':
        return matchesLabels([{ key, operator, values: wanted }], values);
      default:
        return false;
    }
  });
}

/** An empty term matches nothing. */
function matchesTerm(term: NodeSelectorTerm, node: Node): boolean {
  const { matchExpressions = [], matchFields = [] } = term;
  if (matchExpressions.length + matchFields.length === 0) return false;
  const fields = { 'metadata.name': node.metadata.name ?? '' };
  return meets(matchExpressions, node.metadata.labels ?? {}) && meets(matchFields, fields);
}

function isSelected({ spec }: Pod, node: Node): boolean {
  const labels = node.metadata.labels ?? {};
  return Object.entries(spec?.nodeSelector ?? {}).every(([key, value]) => labels[key] === value);
}

function isWanted({ spec }: Pod, node: Node): boolean {
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required?.nodeSelectorTerms.some((term) => matchesTerm(term, node)) ?? true;
}

/** Source: https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/ */
function affinityVerdict(pod: Pod, { node }: Where): Verdict | undefined {
  if (node === undefined || (isSelected(pod, node) && isWanted(pod, node))) return undefined;
  return failed('NodeAffinity', "node(s) didn't match Pod's node affinity/selector");
}

function hostPorts(pod: Pod): readonly ContainerPort[] {
  return allContainers(pod).flatMap(({ ports = [] }) => ports.filter(({ hostPort = 0 }) => hostPort > 0));
}

function anywhere(ip: string | undefined): boolean {
  return ip === undefined || ip === '' || ip === '0.0.0.0';
}

function collides(a: ContainerPort, b: ContainerPort): boolean {
  const sameAddress = anywhere(a.hostIP) || anywhere(b.hostIP) || a.hostIP === b.hostIP;
  return a.hostPort === b.hostPort && (a.protocol ?? 'TCP') === (b.protocol ?? 'TCP') && sameAddress;
}

function portVerdict(pod: Pod, { others }: Where): Verdict | undefined {
  const taken = others.flatMap(hostPorts);
  const free = hostPorts(pod).every((port) => !taken.some((other) => collides(port, other)));
  return free ? undefined : failed('NodePorts', "node(s) didn't have free ports for the requested pod ports");
}

function tolerates({ key, operator, value, effect }: Toleration, taint: Taint): boolean {
  if (effect !== undefined && effect !== '' && effect !== taint.effect) return false;
  if (key === undefined || key === '') return operator === 'Exists';
  return key === taint.key && (operator === 'Exists' || (value ?? '') === (taint.value ?? ''));
}

/** Only what would evict a pod keeps it from being taken in. */
function taintVerdict(pod: Pod, { node }: Where): Verdict | undefined {
  const taints = (node?.spec?.taints ?? []).filter(({ effect }) => effect === 'NoExecute');
  const tolerations = pod.spec?.tolerations ?? [];
  const borne = taints.every((taint) => tolerations.some((one) => tolerates(one, taint)));
  return borne ? undefined : failed('TaintToleration', "node(s) had taints that the pod didn't tolerate");
}

const osLabel = 'kubernetes.io/os';

function systemOf(node: Node | undefined): string {
  return node?.metadata.labels?.[osLabel] ?? 'linux';
}

function systemVerdict({ spec }: Pod, { node }: Where): Verdict | undefined {
  const system = systemOf(node);
  if ((spec?.nodeSelector?.[osLabel] ?? system) !== system) {
    const message = `Failed to admit pod as the \`${osLabel}\` label doesn't match node label`;
    return { reason: 'PodOSSelectorNodeLabelDoesNotMatch', message };
  }
  if ((spec?.os?.name ?? system) === system) return undefined;
  return {
    reason: 'PodOSNotSupported',
    message: "Failed to admit pod as the OS field doesn't match node OS",
  };
}

/** Whether the pod may be at this place at all; the first objection. Source: `pkg/kubelet/lifecycle/predicate.go`. */
export function placementVerdict(pod: Pod, where: Where): Verdict | undefined {
  return (
    systemVerdict(pod, where) ??
    affinityVerdict(pod, where) ??
    portVerdict(pod, where) ??
    taintVerdict(pod, where)
  );
}
