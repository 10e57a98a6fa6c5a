/** Labels that Selvedge sets. Their values are what Kubernetes allows: at most 63 characters of `A-Za-z0-9-_.`. */
export const labels = {
  /** On a Node: the version of the edge-lite that runs it. Written by the node itself. */
  nodeVersion: 'node.selvedge.io/version',
  /**
   * On a Node: the EdgeUnit that it belongs to. No node may write it. Source: kubernetes.io "Node isolation/restriction".
   */
  nodeUnit: 'selvedge.node-restriction.kubernetes.io/unit',
  /**
   * On a Node: it is at an edge, and cloud-manager does not run there. Written before a node is converted, and by cloud-manager on a
   * lite node; no node may write it.
   */
  nodeEdge: 'selvedge.node-restriction.kubernetes.io/edge',
  /** On a Node of a unit: limits on evictions hold in a zone. Source: kubernetes.io "Well-Known Labels". */
  zone: 'topology.kubernetes.io/zone',
  /** On what a UnitApp made, pods included: the EdgeUnit that it is for. Every EdgeUnit counts as having it. */
  unit: 'selvedge.io/unit',
  /** On what a UnitApp made, pods included: the UnitApp. */
  unitApp: 'selvedge.io/unit-app',
  /** On a UnitApp's clones and ControllerRevisions: the number of the revision. */
  revision: 'selvedge.io/revision',
  /** On pods of a UnitApp and on their workload: a hash of the pods' template. */
  podTemplate: 'selvedge.io/pod-template',
  /** On objects that a program made and may delete again: which one. Source: kubernetes.io "Recommended Labels". */
  managedBy: 'app.kubernetes.io/managed-by',
  /** On a Lease: what its holder is (`tunnel-server`). */
  component: 'selvedge.io/component',
} as const;

/** Annotations of UnitApps. */
export const unitAppAnnotations = {
  /** On pods of a UnitApp: a hash of the ConfigMaps and Secrets that came with them. */
  configuration: 'selvedge.io/configuration',
  /** On what a UnitApp made: a hash of all that was asked for when it was applied last. */
  applied: 'selvedge.io/applied',
} as const;

/** Finalizers that Selvedge sets. */
export const finalizers = {
  /** On an EdgeUnit: its members have something of it. */
  edgeUnit: 'selvedge.io/members',
} as const;

/** Annotations of autonomy. Those of people are on objects that no node may write. */
export const autonomyAnnotations = {
  /** On a node's Lease: the renewal that cloud-manager made last, as `spec.renewTime` says it. */
  heldRenewTime: 'selvedge.io/held-renew-time',
  /**
   * On a StatefulSet, on a PersistentVolumeClaim or, for all that runs on its node, on an EdgeNode: `true` lets pods of a
   * dead node be replaced although two of them at a time would do harm.
   */
  failover: 'selvedge.io/failover',
  /** On an EdgeNode: `true` lets its Node, and its pods by force, be deleted while it is cut off. */
  allowDeletion: 'selvedge.io/allow-deletion',
} as const;

/** Annotations of joining. */
export const joinAnnotations = {
  /** On an EdgeNode: `true` lets a bootstrap token ask for the node's certificate although there is such a node. */
  allowJoin: 'selvedge.io/allow-join',
} as const;

/** The key of the taint (`NoSchedule`) on Vouched and Autonomous nodes: new pods go elsewhere. */
export const autonomousTaint = 'selvedge.io/autonomous';

/** The type of the Node condition that shows people what the node is taken for. Nothing is decided by it. */
export const autonomousCondition = 'SelvedgeAutonomous';

/** The type of the Node condition by which a hub says whether it reaches the API server. */
export const cloudReachable = 'selvedge.io/CloudReachable';
