import type { PolicyRule } from './role.ts';

/** One rule and why there is no hub without it. */
export interface Grant {
  readonly reason: string;
  readonly rule: PolicyRule;
}

/**
 * What a hub needs with its node's certificate beyond what every node has. The Node authorizer (Kubernetes 1.36,
 * `NodeRules`) already grants: TokenReviews and SubjectAccessReviews, Services, RuntimeClasses and CSIDrivers, the own
 * Node, Lease and CSINode, the pods of this node and what they refer to, tokens of their service accounts, Events and
 * certificate requests. `system:discovery` and `system:basic-user` grant discovery, OpenAPI, version and health.
 */
export const hubRules: readonly Grant[] = [
  {
    reason:
      'Service traffic and in-cluster names go on while the cloud is away; kube-proxy reads them from the hub.',
    rule: { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
  },
  {
    reason:
      'The ranges of Services, which kube-proxy reads from the hub: for these alone the hub would keep a second connection.',
    rule: { apiGroups: ['networking.k8s.io'], resources: ['servicecidrs'], verbs: ['list', 'watch'] },
  },
  {
    reason: 'The members of the unit: other Nodes are not readable to a node.',
    rule: { apiGroups: ['selvedge.io'], resources: ['edgeunits'], verbs: ['list', 'watch'] },
  },
  {
    reason:
      "The issuer of the cluster's service-account tokens, which the hub verifies itself while the cloud is away.",
    rule: { nonResourceURLs: ['/.well-known/openid-configuration'], verbs: ['get'] },
  },
  {
    reason: 'The public keys to verify them by.',
    rule: { nonResourceURLs: ['/openid/v1/jwks'], verbs: ['get'] },
  },
];
