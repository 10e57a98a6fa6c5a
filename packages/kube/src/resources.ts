import type {
  CertificateSigningRequest,
  ClusterRole,
  ClusterRoleBinding,
  ConfigMap,
  ControllerRevision,
  CustomResourceDefinition,
  DaemonSet,
  Deployment,
  EndpointSlice,
  Event,
  Lease,
  Namespace,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  ReplicaSet,
  Role,
  RoleBinding,
  RuntimeClass,
  Secret,
  SelfSubjectAccessReview,
  SelfSubjectReview,
  Service,
  ServiceAccount,
  StatefulSet,
  SubjectAccessReview,
  TokenReview,
} from './gen/types.ts';
import type { KubeObject } from './object.ts';
import { defineResource, type Resource } from './resource.ts';

/** The part of it that is used. Source: Kubernetes API, admissionregistration.k8s.io/v1. */
export interface ValidatingWebhookConfiguration extends KubeObject {
  readonly webhooks?: readonly {
    readonly name: string;
    readonly clientConfig?: { readonly caBundle?: string };
  }[];
}

type Row = readonly [apiVersion: string, kind: string, plural: string];

const namespaced = <T extends KubeObject>(...[apiVersion, kind, plural]: Row): Resource<T> =>
  defineResource<T>({ apiVersion, kind, plural, namespaced: true });

const clusterWide = <T extends KubeObject>(...[apiVersion, kind, plural]: Row): Resource<T> =>
  defineResource<T>({ apiVersion, kind, plural, namespaced: false });

const rbac = 'rbac.authorization.k8s.io/v1';

/** The built-in resources that Selvedge uses; `defineResource` describes any other. */
export const resources = {
  certificateSigningRequests: clusterWide<CertificateSigningRequest>(
    'certificates.k8s.io/v1',
    'CertificateSigningRequest',
    'certificatesigningrequests',
  ),
  clusterRoleBindings: clusterWide<ClusterRoleBinding>(rbac, 'ClusterRoleBinding', 'clusterrolebindings'),
  clusterRoles: clusterWide<ClusterRole>(rbac, 'ClusterRole', 'clusterroles'),
  configMaps: namespaced<ConfigMap>('v1', 'ConfigMap', 'configmaps'),
  controllerRevisions: namespaced<ControllerRevision>('apps/v1', 'ControllerRevision', 'controllerrevisions'),
  customResourceDefinitions: clusterWide<CustomResourceDefinition>(
    'apiextensions.k8s.io/v1',
    'CustomResourceDefinition',
    'customresourcedefinitions',
  ),
  daemonSets: namespaced<DaemonSet>('apps/v1', 'DaemonSet', 'daemonsets'),
  deployments: namespaced<Deployment>('apps/v1', 'Deployment', 'deployments'),
  endpointSlices: namespaced<EndpointSlice>('discovery.k8s.io/v1', 'EndpointSlice', 'endpointslices'),
  events: namespaced<Event>('v1', 'Event', 'events'),
  leases: namespaced<Lease>('coordination.k8s.io/v1', 'Lease', 'leases'),
  namespaces: clusterWide<Namespace>('v1', 'Namespace', 'namespaces'),
  nodes: clusterWide<Node>('v1', 'Node', 'nodes'),
  persistentVolumeClaims: namespaced<PersistentVolumeClaim>(
    'v1',
    'PersistentVolumeClaim',
    'persistentvolumeclaims',
  ),
  persistentVolumes: clusterWide<PersistentVolume>('v1', 'PersistentVolume', 'persistentvolumes'),
  pods: namespaced<Pod>('v1', 'Pod', 'pods'),
  replicaSets: namespaced<ReplicaSet>('apps/v1', 'ReplicaSet', 'replicasets'),
  roleBindings: namespaced<RoleBinding>(rbac, 'RoleBinding', 'rolebindings'),
  roles: namespaced<Role>(rbac, 'Role', 'roles'),
  runtimeClasses: clusterWide<RuntimeClass>('node.k8s.io/v1', 'RuntimeClass', 'runtimeclasses'),
  secrets: namespaced<Secret>('v1', 'Secret', 'secrets'),
  selfSubjectAccessReviews: clusterWide<SelfSubjectAccessReview>(
    'authorization.k8s.io/v1',
    'SelfSubjectAccessReview',
    'selfsubjectaccessreviews',
  ),
  selfSubjectReviews: clusterWide<SelfSubjectReview>(
    'authentication.k8s.io/v1',
    'SelfSubjectReview',
    'selfsubjectreviews',
  ),
  serviceAccounts: namespaced<ServiceAccount>('v1', 'ServiceAccount', 'serviceaccounts'),
  services: namespaced<Service>('v1', 'Service', 'services'),
  statefulSets: namespaced<StatefulSet>('apps/v1', 'StatefulSet', 'statefulsets'),
  subjectAccessReviews: clusterWide<SubjectAccessReview>(
    'authorization.k8s.io/v1',
    'SubjectAccessReview',
    'subjectaccessreviews',
  ),
  tokenReviews: clusterWide<TokenReview>('authentication.k8s.io/v1', 'TokenReview', 'tokenreviews'),
  validatingWebhookConfigurations: clusterWide<ValidatingWebhookConfiguration>(
    'admissionregistration.k8s.io/v1',
    'ValidatingWebhookConfiguration',
    'validatingwebhookconfigurations',
  ),
} as const;
