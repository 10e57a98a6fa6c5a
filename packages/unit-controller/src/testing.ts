import type { EdgeUnitSpec } from '@selvedge/api';
import type { Node, Taint } from '@selvedge/kube/types';
import type { NodeStep } from './nodes/index.ts';
import { patchOfNode } from './nodes/index.ts';
import type { EdgeUnitObject } from './objects.ts';

export const unitNamed = (
  name: string,
  spec: EdgeUnitSpec = {},
  metadata: EdgeUnitObject['metadata'] = {},
): EdgeUnitObject => ({
  metadata: { creationTimestamp: '2026-01-01T00:00:00Z', ...metadata, name },
  spec,
});

export const nodeNamed = (
  name: string,
  labels: Readonly<Record<string, string>> = {},
  spec: Node['spec'] = {},
): Node => ({
  metadata: { name, uid: `uid-${name}`, resourceVersion: '1', labels },
  spec,
});

const merged = (
  before: Readonly<Record<string, string>> | undefined,
  patch: Readonly<Record<string, string | null>> | undefined,
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries({ ...before, ...patch }).filter((entry): entry is [string, string] => entry[1] !== null),
  );

interface NodePatch {
  readonly metadata: {
    readonly labels?: Readonly<Record<string, string | null>>;
    readonly annotations?: Readonly<Record<string, string | null>>;
  };
  readonly spec: { readonly taints?: readonly Taint[]; readonly unschedulable?: boolean | null };
}

/** What the API server makes of the merge patch of a step. */
export function changed(node: Node, step: Extract<NodeStep, { kind: 'change' }>): Node {
  const { metadata, spec } = patchOfNode(node, step.change) as NodePatch;
  const { taints = node.spec?.taints, unschedulable = node.spec?.unschedulable } = spec;
  return {
    metadata: {
      ...node.metadata,
      labels: merged(node.metadata.labels, metadata.labels),
      annotations: merged(node.metadata.annotations, metadata.annotations),
    },
    spec: { taints: taints ?? [], ...(unschedulable === true ? { unschedulable } : {}) },
  };
}
