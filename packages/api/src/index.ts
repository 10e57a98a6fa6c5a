export { labels } from './labels.ts';
export { hubRole, hubRoleBinding } from './rbac/hub-role.ts';
export { hubRules, type Grant } from './rbac/hub-rules.ts';
export type { ClusterRole, ClusterRoleBinding, PolicyRule } from './rbac/role.ts';
