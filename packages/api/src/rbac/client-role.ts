import type { Grant } from './hub-rules.ts';
import { clusterRole } from './role.ts';

/** What clients in the cluster need to be let through cloud-manager's `connectProxy`. */
export const clientRules: readonly Grant[] = [
  {
    reason:
      'Bytes to the kubelets of nodes at the edge and to the pods on them. The verb is asked by cloud-manager alone: to the API server and to kubelets it says nothing.',
    rule: { apiGroups: [''], resources: ['nodes/proxy'], verbs: ['connect'] },
  },
];

/** To be bound to such clients; for single nodes only, by a role with `resourceNames`. */
export const clientRole = clusterRole(
  'selvedge:edge-client',
  clientRules.map(({ rule }) => rule),
);
