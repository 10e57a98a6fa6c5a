export { managerAdmission } from './admission.ts';
export { bootstrapGroupOf, bootstrappersGroup, nodesOfBootstrapGroups } from './bootstrap-groups.ts';
export { autonomySchema, parseAutonomy, type Autonomy } from './autonomy.ts';
export type { CustomResourceDefinition } from './custom-resource.ts';
export { customResources, type CustomResource } from './custom-resources.ts';
export {
  edgeNodeDefinition,
  edgeNodes,
  type EdgeNode,
  type EdgeNodeSession,
  type EdgeNodeSpec,
  type EdgeNodeStatus,
  type EdgeNodeWitness,
  type NodeState,
  type PushedToNode,
} from './edge-node/edge-node.ts';
export { edgeNodePolicy, edgeNodePolicyBinding } from './edge-node/policy.ts';
export { nodeStates } from './edge-node/schema.ts';
export {
  edgeUnitConditions,
  edgeUnitDefinition,
  edgeUnits,
  type EdgeUnit,
  type EdgeUnitConflict,
  type EdgeUnitCounts,
  type EdgeUnitMember,
  type EdgeUnitSpec,
  type EdgeUnitStatus,
  type MaintenanceWindow,
  type UnitTaint,
} from './edge-unit/edge-unit.ts';
export { edgeUnitPolicy, edgeUnitPolicyBinding } from './edge-unit/policy.ts';
export {
  autonomousCondition,
  autonomousTaint,
  autonomyAnnotations,
  cloudReachable,
  finalizers,
  joinAnnotations,
  labels,
  unitAppAnnotations,
} from './labels.ts';
export { webhookConfiguration, type WebhookReach } from './registration.ts';
export { clientRole, clientRules } from './rbac/client-role.ts';
export { hubRole, hubRoleBinding } from './rbac/hub-role.ts';
export { hubRules, type Grant } from './rbac/hub-rules.ts';
export { managerNamespace, managerObjects } from './rbac/manager-role.ts';
export {
  managerNamespaceRules,
  managerNodeLeaseRules,
  managerRules,
  managerSystemRules,
} from './rbac/manager-rules.ts';
export { unitAppRules } from './rbac/unit-rules.ts';
export type { ClusterRole, ClusterRoleBinding, PolicyRule } from './rbac/role.ts';
export {
  parseTraffic,
  trafficAnnotations,
  trafficFallbacks,
  trafficOf,
  trafficScopes,
  type Traffic,
  type TrafficFallback,
  type TrafficScope,
} from './traffic-scope.ts';
export {
  maxWorkloadName,
  unitAppConditions,
  unitAppDefinition,
  unitApps,
  type UnitApp,
  type UnitAppOverride,
  type UnitAppRollout,
  type UnitAppScaling,
  type UnitAppSpec,
  type UnitAppStatus,
  type UnitAppTemplate,
  type UnitAppUnit,
} from './unit-app/unit-app.ts';
