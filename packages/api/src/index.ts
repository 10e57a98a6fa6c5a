export type { CustomResourceDefinition } from './custom-resource.ts';
export {
  edgeNodeDefinition,
  edgeNodes,
  type EdgeNode,
  type EdgeNodeSession,
  type EdgeNodeSpec,
  type EdgeNodeStatus,
} from './edge-node/edge-node.ts';
export { edgeNodePolicy, edgeNodePolicyBinding } from './edge-node/policy.ts';
export { labels } from './labels.ts';
export { hubRole, hubRoleBinding } from './rbac/hub-role.ts';
export { hubRules, type Grant } from './rbac/hub-rules.ts';
export { managerNamespace, managerObjects } from './rbac/manager-role.ts';
export { managerNamespaceRules, managerRules } from './rbac/manager-rules.ts';
export type { ClusterRole, ClusterRoleBinding, PolicyRule } from './rbac/role.ts';
