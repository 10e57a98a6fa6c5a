/** Labels that Selvedge sets. Their values are what Kubernetes allows: at most 63 characters of `A-Za-z0-9-_.`. */
export const labels = {
  /** On a Node: the version of the edge-lite that runs it. Written by the node itself. */
  nodeVersion: 'node.selvedge.io/version',
  /**
   * On a Node: the EdgeUnit that it belongs to. No node may write it. Source: kubernetes.io "Node isolation/restriction".
   */
  nodeUnit: 'selvedge.node-restriction.kubernetes.io/unit',
  /** On a Node of a unit: limits on evictions hold in a zone. Source: kubernetes.io "Well-Known Labels". */
  zone: 'topology.kubernetes.io/zone',
  /** On what a UnitApp made, pods included: the EdgeUnit that it is for. Every EdgeUnit counts as having it. */
  unit: 'selvedge.io/unit',
  /** On what a UnitApp made, pods included: the UnitApp. */
  unitApp: 'selvedge.io/unit-app',
  /** On objects that a program made and may delete again: which one. Source: kubernetes.io "Recommended Labels". */
  managedBy: 'app.kubernetes.io/managed-by',
  /** On a Lease: what its holder is (`tunnel-server`). */
  component: 'selvedge.io/component',
} as const;

/** Finalizers that Selvedge sets. */
export const finalizers = {
  /** On an EdgeUnit: its members have something of it. */
  edgeUnit: 'selvedge.io/members',
} as const;
