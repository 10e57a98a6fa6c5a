import { managerNamespace } from '@selvedge/api';
import type { Right } from '../reading/index.ts';

const made = [
  ['', 'namespaces'],
  ['apiextensions.k8s.io', 'customresourcedefinitions'],
  ['admissionregistration.k8s.io', 'validatingadmissionpolicies'],
  ['admissionregistration.k8s.io', 'validatingadmissionpolicybindings'],
  ['admissionregistration.k8s.io', 'validatingwebhookconfigurations'],
  ['rbac.authorization.k8s.io', 'clusterroles'],
  ['rbac.authorization.k8s.io', 'clusterrolebindings'],
  ['rbac.authorization.k8s.io', 'roles'],
  ['rbac.authorization.k8s.io', 'rolebindings'],
  ['', 'serviceaccounts'],
  ['', 'secrets'],
  ['', 'configmaps'],
  ['', 'services'],
  ['discovery.k8s.io', 'endpointslices'],
  ['apps', 'deployments'],
  ['policy', 'poddisruptionbudgets'],
] as const;
const verbs = ['get', 'create', 'patch', 'update', 'delete'] as const;

/** Roles are made that hold more than who makes them may hold itself: that takes both. Source: kubernetes.io "Using RBAC Authorization", "Privilege escalation prevention and bootstrapping". */
const granting = ['clusterroles', 'roles'].flatMap((resource) =>
  (['escalate', 'bind'] as const).map((verb) => ({ group: 'rbac.authorization.k8s.io', resource, verb })),
);

const ours = ['edgenodes', 'edgeunits', 'unitapps'].flatMap((resource) =>
  (['list', 'patch', 'delete'] as const).map((verb) => ({ group: 'selvedge.io', resource, verb })),
);

/** What may be in the namespace that is not ours: it stays then. */
const strangers = [
  ['', 'secrets'],
  ['', 'configmaps'],
  ['', 'persistentvolumeclaims'],
  ['apps', 'deployments'],
  ['apps', 'statefulsets'],
  ['apps', 'daemonsets'],
  ['batch', 'jobs'],
  ['batch', 'cronjobs'],
].map(([group = '', resource = '']) => ({ group, resource, verb: 'list', namespace: managerNamespace }));

/** All that converting the cloud, and taking it back, needs: one SelfSubjectAccessReview each. */
export function cloudRights(): readonly Right[] {
  const objects = made.flatMap(([group, resource]) => verbs.map((verb) => ({ group, resource, verb })));
  const seen = ['nodes', 'pods', 'namespaces', 'services'].map((resource) => ({
    group: '',
    resource,
    verb: 'list',
  }));
  const edge = [
    { group: '', resource: 'nodes', verb: 'patch' },
    { group: '', resource: 'pods', verb: 'delete', namespace: managerNamespace },
  ];
  return [...objects, ...granting, ...ours, ...seen, ...strangers, ...edge];
}
