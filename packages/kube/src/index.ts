export {
  ClientCertificates,
  authenticatedGroup,
  createDelegatedAccess,
  credentialIdKey,
  reviewAccess,
  reviewToken,
  userOfCertificate,
  type AccessAttributes,
  type AccessDecision,
  type AccessQuestion,
  type Credential,
  type DelegatedAccess,
  type DelegatedAccessDeps,
  type DelegatedAccessOptions,
  type ReviewClient,
  type TokenVerdict,
  type UserInfo,
} from './access/index.ts';
export {
  clusterInfoAt,
  clusterInfoSignatureKey,
  formatBootstrapToken,
  newTokenHint,
  parseBootstrapToken,
  pinOf,
  pinned,
  publishedCluster,
  readClusterInfo,
  signWithToken,
  signedByToken,
  verifyClusterInfo,
  type BootstrapToken,
  type ClusterInfo,
  type OpenTcp,
  type PublishedCluster,
  type UnverifiedClusterInfo,
  type UnverifiedGet,
} from './bootstrap/index.ts';
export type {
  CallOptions,
  DeleteOptions,
  GetOptions,
  KubeClient,
  ListAllOptions,
  ListOptions,
  PatchOptions,
  Projection,
  RawCall,
  Selection,
  SubresourceOptions,
  WriteOptions,
} from './client.ts';
export {
  loadConfigFile,
  mismatch,
  parseConfigFile,
  unknownField,
  type Checked,
  type ConfigCheck,
  type Fault,
  type Finding,
} from './config/config-file.ts';
export {
  createClientOver,
  createKubeClient,
  type CallingDeps,
  type CallingOptions,
  type ClientDeps,
  type ClientOptions,
} from './create-client.ts';
export {
  fileCredentials,
  staticCredentials,
  type ClientCertificate,
  type CredentialFiles,
  type CredentialFilesOptions,
  type CredentialSource,
  type Credentials,
  type TextOrFile,
} from './credentials.ts';
export type { HttpProxy, Traffic } from '@selvedge/kit/net';
export { collect, type CollectOptions } from './http/body.ts';
export {
  createTransport,
  type Transport,
  type TransportDeps,
  type TransportOptions,
} from './http/transport.ts';
export {
  defaultTimeouts,
  type HttpRequest,
  type HttpResponse,
  type HttpTimeouts,
  type Upgraded,
} from './http/types.ts';
export { ifFound } from './if-found.ts';
export { inClusterAccess, type InClusterOptions } from './in-cluster.ts';
export { createListSplitter, type ListPiece, type ListSplitter } from './list-splitter.ts';
export { upgrade, type UpgradeOptions } from './http/upgrade.ts';
export { createKubeMetrics, type KubeMetrics } from './metrics.ts';
export {
  invalidPatch,
  isList,
  isObject,
  jsonPatched,
  memberOf,
  mergePatched,
  strategicMerged,
  type JsonObject,
} from './merge/index.ts';
export { microTime } from './micro-time.ts';
export {
  compareResourceVersions,
  keyOf,
  refOfKey,
  type KubeObject,
  type ObjectList,
  type ObjectRef,
} from './object.ts';
export {
  applyPatch,
  jsonPatch,
  mergePatch,
  strategicMergePatch,
  type JsonPatchOperation,
  type Patch,
} from './patch.ts';
export type { Sender } from './requester.ts';
export { defineResource, resourceName, resourcePath, type PathOptions, type Resource } from './resource.ts';
export { resources, type ValidatingWebhookConfiguration } from './resources.ts';
export { createLineSplitter, type LineSplitter } from './watch/lines.ts';
export { parseWatchEvent, type BookmarkEvent, type ObjectEvent, type WatchEvent } from './watch/event.ts';
export type { Watch, WatchOptions } from './watch/watch.ts';
export { createNewest, type Newest } from './cache/newest.ts';
export { gatherReplacement, type Replacement } from './cache/replacement.ts';
export {
  createObjectCaches,
  slimMetadata,
  withoutManagedFields,
  type Kept,
  type ObjectCaches,
  type ObjectCachesDeps,
} from './cache/object-caches.ts';
export { createReflector } from './cache/reflector.ts';
export type { Reflector, ReflectorDeps, ReflectorOptions, ReflectorState } from './cache/reflector-types.ts';
export {
  createIndexedStore,
  type IndexedStore,
  type Indexer,
  type ObjectReader,
  type ReflectorStore,
  type StoreChange,
  type StoreOptions,
} from './cache/store.ts';
export { createKeyQueue, type KeyQueue, type KeyQueueDeps, type KeyQueueOptions } from './queue/key-queue.ts';
export {
  createController,
  type Controller,
  type ControllerDeps,
  type ControllerOptions,
  type ReconcileResult,
} from './queue/controller.ts';
export {
  createEventRecorder,
  type EventRecorder,
  type EventRecorderDeps,
  type EventRecorderOptions,
} from './events/recorder.ts';
export type { EventContent } from './events/event-factory.ts';
export {
  createLeaderElection,
  type LeaderElection,
  type LeaderElectionDeps,
  type LeaderElectionOptions,
  type LeaderState,
} from './leader/election.ts';
export { kubeconfigCredentials, type KubeconfigCredentialsOptions } from './kubeconfig-credentials.ts';
export { editedText, redirectKubeconfig, type ClusterTarget, type TextEdit } from './kubeconfig-edit.ts';
export {
  loadKubeconfig,
  parseKubeconfig,
  type ClusterAccess,
  type ExecPlugin,
  type KubeconfigOptions,
} from './kubeconfig.ts';
export {
  addQuantities,
  compareQuantities,
  formatQuantity,
  milliUnitsOf,
  parseQuantity,
  quantityOfUnits,
  subtractQuantities,
  unitsOf,
  type Quantity,
  type QuantityFormat,
} from './quantity.ts';
export { fieldNamed, fieldsOf, typeOf, type Field } from './schemas/index.ts';
export {
  formatFieldSelector,
  matchesFields,
  parseFieldSelector,
  type FieldRequirement,
  type FieldRequirements,
} from './selectors/field-selector.ts';
export {
  formatLabelSelector,
  labelRequirementsOf,
  matchesLabels,
  parseLabelSelector,
  type LabelRequirements,
  type LabelSet,
} from './selectors/label-selector.ts';
export type { LabelOperator, LabelRequirement } from './selectors/label-syntax.ts';
