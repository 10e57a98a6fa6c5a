import { edgeNodeDefinition } from './edge-node/edge-node.ts';
import { edgeNodePolicy, edgeNodePolicyBinding } from './edge-node/policy.ts';
import { edgeUnitDefinition } from './edge-unit/edge-unit.ts';
import { edgeUnitPolicy, edgeUnitPolicyBinding } from './edge-unit/policy.ts';
import { unitAppDefinition } from './unit-app/unit-app.ts';

/** A resource and the policies that guard it, in the order of applying. */
export interface CustomResource {
  /** Its folder in this package. */
  readonly source: string;
  readonly objects: readonly [{ readonly metadata: { readonly name: string } }, ...(readonly object[])];
}

/** All resources of ours. */
export const customResources: readonly CustomResource[] = [
  { source: 'edge-node', objects: [edgeNodeDefinition, edgeNodePolicy, edgeNodePolicyBinding] },
  { source: 'edge-unit', objects: [edgeUnitDefinition, edgeUnitPolicy, edgeUnitPolicyBinding] },
  { source: 'unit-app', objects: [unitAppDefinition] },
];
