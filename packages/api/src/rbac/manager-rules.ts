import { managerAdmission } from '../admission.ts';
import type { Grant } from './hub-rules.ts';
import { unitRules } from './unit-rules.ts';

/** What cloud-manager needs in the whole cluster. */
export const managerRules: readonly Grant[] = [
  {
    reason: 'Bans, and the sessions of nodes. Made for a node that connects, deleted when its Node is gone.',
    rule: {
      apiGroups: ['selvedge.io'],
      resources: ['edgenodes'],
      verbs: ['list', 'watch', 'create', 'delete'],
    },
  },
  {
    reason: 'Each server writes its own sessions, the leader takes those of dead servers away.',
    rule: { apiGroups: ['selvedge.io'], resources: ['edgenodes/status'], verbs: ['patch'] },
  },
  {
    reason: 'Which nodes there are, and the addresses that their serving certificates may have.',
    rule: { apiGroups: [''], resources: ['nodes'], verbs: ['list', 'watch'] },
  },
  {
    reason: 'To whose node a connection of the API server goes: to a pod, or to a Service by its ClusterIP.',
    rule: { apiGroups: [''], resources: ['pods', 'services'], verbs: ['list', 'watch'] },
  },
  {
    reason: 'The endpoints of such a Service, and those of the API server, whose addresses no node may take.',
    rule: { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
  },
  {
    reason: 'The networks of ClusterIPs: addresses that no serving certificate of a node may have.',
    rule: { apiGroups: ['networking.k8s.io'], resources: ['servicecidrs'], verbs: ['list'] },
  },
  {
    reason: 'Certificate requests of nodes: serving certificates to approve, those of banned nodes to deny.',
    rule: {
      apiGroups: ['certificates.k8s.io'],
      resources: ['certificatesigningrequests'],
      verbs: ['list', 'watch'],
    },
  },
  {
    reason: 'The decision about a request.',
    rule: {
      apiGroups: ['certificates.k8s.io'],
      resources: ['certificatesigningrequests/approval'],
      verbs: ['update'],
    },
  },
  {
    reason: 'Approving for the first signer; denying needs the same right, for both.',
    rule: {
      apiGroups: ['certificates.k8s.io'],
      resources: ['signers'],
      resourceNames: ['kubernetes.io/kubelet-serving', 'kubernetes.io/kube-apiserver-client-kubelet'],
      verbs: ['approve'],
    },
  },
  {
    reason: 'Which nodes belong together, may witness each other and share a policy of autonomy.',
    rule: { apiGroups: ['selvedge.io'], resources: ['edgeunits'], verbs: ['list', 'watch'] },
  },
  {
    reason:
      'Autonomy: the taints of nodes that lost their link, and the condition that shows it. Lite nodes: the label that keeps cloud-manager off them.',
    rule: { apiGroups: [''], resources: ['nodes', 'nodes/status'], verbs: ['patch'] },
  },
  {
    reason: 'Autonomy: what pods tolerate of a lost node, and that they are Ready still.',
    rule: { apiGroups: [''], resources: ['pods', 'pods/status'], verbs: ['patch'] },
  },
  {
    reason: 'Autonomy: whether the pods of a dead node may be replaced although two at a time would do harm.',
    rule: { apiGroups: ['apps'], resources: ['statefulsets'], verbs: ['get'] },
  },
  {
    reason: 'Autonomy: the same, for claims of pods that no StatefulSet made.',
    rule: { apiGroups: [''], resources: ['persistentvolumeclaims'], verbs: ['get'] },
  },
  {
    reason: 'What became of nodes, for people.',
    rule: { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
  },
  {
    reason: 'Who asks for metrics, or for streams to the edge by the connect proxy.',
    rule: { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
  },
  {
    reason: 'Whether he may have them.',
    rule: { apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'], verbs: ['create'] },
  },
  {
    reason: 'The traffic scope of namespaces, which their Services get.',
    rule: { apiGroups: [''], resources: ['namespaces'], verbs: ['list', 'watch'] },
  },
  {
    reason: 'The same: annotations of Services that have none of their own.',
    rule: { apiGroups: [''], resources: ['services'], verbs: ['patch'] },
  },
  {
    reason:
      'Whom API servers trust when they ask the webhook: it is filled in, and put back. Only of this one.',
    rule: {
      apiGroups: ['admissionregistration.k8s.io'],
      resources: ['validatingwebhookconfigurations'],
      resourceNames: [managerAdmission.configuration],
      verbs: ['list', 'watch', 'patch'],
    },
  },
  ...unitRules,
];

/** What it needs in its own namespace. */
export const managerNamespaceRules: readonly Grant[] = [
  {
    reason: 'Leader election, and one Lease for each server, by which the others know that it is alive.',
    rule: {
      apiGroups: ['coordination.k8s.io'],
      resources: ['leases'],
      verbs: ['get', 'list', 'watch', 'create', 'update', 'delete'],
    },
  },
  {
    reason: "The webhook's certificate, where cloud-manager makes it: all servers share it.",
    rule: {
      apiGroups: [''],
      resources: ['secrets'],
      resourceNames: [managerAdmission.secret],
      verbs: ['list', 'watch', 'update'],
    },
  },
  {
    reason: 'Making that Secret. What is to be made cannot be limited by name.',
    rule: { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
  },
];

/** What it needs where API servers tell to whom they delegate. */
export const managerSystemRules: readonly Grant[] = [
  {
    reason: 'Who signs the certificates of nodes, as API servers have it: agents show theirs.',
    rule: {
      apiGroups: [''],
      resources: ['configmaps'],
      resourceNames: ['extension-apiserver-authentication'],
      verbs: ['list', 'watch'],
    },
  },
];

/** What it needs where kubelets keep the Leases of their nodes. */
export const managerNodeLeaseRules: readonly Grant[] = [
  {
    reason: 'Autonomy: whether nodes renew their Leases, and renewing those of nodes that lost their link.',
    rule: {
      apiGroups: ['coordination.k8s.io'],
      resources: ['leases'],
      verbs: ['get', 'list', 'watch', 'patch'],
    },
  },
];
